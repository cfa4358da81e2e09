"""Prompts are data: filled in, replaced by a user's, and refused with file and field where they cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from swesmith_gym.agents import installer
from swesmith_gym.bugs import mirror_lm, templates
from swesmith_gym.errors import InputError
from swesmith_gym.issues import from_lm
from swesmith_gym.lm.prompts import Form, Number, Prompt, Text, Words, filled, read, system_and_user, uses

FORM = system_and_user("diff", "test")
RICH: Form = {
    "kinds": Words(("a", "b")),
    "user": Text(("x", "y"), shows=("x",)),
    "again": Text((), default="No.\n"),
    "heat": Number(0, 2),
}


def write(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "p.toml").write_text(text)
    return folder


def prompt(folder: Path, text: str) -> Prompt:
    return Prompt(**read("p", write(folder, text), None, FORM))


def test_what_is_filled_in_is_not_looked_at(tmp_path: Path) -> None:
    found = prompt(tmp_path, 'system = "Costs $$5."\nuser = "A ${diff}b $test"')
    first, second = found.messages(diff="$test $nobody $", test="x")
    assert first == {"role": "system", "content": "Costs $5."}
    assert second == {"role": "user", "content": "A $test $nobody $b x"}


@pytest.mark.parametrize("text", ['system = ""\nuser = "A"', 'user = "A"', 'system = " \\n"\nuser = "A"'])
def test_an_empty_system_part_is_not_sent(tmp_path: Path, text: str) -> None:
    assert [message["role"] for message in prompt(tmp_path, text).messages()] == ["user"]


def test_texts_are_taken_as_they_stand(tmp_path: Path) -> None:
    assert prompt(tmp_path, 'user = """\n a\n"""').user == " a\n"
    assert filled("$a $$b", a="1") == "1 $b"
    assert uses("$a ${b} $$c") == {"a", "b"}


def test_a_file_of_the_users_comes_before_ours_of_the_same_name(tmp_path: Path) -> None:
    ours, theirs = write(tmp_path / "ours", 'user = "ours"'), tmp_path / "theirs"
    (ours / "q.toml").write_text('user = "other"')
    write(theirs, 'user = "theirs"')
    assert read("p", ours, theirs, FORM)["user"] == "theirs"
    assert read("q", ours, theirs, FORM)["user"] == "other"
    assert read("p", ours, None, FORM)["user"] == "ours"


@pytest.mark.parametrize(
    ("name", "folder", "said"),
    [
        ("p", "elsewhere", "elsewhere: no such folder"),
        ("p", "empty", "empty: holds no prompt"),
        ("q", None, "no prompt 'q'; there are p; add a file q.toml"),
        ("../p", None, r"not a name of a prompt: '\.\./p'"),
        ("", None, "not a name of a prompt"),
    ],
)
def test_what_cannot_be_found_is_said(tmp_path: Path, name: str, folder: str | None, said: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=said):
        read(name, write(tmp_path / "ours", 'user = "x"'), tmp_path / folder if folder else None, FORM)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("system = ", "not TOML"),
        ("x = " + "[" * 5000, "not TOML"),
        ('system = "x"', "the field `user` is missing"),
        ('system = 1\nuser = "x"', "`system` must be text"),
        ("user = 1", "`user` must be text and not empty"),
        ('user = " "', "`user` must be text and not empty"),
        ('user = "x"\nassistant = "y"', "unknown field `assistant`; known are system, user"),
        ('user = "x"\n"a\\nb\\u001b" = "y"', "unknown field `a b⟨ESC⟩`"),
        ('user = "a\\n$difference"', r"`user`, line 2: unknown placeholder \$difference; known are \$diff, \$test"),
        ('user = "${difference}"', r"unknown placeholder \$difference"),
        ('user = """a\n\nb 5$"""', "`user`, line 3: a lone `\\$`; write `\\$\\$`"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        prompt(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'p.toml'}: ")
    assert "\n" not in str(caught.value)


def test_lists_of_words_numbers_and_texts_with_a_default(tmp_path: Path) -> None:
    found = read("p", write(tmp_path, 'user = "$x"'), None, RICH)
    assert found == {"kinds": ("a", "b"), "user": "$x", "again": "No.\n", "heat": None}
    found = read("p", write(tmp_path, 'user = "$x"\nkinds = ["b", "b"]\nagain = "Y"\nheat = 1'), None, RICH)
    assert (found["kinds"], found["again"], found["heat"]) == (("b",), "Y", 1.0)
    for text, said in (
        ('user = "$y"', r"`user` lacks what it is about: put \$x into it"),
        ('user = "$x"\nagain = ""', "`again` must be text and not empty"),
        ('user = "$x"\nagain = "$x"', "known are none"),
        ('user = "$x"\nkinds = []', "`kinds` must be a list of 'a' and 'b'"),
        ('user = "$x"\nkinds = ["c"]', "`kinds` must be a list of 'a' and 'b'"),
        ('user = "$x"\nkinds = "a"', "`kinds` must be a list of 'a' and 'b'"),
        ('user = "$x"\nheat = 2.5', "`heat` must be a number from 0 to 2"),
        ('user = "$x"\nheat = nan', "`heat` must be a number from 0 to 2"),
        ('user = "$x"\nheat = true', "`heat` must be a number from 0 to 2"),
        ('user = "$x"\nkinds = [["a"]]', "`kinds` must be a list of 'a' and 'b'"),
    ):
        with pytest.raises(InputError, match=said):
            read("p", write(tmp_path, text), None, RICH)


def test_text_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_bytes(b'user = "\xff"')
    with pytest.raises(InputError, match=r"p\.toml: not UTF-8"):
        read("p", tmp_path, None, FORM)


@pytest.mark.parametrize(
    ("ours", "placeholders"),
    [(from_lm.prompt(), from_lm.PLACEHOLDERS), (mirror_lm.prompt(), mirror_lm.PLACEHOLDERS)],
    ids=["issue", "pr_mirror"],
)
def test_our_prompts_use_every_placeholder(ours: Prompt, placeholders: tuple[str, ...]) -> None:
    values = {name: f"<{name.upper()}>" for name in placeholders}
    text = "".join(message["content"] for message in ours.messages(**values))
    assert all(value in text for value in values.values())
    assert "$" not in text


def test_every_shipped_prompt_is_in_order() -> None:
    ours = {path.stem for path in templates.OURS.glob("*.toml")}
    for name in ours - {mirror_lm.PROMPT}:
        assert templates.load(name).name == name
    assert installer.load_prompts("python").system.startswith("You set up Python projects.")
