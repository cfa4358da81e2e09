"""Executable attacks on rewards, sealed trees and the host, played through the real environment."""

from __future__ import annotations

from swesmith_gym.redteam.base import Attack, Facts, Played

__all__ = ["Attack", "Facts", "Played"]
