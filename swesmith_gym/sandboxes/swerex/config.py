"""Which deployment: `$SWESMITH_GYM_SWEREX`, a JSON object for SWE-ReX's own configuration classes.

    {"type": "docker", "image": "python:3.11"}
    {"type": "remote", "host": "http://127.0.0.1", "port": 8000, "auth_token": "SECRET"}
    {"type": "modal", "image": "python:3.11"}    {"type": "fargate", ...}    {"type": "local"}

Beside the fields of the class there are two of our own:

    "isolates": true   you vouch for it: code there reaches no network, and no process of anybody else. Grading asks for
                       it. What can be seen to be otherwise is refused: a server that does not run as root, so that
                       commands have the rights of what watches them, and one whose token stands among its arguments.
    "python": "PATH"   what runs our program there, 3.8 or newer; `python3` else
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from swesmith_gym.errors import InputError, SandboxUnavailable
from swesmith_gym.sandboxes import rootfs
from swesmith_gym.sandboxes.base import Limits

VARIABLE = "SWESMITH_GYM_SWEREX"
EXAMPLE = f"""export {VARIABLE}='{{"type": "docker", "image": "python:3.11"}}'"""
ALONE_USER = 1000
SHARED_USER = 64741
"""In a place that others use as well, 1000 may be a person; this one is nobody else's, other backends' included."""
SLACK = 32
"""Processes of a container beside those of commands: the server, the keeper, process 1, calls."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is true of a type of deployment."""

    alone: bool
    """Each sandbox gets a deployment of its own, which ends with it; else all share one place."""
    own_host: bool = False
    """Its file system is that of this host."""
    limited: bool = False
    """We say how much memory and how many processes it may have."""
    own_kernel: bool = False
    """A user's processes are counted for one sandbox only, whatever the user's number."""

    @property
    def user(self) -> int:
        """Number of the user that commands run as, where the server runs as root."""
        return ALONE_USER if self.alone else SHARED_USER

    @property
    def counted(self) -> bool:
        """The kernel can count the processes of that user: they are the sandbox's."""
        return self.own_kernel or not self.alone


KINDS = {
    "local": Kind(alone=False, own_host=True),
    "remote": Kind(alone=False),
    "docker": Kind(alone=True, limited=True),
    "modal": Kind(alone=True, own_kernel=True),
    "fargate": Kind(alone=True, own_kernel=True),
}


@dataclass(frozen=True, slots=True)
class Config:
    """What the variable says."""

    type: str
    fields: Mapping[str, Any]
    """For SWE-ReX's class."""
    isolates: bool = False
    python: str = "python3"

    @property
    def kind(self) -> Kind:
        return KINDS[self.type]

    def deployment(self, limits: Limits) -> Any:
        """A deployment that has not been started. Raises: InputError, SandboxUnavailable."""
        fields = dict(self.fields)
        if self.kind.limited:
            fields["docker_args"] = [*_docker_limits(limits), *fields.get("docker_args", [])]
        try:
            return _checked(self.type, fields).get_deployment()
        except ImportError as error:
            raise _not_installed(self.type, error) from None


def load() -> Config:
    """Raises: SandboxUnavailable (not set), InputError (malformed)."""
    text = os.environ.get(VARIABLE, "")
    if not text.strip():
        raise SandboxUnavailable(f"no SWE-ReX deployment is named: set ${VARIABLE}", fix=EXAMPLE)
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InputError(f"${VARIABLE} is no JSON ({error}); an example: {EXAMPLE}") from None
    if not isinstance(found, dict) or found.get("type") not in KINDS:
        raise InputError(f'${VARIABLE} has to be an object with "type": one of {", ".join(KINDS)}; e.g. {EXAMPLE}')
    isolates, python = found.pop("isolates", False), found.pop("python", "python3")
    if not isinstance(isolates, bool) or not isinstance(python, str):
        raise InputError(f'${VARIABLE}: "isolates" has to be true or false, "python" a path')
    return Config(found.pop("type"), found, isolates, python)


def check(config: Config) -> None:
    """Raises: InputError (SWE-ReX does not take the fields), SandboxUnavailable (it is not installed)."""
    try:
        _checked(config.type, dict(config.fields))
    except ImportError as error:
        raise _not_installed(config.type, error) from None


def _checked(kind: str, fields: dict[str, Any]) -> Any:
    """Raises: InputError, ImportError."""
    os.environ.setdefault("SWE_REX_LOG_STREAM_LEVEL", "100")  # it writes every call to the terminal else
    from pydantic import ValidationError
    from swerex.deployment.config import DeploymentConfig

    (found,) = (each for each in get_args(DeploymentConfig) if _type_of(each) == kind)
    try:
        return found(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, ("type " + kind, *first["loc"])))
        raise InputError(f"${VARIABLE}, {where}: {first['msg']}") from None


def _type_of(config: Any) -> str:
    field = config.model_fields.get("type")
    return str(field.default) if field else ""


def _not_installed(kind: str, error: ImportError) -> SandboxUnavailable:
    extra = f"'swe-rex[{kind}]'" if kind in ("modal", "fargate") else "swe-rex"
    return SandboxUnavailable(f"SWE-ReX's {kind} deployment needs {error.name}", fix=f"pip install {extra} aiohttp")


def _docker_limits(limits: Limits) -> list[str]:
    """Before what the user says, which counts where the two differ."""
    memory = str(limits.memory_bytes)
    words = ["--pids-limit", str(limits.processes + SLACK), "--memory", memory, "--memory-swap", memory]
    return [*words, "--hostname", rootfs.HOST_NAME, "--security-opt", "no-new-privileges"]
