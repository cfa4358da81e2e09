"""What is a copy of Python code: the same tokens however they are laid out, or the same byte code.

Runs in two places: on the host, through the language protocol, and as text inside of a sandbox, where copies are looked
for. It therefore imports the standard library only, and works with every Python from 3.8 on.
"""

from __future__ import annotations

import ast
import dis
import hashlib
import importlib.util
import io
import keyword
import marshal
import pickle
import re
import textwrap
from collections.abc import Iterator
from types import CodeType

_COMMENT = re.compile(r"#[^\n]*")
_EXACT = re.compile(r"\w+|[^\w\s\\]")
_LOOSE = re.compile(r"\w+|[-+*/%@&|^~<>=!.\[\]{}:]")
_MAGIC = importlib.util.MAGIC_NUMBER
_HEADER = 16
"""Bytes in front of the code in a byte code file."""
_ANY_MAGIC = b"\r\n"
_LONG = 32
_DEFINED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_DOCSTRING = re.compile(r"""("{3}|'{3})[\s\S]*?\1""")
_INSTRUCTION = re.compile(r"\b\d+ ([A-Z][A-Z_]+)(?: +\d+(?: \((.*)\))?)?")
_NO_TREE = (SyntaxError, ValueError, TypeError, AttributeError, RecursionError, IndexError, KeyError, MemoryError)
_TELLING = 24
"""Instructions of a function that is no other one's by chance. Shorter ones, which keep or hand on what they are given,
are in many modules."""
OPTIMIZED = (0, 1, 2)
"""Levels of `python -O` that byte code may have been made with."""
TREE = "/testbed/"


def tokens(text: str, exact: bool = False) -> list[str]:
    """The code's tokens without layout and comments, line by line: those of two texts are those of their sum.

    Without `exact` also without parentheses, commas and quotes, which formatters change.
    """
    return (_EXACT if exact else _LOOSE).findall(_COMMENT.sub("", text))


def core(text: str) -> list[str]:
    """Tokens of what a function or class does: without its head and without docstrings. Empty: it is not one alone."""
    body = _body(text)
    return tokens(body[1]) if body else []


def shape(text: str) -> list[str]:
    """Tokens of a function without docstrings, its own names (all but those behind a dot) by order of appearance."""
    body = _body(text)
    return _numbered(tokens(body[0] + body[1])) if body else []


def undocumented(text: str) -> list[str]:
    """Tokens of any text without what looks like docstrings."""
    return tokens(_DOCSTRING.sub("", text))


def has_shape(found: list[str], name: str, wanted: list[str]) -> bool:
    """Among these tokens, a function of the name has the shape, whatever its variables are called."""
    starts = (at for at, token in enumerate(found) if token == name and found[at - 1 : at] in (["def"], ["class"]))
    return any(_numbered(found[at - 1 : at - 1 + len(wanted)]) == wanted for at in starts)


def _numbered(run: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    return [
        str(seen.setdefault(token, len(seen)))
        if token.isidentifier() and not keyword.iskeyword(token) and run[at - 1 : at] != ["."]
        else token
        for at, token in enumerate(run)
    ]


def _body(text: str) -> tuple[str, str] | None:
    """(head, body without docstrings) of the one function or class that the text is."""
    text = textwrap.dedent(text)
    tree = _parsed(text)
    if tree is None or len(tree.body) != 1 or not isinstance(tree.body[0], _DEFINED):
        return None
    start, first = tree.body[0].lineno, tree.body[0].body[0].lineno
    lines = [*bare(text, tree), ""]
    return "".join(lines[start - 1 : first - 1]), "".join(lines[first - 1 :])


def bare(text: str, tree: ast.Module) -> list[str]:
    """Its lines, those of docstrings emptied, so that all others stand where they stood."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    for node in ast.walk(tree):
        if isinstance(node, (*_DEFINED, ast.Module)) and ast.get_docstring(node, clean=False) is not None:
            told = node.body[0]
            for at in range(told.lineno - 1, told.end_lineno or told.lineno):
                lines[at] = "\n"
    return lines


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class Originals:
    """Functions and classes that are looked for as byte code, compiled once."""

    def __init__(self, originals: list[tuple[str, str, list[str]]]) -> None:
        """(whose it is, source, names of what is looked for in it; `<module>`: all of it) of each."""
        self._digests: dict[str, list[tuple[str, str]]] = {}
        self._listings: list[tuple[str, str, str]] = []
        self._codes: set[bytes] = set()
        self._around: dict[str, set[str]] = {}
        """Whose -> all functions and classes of the files that the originals are from."""
        self._names = frozenset(name for _, _, names in originals for name in names)
        for owner, source, names in originals:
            for code in _compiled(source):
                for each in _within(code):
                    self._around.setdefault(owner, set()).add(digest_of(each))
                    if each.co_name in names and (each.co_name != "<module>" or names == ["<module>"]):
                        self._add(owner, each)

    def _add(self, owner: str, code: CodeType) -> None:
        self._codes.add(code.co_code)
        for digest in (digest_of(code), *_nameless(code)):
            self._digests.setdefault(digest, []).append((owner, code.co_name))
        self._listings.append((owner, code.co_name, listing(_disassembled(code))))

    def of_byte_code(self, data: bytes) -> tuple[list[tuple[str, str]], bool]:
        """(whose, name) of each that a file of byte code or marshalled code holds, and whether the file was compiled
        from the work tree. Byte code of another interpreter cannot be taken apart: only where it came from is seen.
        """
        if len(data) > _HEADER and data[2:4] == _ANY_MAGIC:
            if data[:4] != _MAGIC:
                return [], TREE.encode() in data[-65536:] + data[:65536]
            data = data[_HEADER:]
        elif not _begins_as_code(data):
            return [], False
        try:
            code = marshal.loads(data)
        except (ValueError, EOFError, TypeError):
            return [], False
        if not isinstance(code, CodeType):
            return [], False
        found: list[tuple[str, str]] = []
        for each in _within(code):
            if each.co_name in self._names or each.co_code in self._codes:
                hits = {
                    hit: None for digest in (digest_of(each), *_nameless(each)) for hit in self._digests.get(digest, [])
                }
                found += [hit for hit in hits if _telling(each) or self._at_home(each, code, hit[0])]
        return found, code.co_filename.startswith(TREE)

    def _at_home(self, code: CodeType, file: CodeType, owner: str) -> bool:
        """Half of the other functions in the file are in the original's file, too, or there are none."""
        own = set(map(id, _within(code)))
        others = [each for each in _within(file) if id(each) not in own and not any(_inner(each))]
        known = sum(digest_of(each) in self._around[owner] for each in others)
        return 2 * known >= len(others)

    def of_listing(self, data: bytes) -> list[tuple[str, str]]:
        """(whose, name) of each that a printed disassembly shows."""
        if b"RETURN_VALUE" not in data:
            return []
        text = listing(data.decode("utf-8", "replace"))
        return [(owner, name) for owner, name, wanted in self._listings if wanted in text]


def _compiled(source: str) -> Iterator[CodeType]:
    """At each level of optimization, with docstrings and without. A text that does not compile: nothing."""
    tree = _parsed(source)
    for text in [source, "".join(bare(source, tree))] if tree else []:
        for level in OPTIMIZED:
            try:
                yield compile(text, "original", "exec", dont_inherit=True, optimize=level)
            except (SyntaxError, ValueError):
                continue


def _begins_as_code(data: bytes) -> bool:
    """Marshalled code of few arguments. What is none must not be loaded: it may ask for any amount of memory."""
    return data[:1] in (b"c", b"\xe3") and all(data[at : at + 3] == bytes(3) for at in (2, 6, 10))


def _within(code: CodeType) -> Iterator[CodeType]:
    yield code
    for each in _inner(code):
        yield from _within(each)


def _inner(code: CodeType) -> Iterator[CodeType]:
    return (each for each in code.co_consts if isinstance(each, CodeType))


def digest_of(code: CodeType, *named: object) -> str:
    """Without positions, file names and names of variables; without its own name where other marks are `named`."""
    constants = [digest_of(each) if isinstance(each, CodeType) else _constant(each) for each in code.co_consts]
    parts = (code.co_code, code.co_names, code.co_freevars, code.co_cellvars, constants)
    return hashlib.sha256(repr((named or code.co_name, code.co_argcount, parts)).encode("utf-8", "replace")).hexdigest()


def _telling(code: CodeType) -> bool:
    return sum(1 for part in _within(code) for _ in dis.get_instructions(part)) >= _TELLING


def _nameless(code: CodeType) -> list[str]:
    """By its variables instead, where the code is long enough to be told from others of the kind."""
    return [digest_of(code, *code.co_varnames)] if len(code.co_code) >= _LONG and len(code.co_varnames) > 1 else []


def _constant(value: object) -> str:
    """Sets have no order of their own."""
    return repr(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)


def _disassembled(code: CodeType) -> str:
    out = io.StringIO()
    dis.dis(code, file=out)
    return out.getvalue()


def listing(text: str) -> str:
    """Instructions and what they name, of a printed disassembly."""
    return "\n".join(f"{name} {named}" for name, named in _INSTRUCTION.findall(text))


def retold(data: bytes) -> Iterator[str]:
    """Source text of the syntax trees that the data holds, pickled or printed."""
    found: object = None
    try:
        if data[:1] == b"\x80" and b"ast" in data[:64]:
            found = _Trees(io.BytesIO(data)).load()
        elif b"FunctionDef(" in data:
            text = data.decode("utf-8", "replace")
            found = _built(ast.parse(text[text.index("Module(") :].strip(), mode="eval").body)
        if isinstance(found, ast.AST):
            yield ast.unparse(found)
    except (pickle.UnpicklingError, EOFError, *_NO_TREE):
        return


class _Trees(pickle.Unpickler):
    """Makes nodes of syntax trees and nothing else."""

    def find_class(self, module: str, name: str) -> object:
        if module not in ("ast", "_ast") or not isinstance(getattr(ast, name, None), type):
            raise pickle.UnpicklingError(name)
        return getattr(ast, name)


def _built(node: ast.expr) -> object:
    """The node that `ast.dump` printed so."""
    if isinstance(node, ast.List):
        return [_built(each) for each in node.elts]
    if not isinstance(node, ast.Call):
        return ast.literal_eval(node)
    kind = getattr(ast, node.func.id if isinstance(node.func, ast.Name) else "")
    if not issubclass(kind, ast.AST):
        raise TypeError(kind)
    made = kind(*map(_built, node.args), **{str(each.arg): _built(each.value) for each in node.keywords})
    return made if hasattr(made, "lineno") else ast.fix_missing_locations(made)
