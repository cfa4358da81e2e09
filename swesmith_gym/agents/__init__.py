"""Agents: what plays an episode. Built-in ones here; any class with a `run(session)` works."""

from __future__ import annotations

from swesmith_gym.agents.base import Agent, AgentFactory, Session
from swesmith_gym.agents.builtin import GoldAgent, NopAgent, RandomAgent, ScriptedAgent
from swesmith_gym.agents.registry import factory

__all__ = ["Agent", "AgentFactory", "GoldAgent", "NopAgent", "RandomAgent", "ScriptedAgent", "Session", "factory"]
