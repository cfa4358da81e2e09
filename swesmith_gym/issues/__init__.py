"""Problem statements: what an agent is told about a bug."""

from swesmith_gym.issues.leaks import leaks
from swesmith_gym.issues.write import MODES, write

__all__ = ["MODES", "leaks", "write"]
