"""Names that detection knows: tools that no test needs, plug-ins and options that would change a run, import names."""

from __future__ import annotations

import re

TEST_NAMES = re.compile(
    r"(unit-?)?tests?|testing|unittests?|pytest|(dev-|unit-)?tests?-(deps|requirements|requires|dependencies|base|core|min|dev)"
    r"|testing-(deps|requirements|base)|test-extras|tests-require|check"
)
"""Extras, groups, environments and sessions that hold what tests need (normal form)."""

DEV_NAMES = re.compile(r"dev|devel|develop|development|dev-dependencies|ci|contributing")
"""The same, where nothing has a name of its own for tests."""


def _words(text: str) -> list[str]:
    return text.split()


_TOOLS = frozenset(
    _words("""
    autoflake autopep8 bandit basedpyright black blacken-docs blurb bump2version bumpversion
    bump-my-version build check-manifest check-wheel-contents cibuildwheel codecov codespell
    commitizen coverage coveralls cruft dlint docformatter docutils doc8 flake8 furo gha-update
    gitlint git-changelog griffe hatch interrogate invoke ipdb ipython isort jupyter lefthook
    mdformat mkdocs mkdocstrings monkeytype mypy mypy-extensions myst-parser nbsphinx nox numpydoc
    pallets-sphinx-themes pdbpp pdm pep8 pep8-naming pip pip-tools pipenv poetry pre-commit prek
    prospector pudb pycodestyle pydoclint pydocstyle pyflakes pylint pyright pyroma pytype pyupgrade
    python-semantic-release radon readme-renderer rstcheck ruff safety setuptools-scm sphinx
    towncrier tox twine ty uv vermin vulture wheel xenon yamllint yapf zest-releaser zizmor zuban
    """)
)
_TOOL_FAMILIES = re.compile(
    r"(sphinx|flake8|mkdocs|tox|pre-commit|hatch|types|pylint|sphinxcontrib|mdformat|pyproject-fmt|jupyter|nox)-.+|.+-stubs"
    r"|sphinxcontrib.*|sphinxext.*|pyright.*|.*-sphinx-theme|sphinx_.*"
)

BLOCKED_PLUGINS = frozenset(
    _words("""
    pytest-cov pytest-xdist pytest-randomly pytest-random-order pytest-sugar pytest-benchmark
    pytest-html pytest-metadata pytest-instafail pytest-rerunfailures pytest-forked pytest-parallel
    pytest-run-parallel pytest-codspeed pytest-memray pytest-mypy pytest-mypy-plugins
    pytest-mypy-testing pytest-pyright pytest-flake8 pytest-black
    pytest-ruff pytest-pylint pytest-isort pytest-pycodestyle pytest-pydocstyle pytest-codestyle
    pytest-pep8 pytest-flakes pytest-checkdocs pytest-enabler
    pytest-github-actions-annotate-failures pytest-gitconfig pytest-picked pytest-testmon
    pytest-watch pytest-watcher pytest-monitor pytest-profiling pytest-clarity pytest-pretty
    pytest-reportlog pytest-json-report pytest-azurepipelines pytest-travis-fold pytest-icdiff
    pytest-beartype pytest-reverse pytest-split pytest-shard pytest-xvfb-screenshot pytest-tldr
    pytest-emoji pytest-rich pytest-perf
    """)
)
"""Plug-ins that change order, number, output or process of a run, or that test style or types, not behaviour."""

IGNORED_OPTIONS = re.compile(
    r"--(no-)?cov(\W.*|$|-.+)|--numprocesses.*|--dist.*|--maxprocesses.*|--tx.*|--looponfail|-n\d*|-n=.+|-n(auto|logical)"
    r"|--randomly.*|--random-order.*|--benchmark.*|--doctest-modules|--doctest-(plus|rst|only|ufunc).*|--junit.*|--html.*"
    r"|--self-contained-html|--json.*|--report-log.*|--basetemp.*|--lf|--last-failed|--ff|--failed-first|--nf|--new-first"
    r"|--sw|--stepwise.*|--maxfail.*|--exitfirst|-x|--pdb.*|--strict-config|--strict|--mypy.*|--flake8|--black|--ruff.*"
    r"|--pylint.*|--isort|--pycodestyle|--pydocstyle|--codestyle|--pep8|--flakes|--reruns.*|--only-rerun.*|--forked"
    r"|--boxed|--parallel.*|--workers.*|--instafail|--codspeed|--memray.*|--force-sugar|--profile.*|--testmon.*|--nbval.*"
    r"|--check-?docs|--emoji.*|--(no-)?fold-skipped"
)
"""Options of plug-ins that are not loaded, and those that end, order or multiply a run or collect from package code."""

OPTIONS_WITH_VALUE = frozenset(
    {"-n", "--numprocesses", "--dist", "--cov", "--cov-report", "--cov-config", "--cov-fail-under", "--cov-context"}
    | {
        "--maxfail",
        "--basetemp",
        "--junitxml",
        "--junit-xml",
        "--durations",
        "--tb",
        "--color",
        "--html",
        "-p",
        "-m",
        "-k",
    }
    | {
        "-W",
        "-o",
        "-c",
        "--ignore",
        "--ignore-glob",
        "--deselect",
        "--import-mode",
        "--rootdir",
        "--confcutdir",
        "--timeout",
    }
    | {
        "--capture",
        "--doctest-glob",
        "--override-ini",
        "--log-level",
        "--reruns",
        "--random-order-bucket",
        "--asyncio-mode",
    }
    | {"--pythonwarnings", "--config-file", "--report-log", "--verbosity", "--show-capture", "--benchmark-storage"}
)
"""Options that may take the next word as their value."""

DISTRIBUTIONS = {
    "yaml": "PyYAML",
    "dateutil": "python-dateutil",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "pkg_resources": "setuptools<81",
    "_pytest": "pytest",
    "OpenSSL": "pyOpenSSL",
    "Crypto": "pycryptodome",
    "jwt": "PyJWT",
    "git": "GitPython",
    "serial": "pyserial",
    "zmq": "pyzmq",
    "google.protobuf": "protobuf",
    "magic": "python-magic",
    "dotenv": "python-dotenv",
    "docx": "python-docx",
    "slugify": "python-slugify",
    "multipart": "python-multipart",
    "ruamel": "ruamel.yaml",
    "mock": "mock",
    "nose": "pynose",
    "six": "six",
    "pytz": "pytz",
    "hypothesis": "hypothesis",
    "numpy": "numpy",
    "pandas": "pandas",
    "requests": "requests",
    "simplejson": "simplejson",
    "freezegun": "freezegun",
    "trio": "trio",
    "anyio": "anyio",
    "httpx": "httpx",
    "parameterized": "parameterized",
    "jsonschema": "jsonschema",
    "lxml": "lxml",
    "toml": "toml",
    "tomli": "tomli",
    "responses": "responses",
    "typing_extensions": "typing-extensions",
    "docopt": "docopt",
    "flask": "Flask",
    "django": "Django",
    "jinja2": "Jinja2",
    "markupsafe": "MarkupSafe",
    "pygments": "Pygments",
    "babel": "Babel",
    "psutil": "psutil",
    "pexpect": "pexpect",
    "packaging": "packaging",
    "setuptools": "setuptools",
    "testfixtures": "testfixtures",
    "sybil": "sybil",
}
"""Import name -> distribution, for tests that import what is declared nowhere."""

BACKEND_EXTRAS = {
    "hatchling": ("editables",),
    "pdm.backend": ("editables",),
    "scikit_build_core": ("cmake", "ninja"),
    "mesonpy": ("meson", "ninja"),
    "setuptools": ("wheel",),
}
"""What a build back end asks for only when it runs: first part of its module -> distributions."""


def normal(name: str) -> str:
    """Normal form of a distribution's, extra's or group's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_tool(name: str) -> bool:
    """The distribution checks, formats, documents or releases code: no test needs it unless one imports it."""
    plain = normal(name)
    return plain in _TOOLS or plain in BLOCKED_PLUGINS or bool(_TOOL_FAMILIES.fullmatch(plain))
