"""Problem statements: what an agent is told about a bug."""

from swesmith_gym.issues.leaks import leaks
from swesmith_gym.issues.materials import Author, Materials
from swesmith_gym.issues.write import MODES, Statement, check_mode, write

__all__ = ["MODES", "Author", "Materials", "Statement", "check_mode", "leaks", "write"]
