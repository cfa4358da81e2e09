"""Prompts that ask for an entity anew: what their files hold. The files are ours in `prompts/`, or a user's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from swesmith_gym.lm import prompts
from swesmith_gym.lm.prompts import Form, Number, Prompt, Text, Words, uses

OURS = Path(__file__).parent / "prompts"
PLACEHOLDERS: Mapping[str, str] = {
    "code": "the entity: whole for lm_modify, without its body for lm_rewrite",
    "context": "the entity in its place in the file, as much of that as the limit allows",
    "kind": "function or class",
    "language": "of the code",
    "name": "of the entity, qualified",
    "path": "of the file",
}
"""What a prompt may ask for."""
REASON = "reason"
"""Further placeholder of `again`: one sentence."""
_AGAIN = "That answer cannot be used: $reason\n\nAnswer again in the same form.\n"
FORM: Form = {
    "kinds": Words(("function", "class")),
    "system": Text(tuple(PLACEHOLDERS), default=""),
    "user": Text(tuple(PLACEHOLDERS), shows=("code", "context")),
    "temperature": Number(0, 2),
    "again": Text((*(each for each in PLACEHOLDERS if each != "context"), REASON), default=_AGAIN),
}


@dataclass(frozen=True, slots=True)
class EntityPrompt(Prompt):
    """What a model is told and asked. The texts are templates that have been checked."""

    name: str
    kinds: tuple[str, ...]
    """Of entities that it is for."""
    again: str
    """Further turn, after an answer that was no use."""
    temperature: float
    """As in `lm.base.Request`."""

    @property
    def wants_context(self) -> bool:
        """It asks for the file around the entity."""
        return "context" in uses(self.system) | uses(self.user)


def load(name: str, folder: Path | None = None, *, temperature: float = 0.0) -> EntityPrompt:
    """A prompt by name: from `folder`, else one of ours. `temperature`: where the file says none.

    Raises: InputError (file, field, what is wrong).
    """
    fields = prompts.read(name, OURS, folder, FORM)
    if fields["temperature"] is None:
        fields["temperature"] = temperature
    return EntityPrompt(name=name, **fields)
