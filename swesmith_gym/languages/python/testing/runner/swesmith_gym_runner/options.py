"""The repository's own `addopts`, less what would change or break a measured run."""

from __future__ import annotations

import os
import shlex
from typing import Any, Iterable, Iterator  # noqa: UP035  (3.8 cannot subscript those of collections.abc)

CONFIG_NAMES = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")

FLAGS = frozenset(
    """
    -x --exitfirst -s --lf --last-failed --ff --failed-first --nf --new-first --sw --stepwise --sw-skip --sw-reset
    --stepwise-skip --stepwise-reset --cache-clear --pdb --trace --co --collect-only --collectonly --strict-config
    --strict --doctest-modules --looponfail --no-cov --no-cov-on-fail --cov-append --cov-branch --cov-reset
    --forked --boxed --full-trace --fulltrace
    """.split()  # noqa: SIM905
)
"""Options without a value that are always taken out.

`--doctest-modules` is among them since such a doctest lives in the file that it tests: whoever edits the code could
edit the test. `--strict-config` since plug-ins that are not loaded leave their settings behind."""

VALUED = frozenset(
    """
    -n --numprocesses --maxprocesses --dist --tx --maxfail --durations --durations-min --cov --cov-report
    --cov-config --cov-fail-under --cov-context --junitxml --junit-xml --junitprefix --junit-prefix --html --capture
    --lfnf --last-failed-no-failures --pastebin --reruns --reruns-delay --randomly-seed --random-order-bucket --color
    --rootdir --basetemp --log-file --report-log --result-log --tb
    """.split()  # noqa: SIM905
)
"""Options with a value, in the next word or after `=`, that are always taken out."""


def config_addopts(root: str, paths: Iterable[str]) -> list[str] | None:
    """`addopts` of the configuration that pytest would choose, as words; None: there is none to change."""
    from pathlib import Path

    from _pytest.config.findpaths import load_config_dict_from_file  # its own parser: three formats, many quirks

    for folder in _folders(root, [os.path.join(root, path.split("::")[0]) for path in paths]):
        for name in CONFIG_NAMES:
            path = os.path.join(folder, name)
            if not os.path.isfile(path):
                continue
            values = load_config_dict_from_file(Path(path))
            if values is not None:
                return _words(values.get("addopts"))
    return None


def _folders(root: str, paths: list[str]) -> Iterator[str]:
    start = os.path.commonpath(paths) if paths else root
    if not os.path.isdir(start):
        start = os.path.dirname(start)
    while start.startswith(root) and start != root:
        yield start
        start = os.path.dirname(start)
    yield root


def _words(value: Any) -> list[str] | None:
    value = getattr(value, "value", value)
    if value is None:
        return None
    return shlex.split(value) if isinstance(value, str) else [str(word) for word in value]


def without(words: list[str], ignored: Iterable[str]) -> list[str]:
    """`words` less the options that are always taken out and those in `ignored` (with their values)."""
    kept: list[str] = []
    flags, valued, exact = _rules(ignored)
    position = 0
    while position < len(words):
        word = words[position]
        name = word.split("=", 1)[0]
        position += 1
        if word in exact or name in flags:
            continue
        if name in valued:
            follows = position < len(words) and not words[position].startswith("-")
            position += 1 if "=" not in word and follows else 0
        elif any(len(option) == 2 and word.startswith(option) for option in valued):
            continue
        else:
            kept.append(_short_flags(word, flags))
    return [word for word in kept if word]


def _rules(ignored: Iterable[str]) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    extra = frozenset(ignored)
    unknown = {word for word in extra if word.startswith("-") and "=" not in word} - FLAGS
    return FLAGS, VALUED | unknown, extra - unknown


def _short_flags(word: str, flags: frozenset[str]) -> str:
    """`-xvs` less the letters that are flags to take out; every other word as it is."""
    letters = word[1:]
    if word.startswith("--") or not word.startswith("-") or not letters or not set(letters) <= set("xsvqlh"):
        return word
    left = "".join(letter for letter in letters if f"-{letter}" not in flags)
    return f"-{left}" if left else ""
