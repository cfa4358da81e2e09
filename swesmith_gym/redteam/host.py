"""The attacks on the host, and the table of the careless hosts that they hit.

for each in host.ATTACKS: each.hosts        # the careless hosts that it must hit
host.control(attack, prepared)              # play those hosts, inside a sandbox
host.table(controls)                        # Markdown
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from swesmith_gym.redteam import host_files, host_git, host_reach, host_trees
from swesmith_gym.redteam.base import Attack
from swesmith_gym.redteam.host_base import HostAttack
from swesmith_gym.redteam.host_controls import HOSTS, Control, control

__all__ = ["ATTACKS", "HOSTS", "NOT_PLAYED", "Control", "control", "table"]

ATTACKS: tuple[Attack, ...] = (*host_git.ATTACKS, *host_files.ATTACKS, *host_trees.ATTACKS, *host_reach.ATTACKS)
NOT_PLAYED: dict[str, str] = {
    "H08": "the mount race of `docker cp` and the decompressor of its archive need a daemon with that fault; what is "
    "played is the half that needs none, a `tar` of the agent's own (H08-trojan-tar). No file leaves a sandbox by "
    "`docker cp` here",
    "H11": "an escape by a fault of the kernel or of a container's runtime would be an attack on the machine that runs "
    "it, and a defence against one known fault shows nothing about the next",
}
"""Entries of the catalogue, or parts of them, that are not played -> why."""


def table(controls: Sequence[Control]) -> str:
    """A line for each attack: the careless hosts that it hit, and those that it should have hit and did not."""
    found: dict[str, dict[bool, list[str]]] = defaultdict(lambda: {True: [], False: []})
    for each in controls:
        found[each.attack][each.hit].append(each.host)
    lines = ["| attack | what it does | careless hosts that it hits |", "|---|---|---|"]
    for attack in sorted(ATTACKS, key=lambda each: each.id):
        hit, missed = found[attack.id][True], found[attack.id][False]
        cell = ", ".join(dict.fromkeys(hit))
        if missed:
            cell += f" (not: {', '.join(dict.fromkeys(missed))})"
        if not hit and isinstance(attack, HostAttack):
            cell = f"none: {attack.unhit}" if attack.unhit else cell
        lines.append(f"| {attack.id} | {_cell(attack.title)} | {_cell(cell)} |")
    lines += ["", *(f"{threat}: {reason}." for threat, reason in NOT_PLAYED.items())]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
