"""The command line: one file for each command group, no logic of its own."""

from __future__ import annotations
