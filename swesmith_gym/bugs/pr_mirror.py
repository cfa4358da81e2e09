"""The strategy that takes real changes back: a commit, a patch, what a release changed, undone in the pristine tree.

The bugs are those that people had, and fixed. Which changes is the user's choice (`repos.changes.given`); what is
undone together is decided in `mirror_pieces`, how it is undone in `mirror_undo`.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from swesmith_gym.bugs import mirror_lm
from swesmith_gym.bugs.base import Ground, Result, in_turn, limited
from swesmith_gym.bugs.mirror_lm import Asking
from swesmith_gym.bugs.mirror_pieces import Limits, Piece, pieces
from swesmith_gym.bugs.mirror_undo import faults, undo
from swesmith_gym.errors import CandidateRejected, ContextExceeded, LMError
from swesmith_gym.lm.base import LM
from swesmith_gym.patch import reverse
from swesmith_gym.records import BugCandidate, RejectedCandidate, content_id, summed
from swesmith_gym.repos.changes.base import SourceChange, rendered


@dataclass(frozen=True, slots=True)
class PrMirror:
    """What comes out depends on content, paths, seed and, where it is asked, on the model."""

    changes: tuple[SourceChange, ...]
    lm: LM | None = None
    """Asked for a file without the change where nothing else undoes it; None: nobody is."""
    prompts: Path | None = None
    """A folder of prompt files that come before ours: it is `pr_mirror.toml` that is asked with."""
    limits: Limits = field(default_factory=Limits)
    name: ClassVar[str] = "pr_mirror"

    def candidates(self, ground: Ground, *, limit: int | None = None, seed: int = 0) -> Iterator[Result]:
        """A candidate for each change, or for each group of its hunks where it is taken apart; what cannot be undone,
        or is no bug, comes out rejected.

        `limit`: at most this many candidates, taking files in turn in an order of `seed`; without it, all, in the order
        of the changes.

        Raises: InputError (a bad prompt), at once. From the generator: LMError that is `lasting`, BudgetExhausted among
        them.
        """
        ask = Asking(self.lm, ground.language, mirror_lm.prompt(self.prompts)) if self.lm else None
        return limited(self._made(ground, ask, seed, spread=limit is not None), limit)

    def _made(self, ground: Ground, asking: Asking | None, seed: int, *, spread: bool) -> Iterator[Result]:
        found: Iterable[Piece] = (piece for change in self.changes for piece in pieces(change, ground, self.limits))
        seen: set[str] = set()
        for piece in _spread(found, random.Random(f"{seed}:{self.name}")) if spread else found:
            yield self._result(piece, ground, asking, seed, seen)

    def _result(self, piece: Piece, ground: Ground, asking: Asking | None, seed: int, seen: set[str]) -> Result:
        if piece.reason:
            return _rejected(piece, ground, piece.reason, piece.detail)
        ask = replace(asking, costs=[]) if asking else None
        try:
            undone = undo(piece.files, ground, ask)
        except CandidateRejected as error:
            return _rejected(piece, ground, error.reason, error.detail, ask)
        except LMError as error:
            if error.lasting:
                raise
            reason = "too_large" if isinstance(error, ContextExceeded) else "lm_error"
            return _rejected(piece, ground, reason, str(error), ask)
        candidate = ground.candidate(
            undone.after,
            self.name,
            operator=undone.how,
            explanation=_explanation(piece),
            seed=seed,
            original_text=piece.change.text,
            **_paid(ask),
        )
        for reason, detail in faults(undone.after, ground):
            return RejectedCandidate(candidate, reason, f"{piece.change.name}: {detail}")
        if candidate.candidate_id in seen:
            return RejectedCandidate(candidate, "duplicate", f"{piece.change.name}: {', '.join(sorted(undone.after))}")
        seen.add(candidate.candidate_id)
        return candidate


def _paid(ask: Asking | None) -> dict[str, Any]:
    """Model and cost, where a model has answered."""
    if ask is None or not ask.costs:
        return {}
    return {"model": ask.lm.model, "cost_usd": summed(ask.costs)}


def _explanation(piece: Piece) -> str:
    """What was undone."""
    change = piece.change
    paths = " and ".join(f"`{path}`" for file in piece.files for path in file.paths[:1])
    inside = f" ({piece.where})" if piece.where else ""
    origin = f" It comes from: {change.origin}." if change.origin else ""
    return f"The change {change.name} was taken back in {paths}{inside}.{origin}"


def _rejected(piece: Piece, ground: Ground, reason: str, detail: str, ask: Asking | None = None) -> RejectedCandidate:
    """Its patch is what would have been applied."""
    candidate = BugCandidate(
        ground.repo,
        PrMirror.name,
        None,
        rendered(tuple(reverse(file.patch) for file in piece.files)),
        _explanation(piece),
        candidate_id="" if piece.files else content_id(ground.repo, piece.change.name)[:16],
        original_text=piece.change.text,
        **_paid(ask),
    )
    return RejectedCandidate(candidate.identified(), reason, f"{piece.change.name}: {detail}")


def _spread(found: Iterable[Piece], rng: random.Random) -> Iterator[Piece]:
    """All of them, those of each file in random order, files in turn."""
    everything = list(found)
    rng.shuffle(everything)
    files: dict[str, list[Piece]] = {}
    for each in everything:
        path = each.files[0].paths[0] if each.files else ""
        files.setdefault(path, []).append(each)
    yield from in_turn(map(iter, files.values()))
