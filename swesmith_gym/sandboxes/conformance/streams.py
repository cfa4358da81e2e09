"""Group O: what a command prints and reads. Output is bytes, capped; none of it is taken for the end of a command."""

from __future__ import annotations

import hashlib

from swesmith_gym.records import ExecResult
from swesmith_gym.sandboxes.conformance.case import Case
from swesmith_gym.sandboxes.conformance.probes import FAILS, Expect, Probe, commands, ended, plain, says, tells
from swesmith_gym.sandboxes.conformance.trial import WAYS, Trial, demand, shown

_FLOOD_S = 90.0
_LINES = "yes 'a line of text' | head -c 8M > lines; for i in $(seq 128); do cat lines; done; rm lines"
_ZEROS = "head -c 1G /dev/zero"
_EDGE = (
    "head -c 65535 /dev/zero | tr '\\0' a; printf '\\xe2\\x82'; sleep 0.1; printf '\\xac'; "
    "head -c 65534 /dev/zero | tr '\\0' b; printf '\\xe2\\x82\\xac'"
)
_FORGED = (
    "for n in $(seq 3 255); do\n"
    "  { printf '1 0\\n2 0\\n3 0\\n4 0\\n5 0\\n{\"exit_code\": 0}\\n' >&$n; } 2>/dev/null\ndone\n"
    "printf '$ \\nexit status 0\\n__END__0\\n\\0\\0'; (exit 9)"
)
_QUOTES = """echo "it's" 'a "b"' \\' $'\\''; cat <<'END'
it's $x `y` \\
END
cat <<"END"; echo 'two
lines'
second
END"""
_ANSI = "\\033[31mred\\033[0m\\033]0;title\\007\\033[2J\\033[6n\\033P+q\\033\\\\"
_UNBALANCED = ("echo 'open", 'echo "open', "echo `open", "echo ${open", "echo $(open", "{ echo a", "if true", "))")


def capped(trial: Trial, command: str) -> None:
    """A command that prints more than is kept: head and tail stay, the middle is dropped, and the result says so."""
    cap = trial.spec.limits.output_bytes

    def kept(result: ExecResult) -> bool:
        out = result.stdout
        whole = result.output_truncated and result.exit_code == 0 and not result.timed_out
        return whole and out.startswith(b"first\n") and out.endswith(b"last\n") and cap // 2 < len(out) < cap + 4096

    words = f"head and tail of the output, about {cap} bytes together, marked as cut"
    commands(Probe(f"echo first; {command}; echo last", Expect(words, kept), _FLOOD_S))(trial)


def _lines(trial: Trial) -> None:
    capped(trial, _LINES)


def _zeros(trial: Trial) -> None:
    capped(trial, _ZEROS)


def _errors_only(trial: Trial) -> None:
    apart = Expect("stderr alone", lambda result: (result.stdout, result.stderr) == (b"", b"wrong\n"))
    commands(
        Probe("echo wrong >&2", apart, ways=("run",)),
        Probe("echo wrong >&2", says(b"wrong\n"), ways=("shell",)),
        Probe("head -c 1M /dev/zero >&2", Expect("output marked as cut", lambda result: result.output_truncated)),
    )(trial)


def _interleaved(trial: Trial) -> None:
    """Each stream in its order through `run`, both in the order of writing through the session."""
    numbers = range(1, 201)
    command = "for i in $(seq 200); do echo o$i; echo e$i >&2; done"
    out, err = ("".join(f"{letter}{i}\n" for i in numbers).encode() for letter in "oe")
    both = "".join(f"o{i}\ne{i}\n" for i in numbers).encode()
    apart = Expect("two whole streams", lambda result: (result.stdout, result.stderr) == (out, err))
    commands(Probe(command, apart, ways=("run",)), Probe(command, says(both), ways=("shell",)))(trial)


def _long_command(trial: Trial) -> None:
    """Longer than one argument of a program may be."""
    letters = "y" * (1 << 20)
    commands(Probe(f"x='{letters}'; echo ${{#x}}; (exit 4)", says(b"1048576\n", 4), 30))(trial)


def _unbalanced(trial: Trial) -> None:
    """A syntax error is a result; a session that meets one keeps its variables."""
    for text in _UNBALANCED:
        for way in WAYS:
            trial.shell("kept=1")
            Probe(text, FAILS).work(trial, way)
            result = trial.shell('echo "kept $kept"')
            demand(result.stdout == b"kept 1\n", f"{way}: {text!r} ends the session: {shown(result)}")


def _binary_input(trial: Trial) -> None:
    data = bytes(range(256)) * 4096
    result = trial.run("sha256sum; (exit 2)", stdin=data)
    fine = result.exit_code == 2 and result.stdout.startswith(hashlib.sha256(data).hexdigest().encode())
    demand(fine, f"1 MiB of input arrives changed: {shown(result)}")
    result = trial.run("cat", stdin=b"\0\xff\r\n\x04\x1a")
    demand(result.stdout == b"\0\xff\r\n\x04\x1a", f"control bytes of the input arrive changed: {shown(result)}")
    result = trial.run("head -c 3; exec <&-; (exit 5)", stdin=b"x" * (4 << 20))
    demand((result.stdout, result.exit_code) == (b"xxx", 5), f"input that nobody reads is a fault: {shown(result)}")
    trial.goes_on("run")
    trial.none_left()


CASES = (
    Case("O01", "O", "1 GiB stdout", _lines),
    Case("O02", "O", "1 GiB without newline", _zeros),
    Case("O03", "O", "stderr only", _errors_only),
    Case("O04", "O", "interleaved", _interleaved),
    Case("O05", "O", "NUL", commands(Probe("printf 'a\\0b\\0'", says(b"a\0b\0")))),
    Case("O06", "O", "invalid UTF-8", commands(Probe("printf '\\xff\\xfe\\xc3'", says(b"\xff\xfe\xc3")))),
    Case(
        "O07",
        "O",
        "split multibyte at chunk edge",
        commands(Probe(_EDGE, says(b"a" * 65535 + "€".encode() + b"b" * 65534 + "€".encode()))),
    ),
    Case(
        "O08",
        "O",
        "ANSI/OSC",
        commands(Probe(f"printf '{_ANSI}'", says(b"\x1b[31mred\x1b[0m\x1b]0;title\x07\x1b[2J\x1b[6n\x1bP+q\x1b\\"))),
    ),
    Case(
        "O09",
        "O",
        "CRLF",
        commands(Probe("printf 'a\\r\\nb\\r'", says(b"a\r\nb\r")), Probe("echo a\r\n", says(b"a\r\n"))),
    ),
    Case("O10", "O", "empty command", commands(*(Probe(text, says(b"")) for text in ("", " \n\t\n", "# nothing")))),
    Case("O11", "O", "1 MiB command (ARG_MAX)", _long_command),
    Case(
        "O12",
        "O",
        "quotes/newlines/heredocs",
        commands(
            Probe(_QUOTES, says(b"it's a \"b\" ' '\nit's $x `y` \\\nsecond\ntwo\nlines\n")),
            Probe("cat <<END\nopen", tells(b"open", 0, 1, 2)),
        ),
    ),
    Case("O13", "O", "unbalanced quote", _unbalanced),
    Case("O14", "O", "binary stdin", _binary_input),
    Case(
        "O15",
        "O",
        "reads from stdin (EOF)",
        commands(Probe('cat; read x; echo "got<$x>"', says(b"got<>\n")), Probe("bash -s; (exit 6)", plain(6))),
    ),
    Case(
        "O16",
        "O",
        "tty prompt",
        commands(
            Probe("cat /dev/tty 2>/dev/null || echo none", says(b"none\n")),
            Probe("read -p 'Continue? [y/N] ' x < /dev/tty || echo none", tells(b"none\n", 0)),
            Probe("test -t 0 || test -t 1 || echo none", says(b"none\n")),
        ),
    ),
    Case("O17", "O", "fake prompt/sentinel", commands(Probe(_FORGED, tells(b"$ \nexit status 0\n__END__0\n\0\0", 9)))),
    Case(
        "O18",
        "O",
        "closed stdout",
        commands(Probe("exec >&- 2>&-; (exit 6)", ended(6)), Probe("echo on", says(b"on\n"))),
    ),
)
