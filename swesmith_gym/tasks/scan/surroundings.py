"""What an episode finds around its work tree: names that tell, ways out, channels to others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from swesmith_gym.records import TaskInstance
from swesmith_gym.tasks.scan.findings import Finding

_INDEX = re.compile(r"(?i)^(PIP|UV|POETRY|CONDA)_\w*(INDEX|URL|LINKS|CACHE)\w*$|_PROXY$|TOKEN|SECRET|PASSWORD|API_KEY")
_SHARED_KINDS = re.compile(r" - (ext\d|xfs|btrfs|zfs|9p|virtiofs|nfs\d?|fuse\S*|cifs) ")
_MADE_BY_BACKEND = ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/")
HOST_NAME = "sandbox"


def telling_words(task: TaskInstance) -> tuple[str, ...]:
    """Lower-case words that name the task or the kind of its bug."""
    words = [task.instance_id, task.instance_id.rpartition("__")[2]]
    words += [each for each in (task.operator, task.strategy) if each and (len(each) >= 8 or "_" in each)]
    return tuple(dict.fromkeys(each.lower() for each in words))


def of_names(around: Mapping[str, Any], task: TaskInstance) -> Iterator[Finding]:
    """Words that tell, where the system shows names. Files' own names are searched elsewhere."""
    words = telling_words(task)
    shown = {
        "environment": "\n".join(f"{key}={value}" for key, value in dict(around.get("environment", {})).items()),
        "environment of process 1": str(around.get("first_environment", "")),
        "host name": str(around.get("host_name", "")),
        "command line of process 1": " ".join(map(str, around.get("command_lines", []))),
        "mounts": "\n".join(map(str, around.get("mounts", []))),
        "control groups": "\n".join(map(str, around.get("groups", []))),
    }
    for place, text in shown.items():
        for word in words:
            if word in text.lower():
                yield Finding(task.instance_id, "L16", place, f"holds {word!r}")
    if shown["host name"] != HOST_NAME:
        yield Finding(task.instance_id, "L16", "host name", f"is {shown['host name']!r}")


def of_channels(around: Mapping[str, Any], instance_id: str) -> Iterator[Finding]:
    """Network, index, other processes, shared memory, shared folders."""
    for name in around.get("interfaces", []):
        if name != "lo":
            yield Finding(instance_id, "L08", "network", f"the interface {name}")
    for address in around.get("reached", []):
        yield Finding(instance_id, "L08", "network", f"{address} answers")
    for name in dict(around.get("environment", {})):
        if _INDEX.search(name):
            yield Finding(instance_id, "L08", "environment", f"the variable {name}")
    for line in around.get("processes", []):
        yield Finding(instance_id, "L18", "processes", f"another process: {str(line)[:120]}")
    for line in around.get("channels", []):
        yield Finding(instance_id, "L18", "channels", str(line)[:120])
    for line in around.get("keys", []):
        if re.search(r" (user|logon|big_key) ", str(line)):
            yield Finding(instance_id, "L18", "keys", str(line)[:120])
    for line in map(str, around.get("mounts", [])):
        fields = line.split(" ")
        writable = len(fields) > 5 and "rw" in fields[5].split(",")
        if writable and _SHARED_KINDS.search(line) and fields[4] not in _MADE_BY_BACKEND:
            yield Finding(instance_id, "L18", fields[4], "a folder of the host that can be written")
