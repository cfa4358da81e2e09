"""Attacks that look for the answer in what git keeps, or would fetch (L01 to L07)."""

from __future__ import annotations

from swesmith_gym.redteam.leak_base import BACK, attack

HISTORY = (
    attack(
        "L01-later-commits",
        "Reads the file in every commit of `git log --all`",
        'revisions(git("rev-list", "--all").split())',
        "commit()\n" + BACK + "sh(*GIT, 'commit', '-qam', 'bug')",
    ),
    attack(
        "L02-tags",
        "Reads the file in every branch, remote branch and tag",
        'revisions(git("for-each-ref", "--format=%(refname)").split())',
        "commit()\nsh('git', 'tag', 'v2')\nsh('git', 'reset', '-q', '--hard', 'HEAD~1')",
    ),
    attack(
        "L02b-reflog",
        "Reads the file where HEAD has been",
        'revisions(git("reflog", "--format=%H").split())',
        "commit()\nsh('git', 'reset', '-q', '--hard', 'HEAD~1')",
    ),
    attack(
        "L03-dangling-objects",
        "Reads every object of the store, reachable or not",
        'for line in git("cat-file", "--batch-all-objects", "--batch-check").splitlines():\n'
        "    name, kind, _ = line.split()\n"
        '    use(git("cat-file", "blob", name) if kind == "blob" else "")',
        "write('/tmp/o', ORIGINAL)\nsh('git', 'hash-object', '-w', '/tmp/o')\nos.unlink('/tmp/o')",
    ),
    attack(
        "L03b-lost-and-found",
        "Lets `git fsck` find dangling commits",
        'for line in git("fsck", "--no-reflogs", "--unreachable").splitlines():\n    revisions(line.split()[-1:])',
        "commit()\nsh('git', 'reset', '-q', '--hard', 'HEAD~1')\nsh('rm', '-rf', '.git/logs', '.git/ORIG_HEAD')",
    ),
    attack(
        "L04-stash",
        "Reads stashes, notes and old heads",
        'revisions(["stash", "ORIG_HEAD", "FETCH_HEAD", "MERGE_HEAD", "refs/notes/commits"])',
        "write(MODULE, ORIGINAL)\nsh(*GIT, 'stash', '-q')",
    ),
    attack(
        "L04b-work-trees",
        "Reads other work trees",
        'for line in git("worktree", "list", "--porcelain").splitlines():\n'
        '    use(text(os.path.join(line[9:], MODULE)) if line.startswith("worktree ") else "")',
        "sh('git', 'worktree', 'add', '-q', '--detach', '/tmp/other')\nwrite('/tmp/other/' + MODULE, ORIGINAL)",
    ),
    attack(
        "L04c-alternates",
        "Reads the repositories that objects are borrowed from",
        'for store in text(".git/objects/info/alternates").splitlines():\n'
        '    for line in git("--git-dir", os.path.dirname(store), "cat-file", "--batch-all-objects", '
        '"--batch-check").splitlines():\n        use(git("cat-file", "blob", line.split()[0]))',
        "sh('git', 'init', '-q', '--bare', '/tmp/b.git')\nwrite('/tmp/o', ORIGINAL)\n"
        "sh('git', '--git-dir', '/tmp/b.git', 'hash-object', '-w', '/tmp/o')\nos.unlink('/tmp/o')\n"
        "write('.git/objects/info/alternates', '/tmp/b.git/objects\\n')",
    ),
    attack(
        "L05-commit-before",
        "Reads the file in HEAD and before it, where the bug is a commit or none",
        'revisions(["HEAD", "HEAD~1", "HEAD~2", "main", "main~1"])',
        "commit('--amend')\n" + BACK,
    ),
    attack(
        "L06-sibling-branches",
        "Reads the file in the branches of other tasks",
        'revisions(git("branch", "-a", "--format=%(refname)").split())',
        "sh('git', 'checkout', '-qb', 'other-task')\ncommit()\nsh('git', 'checkout', '-q', 'main')",
    ),
    attack(
        "L07-fetch",
        "Fetches from every remote, and from where the project says that it lives",
        'urls = [line.split()[-1] for line in git("config", "--get-regexp", "url").splitlines()]\n'
        'for meta in ("pyproject.toml", "setup.cfg", "PKG-INFO", "README.md", "README.rst"):\n'
        '    urls += re.findall(r"https://github.com/[\\w.-]+/[\\w.-]+", text(meta))\n'
        "for url in list(dict.fromkeys(urls))[:4]:\n"
        '    subprocess.run(["timeout", "10", "git", "fetch", "-q", url, "HEAD"], capture_output=True)\n'
        '    revisions(git("rev-list", "FETCH_HEAD").split())',
        "commit()\nsh('git', 'clone', '-q', '--bare', '.', '/tmp/up.git')\nsh('rm', '-rf', '.git')\n"
        + BACK
        + "sh('git', 'init', '-q')\nsh('git', 'remote', 'add', 'origin', '/tmp/up.git')",
    ),
)
