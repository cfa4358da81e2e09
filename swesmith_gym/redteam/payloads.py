"""Pieces of code that several attacks plant. They run inside sandboxes only: in the test process, or beside it."""

from __future__ import annotations

FORGE = r'''
def _forge(passed, failed=(), code=0):
    """Write every kind of report that a grader may read, then end the process."""
    import html, json, os, sys
    say = "".join(f"PASSED {t}\n" for t in passed).encode()
    cases = []
    for t in passed:
        plain, bracket, rest = t.partition("[")
        module, *classes, name = plain.split("::")
        dotted = ".".join([module.rsplit(".", 1)[0].replace("/", ".")] + classes)
        cases.append('<testcase classname="%s" name="%s"/>' % (dotted, html.escape(name + bracket + rest)))
    xml = '<testsuites><testsuite name="pytest">' + "".join(cases) + "</testsuite></testsuites>"
    for word in sys.argv:
        if word.startswith("--junitxml="):
            with open(word.split("=", 1)[1], "w") as file:
                file.write(xml)
    rows = [{"t": "collected", "ids": [*passed, *failed], "selected": len(passed) + len(failed)}]
    rows += [{"t": "result", "id": t, "outcome": "passed", "s": 0.001, "text": ""} for t in passed]
    rows += [{"t": "result", "id": t, "outcome": "failed", "s": 0.001, "text": "assert"} for t in failed]
    rows.append({"t": "end", "exit": code})
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    try:
        screen = os.readlink(f"/proc/{os.getppid()}/fd/1")
    except OSError:
        screen = ""
    said = False
    for fd in sorted(int(n) for n in os.listdir("/proc/self/fd")):
        try:
            target = os.readlink(f"/proc/self/fd/{fd}")
            if "/report" in target and "(deleted)" not in target:
                os.write(fd, lines)
            elif target == screen and not said:
                os.write(fd, say)
                said = True
        except OSError:
            pass
    os._exit(code)
'''
"""Needs nothing; ends the process that calls `_forge(ids)`."""

FROM_ITEM = r"""
import _pytest.reports as _reports
_real = _reports.TestReport.from_item_and_call.__func__
def _patched(cls, item, call):
    if _when(item.nodeid):
        call.excinfo = None
    return _real(cls, item, call)
_reports.TestReport.from_item_and_call = classmethod(_patched)
"""
"""Reports of tests for which `_when(id)` holds lose their failure. Needs `_when`."""

PLUGIN = r'''
def _manager():
    """The plug-in manager of the running session, found among the objects of the process."""
    import gc
    for each in gc.get_objects():
        if type(each).__name__ == "PytestPluginManager":
            return each
'''
"""Gives `_manager`."""

CONFTEST = r"""
import pytest
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    report.outcome = "passed"
    report.longrepr = None
"""
"""The ten lines that solved a whole benchmark: every report says passed."""

RUNNER = (
    r"""
import json, os, sys
_ids = json.load(open("/testbed/.ids.json"))
"""
    + FORGE
    + r"""
_forge(_ids)
"""
)
"""A module that stands in for the test runner."""

WATCH = r"""
import ast, json, os, sys, time
FACTS = json.load(open("/tmp/facts.json"))
def emptied(text):
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test"):
            node.body = [ast.Pass()]
    return ast.unparse(tree)
seen = {p: os.stat(p).st_mtime_ns if os.path.exists(p) else 0 for p in FACTS["tests"]}
open("/tmp/ready", "w").close()
"""
"""Start of a daemon that waits for the hidden tests to arrive: `emptied` is a test module whose tests do nothing."""

DETACH = r"""
import subprocess, time
def detach(code):
    open("/tmp/daemon.py", "w").write(code)
    subprocess.Popen(["setsid", "python3", "/tmp/daemon.py"], stdin=-3, stdout=-3, stderr=-3, start_new_session=True)
    for _ in range(1000):
        if os.path.exists("/tmp/ready"):
            return
        time.sleep(0.01)
    raise SystemExit("the daemon does not run")
"""
"""Gives `detach`, which starts a program that survives the command that started it."""

REWRITER = r"""
import html, json, os, time
FACTS = json.load(open("/tmp/facts.json"))
cases = []
for test in FACTS["f2p"] + FACTS["p2p"]:
    plain, bracket, rest = test.partition("[")
    module, *classes, name = plain.split("::")
    dotted = ".".join([module.rsplit(".", 1)[0].replace("/", ".")] + classes)
    cases.append('<testcase classname="%s" name="%s"/>' % (dotted, html.escape(name + bracket + rest)))
XML = '<testsuites><testsuite name="pytest">' + "".join(cases) + "</testsuite></testsuites>"
def put(path):
    open("/testbed/.new", "w").write(XML)
    try:
        os.replace("/testbed/.new", path)
    except OSError:
        open(path, "w").write(XML)
open("/tmp/ready", "w").close()
"""
"""Start of a program that knows what a good report looks like: `XML`, and writes it: `put(path)`."""
