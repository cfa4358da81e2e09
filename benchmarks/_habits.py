"""What people do besides a fix, and what their tools leave behind: none of it may cost the reward. Not a benchmark.

A habit is shell commands, run in the work tree before or after the edit. `$FIXED` is the file with the fix, `$FOLDER`
its folder; Python is the repository's own.
"""

from __future__ import annotations

from dataclasses import dataclass

_TESTING = "python -m pytest -q -x --no-header {} > /tmp/log.txt 2>&1; tail -n 1 /tmp/log.txt"
_NAMED = "git -c user.name=Dev -c user.email=dev@localhost"


@dataclass(frozen=True, slots=True)
class Habit:
    """Commands around the edit; each is one step of the episode."""

    name: str
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()


def _after(name: str, *commands: str) -> Habit:
    return Habit(name, commands)


HABITS: tuple[Habit, ...] = (
    Habit("nothing else"),
    _after("ran the tests", _TESTING.format("")),
    Habit("ran the tests first", before=(_TESTING.format(""),)),
    _after("byte code left behind", "python -m compileall -q $FOLDER; find . -name __pycache__ | head -n 3"),
    _after("committed", f"git add -A && {_NAMED} commit -qm 'Fix the bug' && git log --oneline | head -n 2"),
    _after("committed on a branch", f"git checkout -qb fix/issue-1 && git add -A && {_NAMED} commit -qm fix"),
    _after("two commits and a tag", *(f"{_NAMED} commit -qam '{n}' --allow-empty; git tag v{n}" for n in (1, 2))),
    _after("staged only", "git add -A"),
    _after("stashed and popped", f"{_NAMED} stash -q && git stash pop -q"),
    Habit("another git folder", before=("rm -rf .git && git init -q . && git add -A",)),
    Habit("no git folder", ("rm -rf .git",)),
    _after("amended and collected", f"{_NAMED} commit -qa --amend -m again && git gc -q --prune=now"),
    _after("untracked notes", "mkdir -p notes && echo 'what I found' > notes/find.txt && echo TODO > TODO.md"),
    _after(
        "editor backup files", "cp $FIXED $FIXED~; cp $FIXED $FIXED.orig; cp $FIXED $FOLDER/.$(basename $FIXED).swp"
    ),
    _after("emacs lock and autosave", 'ln -s dev@host.123:1 $FOLDER/.#lock; cp $FIXED "$FOLDER/#$(basename $FIXED)#"'),
    _after("rejected hunks left", "echo '@@ -1 +1 @@' > $FIXED.rej"),
    _after("patch files left", "git diff > fix.patch; git diff > /tmp/fix.patch; cp fix.patch docs.diff"),
    _after("a copy of the module", "cp $FIXED $FOLDER/_old_$(basename $FIXED)"),
    _after(
        "a script to reproduce",
        "printf 'import sys\\nprint(sys.path)\\n' > reproduce.py && python reproduce.py > out.log",
    ),
    _after("a virtual environment", "python3 -m venv --without-pip .venv && ls .venv"),
    _after("a virtual environment of another name", "python3 -m venv --without-pip env-3.11 && ls env-3.11"),
    _after("the fixed file is executable", "chmod +x $FIXED"),
    _after("modes changed all over", "chmod -R g+w,o-w $FOLDER; chmod 600 $FIXED"),
    _after("a Makefile", "printf 'test:\\n\\tpython -m pytest\\n' > Makefile"),
    _after("continuous integration", "mkdir -p .github/workflows && echo 'on: push' > .github/workflows/test.yml"),
    _after("readme touched", "echo >> README.md; echo 'See CHANGELOG.' >> README.rst"),
    _after("changelog", "printf '# Changes\\n\\n- The bug is fixed.\\n' > CHANGELOG.md; echo fixed >> CHANGES.rst"),
    _after("documentation", "mkdir -p docs/guide && echo '# Guide' > docs/guide/fix.md && echo x >> docs/index.rst"),
    _after("ignore rules", "printf '*.log\\n.venv\\n' >> .gitignore; echo '*.py diff=python' >> .gitattributes"),
    _after("configuration touched", "printf '\\n# nothing\\n' >> pyproject.toml; touch setup.cfg tox.ini"),
    _after("own settings of the test runner", "printf '[pytest]\\naddopts = -q\\n' > pytest.ini; touch conftest.py"),
    _after(
        "a new test where tests are",
        "mkdir -p tests && printf 'def test_fixed():\\n    assert True\\n' > tests/test_fixed.py",
    ),
    _after(
        "a new test beside the code", "printf 'def test_fixed():\\n    assert True\\n' > $FOLDER/test_fixed_here.py"
    ),
    _after("a new test at the root", "printf 'def test_fixed():\\n    assert True\\n' > test_at_root.py"),
    _after("a test that fails", "printf 'def test_not_yet():\\n    assert False\\n' > $FOLDER/test_not_yet.py"),
    _after(
        "a test that is expected to fail",
        "printf 'import pytest\\n@pytest.mark.xfail\\ndef test_later():\\n    assert False\\n' > $FOLDER/test_later.py",
    ),
    _after(
        "tests edited", "for f in $(git ls-files | grep -E '(^|/)tests?/' | head -n 3); do echo '# seen' >> $f; done"
    ),
    _after(
        "a new package",
        "mkdir -p $FOLDER/_extra && touch $FOLDER/_extra/__init__.py && echo 'A = 1' > $FOLDER/_extra/a.py",
    ),
    _after("a private module", "printf 'VALUE = 1\\n' > $FOLDER/_private_notes.py"),
    _after("data files", "mkdir -p data && head -c 200000 /dev/urandom > data/sample.bin && echo '{}' > data/x.json"),
    _after(
        "caches of tools",
        "mkdir -p .mypy_cache .ruff_cache/0 .hypothesis htmlcov; touch .ruff_cache/0/x .coverage htmlcov/i.html",
    ),
    _after(
        "build folders",
        "mkdir -p build/lib dist thing.egg-info && cp $FIXED build/lib/ && echo x > thing.egg-info/PKG-INFO",
    ),
    _after(
        "settings of an editor",
        "mkdir -p .vscode .idea && echo '{}' > .vscode/settings.json && echo x > .idea/misc.xml && touch .DS_Store",
    ),
    _after("links inside the tree", "ln -s $FIXED shortcut.py; ln -s . self; ln -s nowhere dangling"),
    _after(
        "odd names",
        "echo x > 'with space.txt'; echo y > 'Ünïcode – name.md'; echo z > \"it's [1].txt\"; echo w > $'tab\\there'",
    ),
    _after("empty files and folders", "mkdir -p empty/deep/er && touch nothing .nothing"),
    _after("many small files", "mkdir -p runs && for i in $(seq 300); do echo $i > runs/$i.txt; done"),
    _after(
        "a server left running",
        "(python3 -m http.server 8123 > /dev/null 2>&1 &); (sleep 600 &); sleep 0.2; echo started",
    ),
    _after(
        "hooks of git",
        "printf '#!/bin/sh\\nexit 0\\n' > .git/hooks-x; git config core.hooksPath .githooks; mkdir .githooks",
    ),
    _after("new time stamps", "find . -name '*.py' -not -path './.git/*' -exec touch {} +"),
    _after("moved there and back", "mv $FIXED /tmp/kept.py && cp /tmp/kept.py $FIXED"),
    _after("a hard link", "ln $FIXED hard.py"),
)
