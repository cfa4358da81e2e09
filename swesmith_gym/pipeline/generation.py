"""The job behind `bugs generate`: a built repository in, a candidates file out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from swesmith_gym.bugs.generate import generate
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
    operators: Sequence[str] | None = None,
    limit: int | None = None,
    seed: int = 0,
    rejected: Path | None = None,
) -> dict[str, Any]:
    """Write the candidates of all strategies to `out`; `limit` holds for each. Returns counts.

    What a strategy leaves out (no-ops, duplicates) is counted by reason, and kept in `rejected` if given.
    Raises: InputError, ProfileError, OSError.
    """
    testbed = built(repo, backend)
    source = trees.contents(testbed.pristine)
    kept: list[BugCandidate] = []
    left_out: list[RejectedCandidate] = []
    for strategy in strategies:
        for each in generate(
            strategy,
            source,
            testbed.language,
            repo=repo,
            allowed=lambda path: not testbed.on_surface(path),
            operators=operators,
            limit=limit,
            seed=seed,
        ):
            if isinstance(each, RejectedCandidate):
                left_out.append(each)
            else:
                kept.append(each)
    files.write(out, kept)
    if rejected:
        files.write_rejected(rejected, left_out)
    reasons = Counter(each.reason for each in left_out)
    return {"candidates": len(kept), "rejected": dict(reasons.most_common()), "out": str(out)}
