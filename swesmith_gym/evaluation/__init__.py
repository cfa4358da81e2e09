"""Evaluation: predictions in, verdicts and a report out; and the verification of task tables."""

from __future__ import annotations
