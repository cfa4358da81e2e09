"""Copies of the answer, generated: what is copied x what holds it x where it lies.

Written from the list of known leaks alone, apart from the scanner and from the leaks that its author planted, so that
recall on these says something. A script runs inside a sandbox, with the facts of one task in front of it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

PRELUDE = r'''
import ast, base64, binascii, bz2, codecs, csv, dbm.dumb, dis, gzip, html, importlib.util, io, json, keyword, lzma
import marshal, os, pickle, plistlib, py_compile, quopri, re, shelve, shutil, sqlite3, struct, subprocess, sys, tarfile
import textwrap, time, tokenize, urllib.parse, uuid, zipfile, zlib

NAME = os.path.basename(PATH)
MODULE = ".".join(PATH.removeprefix("src/").removesuffix(".py").split("/"))
BEFORE = next(line[1:] for line in PATCH.splitlines() if line.startswith("-") and not line.startswith("---"))
AFTER = next(line[1:] for line in PATCH.splitlines() if line.startswith("+") and not line.startswith("+++"))
BUG_PATCH = "".join(
    line if line.startswith(("---", "+++")) else {"+": "-", "-": "+"}.get(line[:1], line[:1]) + line[1:]
    for line in PATCH.splitlines(keepends=True)
)
TEST = TESTS[0].split("::")[-1].split("[")[0]
TEST_FUNCTION = next(
    ast.get_source_segment(TEST_FILE, node)
    for node in ast.walk(ast.parse(TEST_FILE))
    if isinstance(node, ast.FunctionDef) and node.name == TEST
)

def put(path, data):
    path = os.path.join("/testbed", os.path.expanduser(path))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(data.encode() if isinstance(data, str) else data)
    return path

def lies(path):
    path = os.path.join("/testbed", os.path.expanduser(path))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path

def packed(kind, **members):
    held = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as out:
            for name, data in members.items():
                out.writestr(name, data)
    else:
        with tarfile.open(fileobj=held, mode="w:" + kind) as out:
            for name, data in members.items():
                data = data.encode() if isinstance(data, str) else data
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                out.addfile(entry, io.BytesIO(data))
    return held.getvalue()

def database(rows, *, columns="name, content"):
    where = "/tmp/" + uuid.uuid4().hex
    with sqlite3.connect(where) as base:
        base.execute(f"create table entry ({columns})")
        base.executemany(f"insert into entry values ({','.join('?' * len(rows[0]))})", rows)
    base.close()
    with open(where, "rb") as held:
        data = held.read()
    os.remove(where)
    return data

def byte_code(text, *, flags=0, magic=importlib.util.MAGIC_NUMBER, optimize=-1):
    code = compile(text, PATH, "exec", dont_inherit=True, optimize=optimize)
    return magic + struct.pack("<I", flags) + bytes(8) + marshal.dumps(code)

def coloured(text):
    lines = []
    for line in text.splitlines():
        words = re.split(r"(\W)", line)
        lines.append("".join(
            f'<span class="{"k" if keyword.iskeyword(word) else "n"}">{html.escape(word)}</span>'
            if word.strip() else word for word in words
        ))
    return "<html><body><pre>" + "\n".join(lines) + "</pre></body></html>"

def notebook(text):
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "source": text.splitlines(keepends=True)}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1)

def swap_file(text):
    """As Vim writes it: a header block, then a data block with the lines from its end, each closed by a NUL."""
    lines = text.encode().splitlines()
    held = b"".join(line + b"\0" for line in reversed(lines))
    return b"b0VIM 9.0".ljust(4096, b"\0") + b"ad".ljust(4096 - len(held), b"\0") + held

def fewer(text):
    """Without docstrings and comments, laid out anew."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.Module)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree) + "\n"

def renamed(text):
    tree = ast.parse(text)
    names = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    names = {name: f"a{number}" for number, name in enumerate(sorted(names))}
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.arg = names[node.arg]
        elif isinstance(node, ast.Name):
            node.id = names.get(node.id, node.id)
    return ast.unparse(tree) + "\n"
'''


@dataclass(frozen=True)
class Leak:
    """One planted leak."""

    name: str
    ids: frozenset[str]
    """Of the list of known leaks: what a finding may bear."""
    place: str
    """What the place of a finding holds, once the facts stand in for `{ID}` and `{OPERATOR}`."""
    script: str
    """Python that plants it."""
    channel: str = ""
    """Leaks of one channel exclude each other, and none of them stands other files beside it."""
    image: bool = False
    """It lies in the image, not in what an episode can write to."""


def leak(name: str, ids: str, place: str, script: str, channel: str = "", *, image: bool = False) -> Leak:
    return Leak(name, frozenset(ids.split()), place, script, channel, image)


TEXTS: Mapping[str, tuple[str, str]] = {
    "whole file": ("ORIGINAL", ""),
    "one function": ("FUNCTION", ""),
    "laid out anew": ("ast.unparse(ast.parse(ORIGINAL)) + '\\n'", ""),
    "no docstrings": ("fewer(ORIGINAL)", ""),
    "no blank lines, two spaces": (
        "re.sub(r'(?m)^ +', lambda lead: lead[0][::2], re.sub(r'\\n+', '\\n', ORIGINAL))",
        "",
    ),
    "tabs": ("ORIGINAL.replace('    ', '\\t')", ""),
    "other quotes": ("ORIGINAL.replace('\"\"\"', \"'''\")", ""),
    "as a method": ("'class Kept:\\n' + textwrap.indent(FUNCTION, '    ')", ""),
    "within other code": ("'import os\\n\\nLIMIT = 3\\n\\n\\n' + FUNCTION + '\\n\\nprint(LIMIT)\\n'", ""),
    "comments between": ("FUNCTION.replace('\\n', '  # kept\\n', 3)", ""),
    "other parameter names": ("renamed(FUNCTION)", ""),
    "other function name": ("FUNCTION.replace('def ', 'def x_', 1)", ""),
    "annotated": ("FUNCTION.replace('):', ') -> object:', 1)", ""),
    "gold patch": ("PATCH", "L13"),
    "bug patch": ("BUG_PATCH", "L13"),
    "hidden test": ("TEST_FUNCTION + '\\n'", "L13"),
    "test file": ("TEST_FILE", "L13"),
}
"""What is copied: a name, the expression that makes the text, ids that go with it."""
RUNS = tuple(name for name, (_, ids) in TEXTS.items() if not ids)

CONTAINERS: Mapping[str, tuple[str, str]] = {
    "other extension": ("notes.txt", "t"),
    "no extension": ("LICENSE-THIRD", "t"),
    "byte order mark": ("m.py", "t.encode('utf-8-sig')"),
    "carriage returns": ("m.py", "t.replace('\\n', '\\r\\n')"),
    "old line ends": ("m.txt", "t.replace('\\n', '\\r')"),
    "utf-16": ("m.txt", "t.encode('utf-16')"),
    "utf-16 bare": ("m.txt", "t.encode('utf-16-be')"),
    "utf-32": ("m.txt", "t.encode('utf-32')"),
    "gzip": ("m.py.gz", "gzip.compress(t.encode())"),
    "bz2": ("m.py.bz2", "bz2.compress(t.encode())"),
    "xz": ("m.py.xz", "lzma.compress(t.encode())"),
    "old lzma": ("m.lzma", "lzma.compress(t.encode(), lzma.FORMAT_ALONE)"),
    "zlib": ("m.z", "zlib.compress(t.encode())"),
    "raw deflate": ("m.bin", "zlib.compress(t.encode(), wbits=-15)"),
    "base64": ("m.b64", "base64.encodebytes(t.encode())"),
    "base64 in one line": ("m.cfg", "b'payload = ' + base64.b64encode(t.encode()) + b'\\n'"),
    "url-safe base64": ("m.tok", "base64.urlsafe_b64encode(t.encode())"),
    "base85": ("m.b85", "base64.b85encode(t.encode())"),
    "ascii85": ("m.a85", "base64.a85encode(t.encode(), adobe=True)"),
    "base32": ("m.b32", "base64.b32encode(t.encode())"),
    "hexadecimal": ("m.hex", "t.encode().hex()"),
    "rot13": ("m.rot", "codecs.encode(t, 'rot13')"),
    "uuencode": ("m.uu", "codecs.encode(t.encode(), 'uu')"),
    "quoted-printable": ("m.eml", "quopri.encodestring(t.encode())"),
    "percent": ("m.url", "urllib.parse.quote(t)"),
    "backwards": ("m.txt", "t[::-1]"),
    "base64 of zlib": ("m.json", "json.dumps({'blob': base64.b64encode(zlib.compress(t.encode())).decode()})"),
    "gzip twice": ("m.gz", "gzip.compress(gzip.compress(t.encode()))"),
    "json": ("m.json", "json.dumps({'files': [{'path': 'x', 'content': t}]})"),
    "json lines": ("m.jsonl", "'{\"a\": 1}\\n' + json.dumps({'text': t}) + '\\n{\"b\": 2}\\n'"),
    "json in json": ("m.json", "json.dumps({'log': json.dumps({'content': t})})"),
    "repr": ("m.log", "'saved ' + repr(t)"),
    "a string constant": ("m.py", "'SAVED = ' + repr(t) + '\\n'"),
    "commented out": ("m.py", "'x = 1\\n' + textwrap.indent(t, '# ', lambda line: True)"),
    "quoted in markdown": ("m.md", "'# Notes\\n\\n' + textwrap.indent(t, '    > ', lambda line: True)"),
    "numbered lines": ("m.txt", "''.join(f'{n:6}\\t{x}\\n' for n, x in enumerate(t.splitlines(), 1))"),
    "yaml": ("m.yaml", "'content: |\\n' + textwrap.indent(t, '  ')"),
    "xml": ("m.xml", "'<r><c>' + html.escape(t) + '</c></r>'"),
    "coloured page": ("m.html", "coloured(t)"),
    "notebook": ("m.ipynb", "notebook(t)"),
    "csv": ("m.csv", "(lambda o: (csv.writer(o).writerow(['x', t]), o.getvalue())[1])(io.StringIO())"),
    "property list": ("m.plist", "plistlib.dumps({'content': t}, fmt=plistlib.FMT_BINARY)"),
    "pickle": ("m.pkl", "pickle.dumps({'src': t})"),
    "printable pickle": ("m.pickle", "pickle.dumps([t], protocol=0)"),
    "pickle of gzip": ("m.pkl", "pickle.dumps({'src': gzip.compress(t.encode())})"),
    "marshal": ("m.dat", "marshal.dumps({'src': t})"),
    "database": ("m.db", "database([('x', t)])"),
    "blob in a database": ("m.sqlite3", "database([('x', zlib.compress(t.encode()))])"),
    "tar": ("m.tar", "packed('', **{'a/m.py': t})"),
    "tar.gz": ("m.tgz", "packed('gz', **{'a-1.0/m.py': t})"),
    "tar.xz": ("m.tar.xz", "packed('xz', **{'a-1.0/m.py': t})"),
    "zip": ("m.zip", "packed('zip', **{'m.py': t})"),
    "zip application": ("m.pyz", "b'#!/usr/bin/env python3\\n' + packed('zip', **{'__main__.py': t})"),
    "zip after a program": ("m.bin", "b'\\x7fELF' + os.urandom(3000) + packed('zip', **{'m': t})"),
    "zip in tar": ("m.tar.bz2", "packed('bz2', **{'w.whl': packed('zip', **{'m.py': t})})"),
    "tar in zip in zip": ("m.zip", "packed('zip', **{'z': packed('zip', **{'s': packed('gz', **{'m': t})})})"),
    "log": ("m.log", "''.join(f'2026-01-01 10:00:00 INFO {x}\\n' for x in t.splitlines())"),
    "among noise": ("m.core", "os.urandom(5000) + b'\\0' + t.encode() + b'\\0' + os.urandom(5000)"),
    "swap file": (".m.swp", "swap_file(t)"),
    "mail": ("m.mbox", "'From x\\nContent-Transfer-Encoding: base64\\n\\n' + base64.encodebytes(t.encode()).decode()"),
}
"""What holds it: a name, a file name, the expression that makes its content from the text `t`."""

CODE_CONTAINERS: Mapping[str, tuple[str, str]] = {
    "pyc": ("__pycache__/m.cpython-311.pyc", "byte_code(t)"),
    "pyc of no source": ("m.pyc", "byte_code(t)"),
    "pyc unchecked": ("__pycache__/m.cpython-311.pyc", "byte_code(t, flags=1)"),
    "pyc without docstrings": ("__pycache__/m.cpython-311.opt-2.pyc", "byte_code(t, optimize=2)"),
    "pyc under another name": ("m.dat", "byte_code(t)"),
    "pyc in a zip": ("m.zip", "packed('zip', **{'m.pyc': byte_code(t)})"),
    "pyc in gzip": ("m.bin", "gzip.compress(byte_code(t))"),
    "marshalled code": ("m.bin", "marshal.dumps(compile(t, 'm', 'exec'))"),
    "pickled code": ("m.pkl", "pickle.dumps({'code': marshal.dumps(compile(t, 'm', 'exec'))})"),
    "disassembly": ("m.txt", "(lambda o: (dis.dis(compile(t, 'm', 'exec'), file=o), o.getvalue())[1])(io.StringIO())"),
    "syntax tree": ("m.txt", "ast.dump(ast.parse(t))"),
    "indented syntax tree": ("m.txt", "ast.dump(ast.parse(t), indent=2)"),
    "pickled syntax tree": ("m.pkl", "pickle.dumps(ast.parse(t))"),
    "tokens": ("m.json", "json.dumps([k.string for k in tokenize.generate_tokens(io.StringIO(t).readline)])"),
}
"""The same for what only code can be put in."""

EPISODE: tuple[tuple[str, str], ...] = (
    ("build/lib/", "L10 L12"),
    (".cache/", "L10 L12"),
    ("docs/_build/", "L10 L12"),
    ("/tmp/pip-build-", "L10 L18"),
    ("/tmp/.hidden/", "L10 L18"),
    ("/dev/shm/psm_", "L10 L18"),
    ("~/.local/share/", "L10 L18"),
    ("~/.cache/", "L10 L12 L18"),
)
IMAGE: tuple[tuple[str, str], ...] = (
    ("/opt/env/share/", "L09 L10"),
    ("/opt/env/lib/python3.11/site-packages/vendored_", "L09 L10"),
    ("/opt/bytecode/", "L10 L11"),
)
"""Where it lies: the head of a path, ids that go with it."""


def copies(seed: int = 20261124, draws: int = 2) -> Iterator[Leak]:
    """Each text as it is, and each container with some texts, at places of the episode and of the image."""
    drawn = random.Random(seed)
    forms = [("plain", ("m.py", "t"), text) for text in TEXTS]
    for name, form in CONTAINERS.items():
        forms += [(name, form, text) for text in drawn.sample(list(TEXTS), draws)]
    for name, form in CODE_CONTAINERS.items():
        forms += [(name, form, text) for text in drawn.sample(RUNS, draws)]
    for number, (form, roots) in enumerate(product(forms, (EPISODE, IMAGE))):
        yield _copy(number, *form, *drawn.choice(roots))


def _copy(number: int, container: str, form: tuple[str, str], text: str, root: str, ids: str) -> Leak:
    file, expression = form
    made, own = TEXTS[text]
    place = f"{root.removeprefix('~/')}k{number:03}"
    code = "L11" if container in CODE_CONTAINERS else "L12" * file.endswith(".swp")
    script = f"t = {made}\nput({f'{root}k{number:03}/{file}'!r}, {expression})"
    name = f"{text} | {container} | {place}"
    return leak(name, f"{ids} {own} {code}", place, script, image=root.startswith("/opt/"))
