"""Sandboxes that are kept ready: of the right kind, alive, and gone with the pool."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from swesmith_gym.errors import InputError
from swesmith_gym.sandboxes import warm
from swesmith_gym.sandboxes.base import SandboxBackend, SandboxSpec
from swesmith_gym.sandboxes.client import ClientSandbox
from swesmith_gym.sandboxes.pool import WarmPool
from swesmith_gym.sandboxes.registry import backend as by_name

pytestmark = pytest.mark.sandbox


@pytest.fixture
def pooled(backend: SandboxBackend, monkeypatch: pytest.MonkeyPatch) -> SandboxBackend:
    monkeypatch.setenv(warm.VARIABLE, "1")
    return by_name(backend.name)


@pytest.fixture
def pool(pooled: SandboxBackend) -> Iterator[WarmPool[ClientSandbox]]:
    yield warm.renew(pooled.name, 1)
    warm.renew(pooled.name, 1)
    assert not pooled.leftovers()


@pytest.fixture
def spec(pooled: SandboxBackend, tree: Path) -> SandboxSpec:
    return SandboxSpec(tree=tree, root_fs=pooled.root_fs(), env={"POOL": "yes"})


def ready(pool: WarmPool[ClientSandbox]) -> list[ClientSandbox]:
    assert pool.settle(60)
    return [one for kind in pool._ready.values() for one in kind]


def use(backend: SandboxBackend, spec: SandboxSpec) -> ClientSandbox:
    """Starts and closes one."""
    with backend.start(spec) as sandbox:
        assert isinstance(sandbox, ClientSandbox)
        assert sandbox.run("echo $POOL; cat pkg/code.py; echo y > pkg/code.py").stdout == b"yes\nx = 1\n"
    return sandbox


def test_the_pool_hands_over_what_it_kept(
    pooled: SandboxBackend, spec: SandboxSpec, pool: WarmPool[ClientSandbox]
) -> None:
    use(pooled, spec)
    assert not ready(pool)  # asked for once
    use(pooled, spec)
    (kept,) = ready(pool)
    assert use(pooled, spec) is kept
    (kept,) = ready(pool)
    kept._peer.kill()
    assert use(pooled, spec) is not kept


def test_another_spec_gets_another_sandbox(
    pooled: SandboxBackend, spec: SandboxSpec, pool: WarmPool[ClientSandbox]
) -> None:
    for _ in range(2):
        use(pooled, spec)
    (kept,) = ready(pool)
    for other in (
        replace(spec, limits=replace(spec.limits, tmp_bytes=1 << 20)),
        replace(spec, env={"POOL": "yes", "MORE": "1"}),
    ):
        assert use(pooled, other) is not kept
    assert ready(pool) == [kept]


def test_a_restored_and_a_forked_one_come_from_the_pool_too(
    pooled: SandboxBackend, spec: SandboxSpec, pool: WarmPool[ClientSandbox]
) -> None:
    for _ in range(2):
        use(pooled, spec)
    (kept,) = ready(pool)
    with pooled.start(spec) as sandbox:
        assert sandbox is kept
        sandbox.run("echo changed > pkg/code.py")
        (second,) = ready(pool)
        with sandbox.fork() as twin:
            assert twin is second
            assert twin.read_file("pkg/code.py") == b"changed\n"


def test_another_tree_at_the_same_place_is_not_mistaken(
    pooled: SandboxBackend, spec: SandboxSpec, pool: WarmPool[ClientSandbox], tree: Path
) -> None:
    for _ in range(2):
        use(pooled, spec)
    ready(pool)
    tree.rename(tree.with_name("old"))
    (tree / "pkg").mkdir(parents=True)
    (tree / "pkg" / "code.py").write_text("x = 2\n")
    pooled.own(tree)
    with pooled.start(spec) as sandbox:
        assert sandbox.read_file("pkg/code.py") == b"x = 2\n"


def test_a_number_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(warm.VARIABLE, "-1")
    with pytest.raises(InputError, match="SWESMITH_GYM_WARM_SANDBOXES is '-1': it must be a whole number"):
        by_name("bubblewrap")
