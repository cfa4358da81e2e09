"""A static HTML report of tasks, episodes and verdicts: one folder, opened from disk, that asks no server for anything.

Everything that repositories, models and agents wrote is untrusted here: see `render` for what keeps it from acting.
"""

from swesmith_gym.viewer.render import render

__all__ = ["render"]
