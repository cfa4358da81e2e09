"""A portable root file system from an image of a Docker daemon: exported as an archive, and kept like any other."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from swesmith_gym.errors import InputError, SandboxDied
from swesmith_gym.sandboxes import roots
from swesmith_gym.sandboxes.docker.engine import Engine, engine, labels
from swesmith_gym.sandboxes.roots import RootFs


def take(reference: str, *, name: str = "") -> RootFs:
    """Pull the image if the daemon does not have it, and keep its files. Nothing of it is run.

    Raises: InputError (no such image, or one without Python), SandboxUnavailable, SandboxDied.
    """
    found = engine()
    if found.find(lambda api: api.inspect_image(reference)) is None:
        _pull(found, reference)
    made = found.ask(lambda api: api.create_container(reference, ["/bin/true"], labels=labels()))["Id"]
    try:
        with tempfile.NamedTemporaryFile(suffix=".tar") as archive:
            for piece in found.ask(lambda api: api.export(made, chunk_size=1 << 20)):
                archive.write(piece)
            archive.flush()
            plain = re.sub(r"[^a-z0-9_.-]+", "-", reference.lower()).strip("-.")
            return roots.take(Path(archive.name), name=name or plain, origin=f"image:{reference}")
    finally:
        found.remove_container(made)


def _pull(found: Engine, reference: str) -> None:
    try:
        found.ask(lambda api: api.pull(*_parts(reference)))
    except SandboxDied as error:
        raise InputError(f"the image {reference!r} is not here and cannot be pulled: {error}") from error


def _parts(reference: str) -> tuple[str, str | None]:
    """Name and tag; a reference without a tag means `latest`, one by digest is whole."""
    if "@" in reference:
        return reference, None
    name, colon, tag = reference.rpartition(":")
    return (name, tag) if colon and "/" not in tag else (reference, "latest")
