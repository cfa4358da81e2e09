"""Entry of the runner inside a sandbox: `python /opt/runner/run.py < spec.json`. Holds no logic."""

import importlib
import sys

if __name__ == "__main__":
    sys.exit(importlib.import_module("swesmith_gym_runner.session").main())
