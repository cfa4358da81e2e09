"""Entry of the runner that stays: `python /opt/runner/warm.py`, requests on standard input. Holds no logic."""

import importlib
import sys

if __name__ == "__main__":
    sys.exit(importlib.import_module("swesmith_gym_runner.zygote").main())
