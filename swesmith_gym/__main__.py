"""`python -m swesmith_gym`: the same as the `swesmith-gym` command."""

from __future__ import annotations

from swesmith_gym.cli.main import main

if __name__ == "__main__":
    main()
