"""Gymnasium wrappers over `BugFixEnv`, each named by the one thing that it changes. One per file.

They rely on the environment's contract (text observations, `str` or tool-call actions, `info["verdict"]` at the
end) and on nothing else of it, so they also wrap other text environments and each other, in any order.
Limits of an episode are not here: they are arguments of the environment, which grades the work at the limit.
"""

from swesmith_gym.wrappers.parse_tool_calls import ParseToolCalls
from swesmith_gym.wrappers.record_trajectory import RecordTrajectory
from swesmith_gym.wrappers.shaped_reward import ShapedReward
from swesmith_gym.wrappers.strip_ansi import StripAnsi, strip_ansi
from swesmith_gym.wrappers.truncate_observation import TruncateObservation

__all__ = ["ParseToolCalls", "RecordTrajectory", "ShapedReward", "StripAnsi", "TruncateObservation", "strip_ansi"]
