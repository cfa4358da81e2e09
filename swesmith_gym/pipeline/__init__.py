"""Stages joined into jobs: resumable, seeded, append-only."""

from __future__ import annotations
