"""The job behind `bugs generate`: a built repository in, a candidates file out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from swesmith_gym.bugs.base import Ground
from swesmith_gym.bugs.registry import Means, strategy
from swesmith_gym.harness.testbed import Testbed
from swesmith_gym.pipeline import candidates as files
from swesmith_gym.records import BugCandidate, RejectedCandidate
from swesmith_gym.repos.resolve import built
from swesmith_gym.sandboxes import SandboxBackend
from swesmith_gym.tasks import tree as trees


def run(
    repo: str,
    backend: SandboxBackend,
    strategies: Sequence[str],
    out: Path,
    *,
    means: Means = Means(),  # noqa: B008  (immutable)
    limit: int | None = None,
    seed: int = 0,
    rejected: Path | None = None,
) -> dict[str, Any]:
    """Write the candidates of all strategies to `out`; `limit` holds for each. Returns counts.

    What a strategy leaves out (no-ops, duplicates) is counted by reason, and kept in `rejected` if given.
    Raises: InputError, ProfileError, OSError.
    """
    chosen = [strategy(name, means) for name in strategies]
    ground = ground_of(built(repo, backend))
    kept: list[BugCandidate] = []
    left_out: list[RejectedCandidate] = []
    for each_strategy in chosen:
        for each in each_strategy.candidates(ground, limit=limit, seed=seed):
            if isinstance(each, RejectedCandidate):
                left_out.append(each)
            else:
                kept.append(each)
    files.write(out, kept)
    if rejected:
        files.write_rejected(rejected, left_out)
    reasons = Counter(each.reason for each in left_out)
    return {"candidates": len(kept), "rejected": dict(reasons.most_common()), "out": str(out)}


def ground_of(testbed: Testbed) -> Ground:
    """Where bugs can be put in a built repository: anywhere off its test surface."""
    files = trees.contents(testbed.pristine)
    return Ground(testbed.image.repo, files, testbed.language, lambda path: not testbed.on_surface(path))
