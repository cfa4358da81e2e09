"""The hosts that installs from an index need, from its address and the environment."""

from __future__ import annotations

import pytest

from swesmith_gym.errors import ProfileError
from swesmith_gym.repos import index
from swesmith_gym.sandboxes.index_rules import AllowList


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(index.HOSTS_VARIABLE, raising=False)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (index.DEFAULT, ("pypi.org:443", "files.pythonhosted.org:443")),
        ("https://PyPI.org/simple/", ("pypi.org:443", "files.pythonhosted.org:443")),
        ("https://mirror.example/simple", ("mirror.example:443",)),
        ("http://mirror.example/simple", ("mirror.example:80",)),
        ("http://localhost:3141/root/pypi", ("localhost:3141",)),
        ("https://user:p%40ss@mirror.example:8443/simple", ("mirror.example:8443",)),
        ("https://[2001:DB8::1]/simple", ("[2001:db8::1]:443",)),
        ("http://[::1]:8080/simple", ("[::1]:8080",)),
        ("file:///srv/simple", ()),
    ],
)
def test_the_hosts_of_an_index(url: str, expected: tuple[str, ...]) -> None:
    assert index.hosts(url) == expected
    AllowList(expected)  # the proxy takes every one of them


def test_the_environment_adds_hosts_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(index.HOSTS_VARIABLE, " Files.example, files.example:443,other.example:8080 ,,mirror.example")
    found = index.hosts("https://mirror.example/simple")
    assert found == ("mirror.example:443", "files.example:443", "other.example:8080")
    assert index.hosts("file:///srv/simple") == ("files.example:443", "other.example:8080", "mirror.example:443")


@pytest.mark.parametrize(
    "entry",
    ["https://files.example", "a b", "host:0", "host:65536", "host:", "host:port", "user@host", "host.", "::1", "h/x"],
)
def test_a_bad_entry_is_named_on_one_line(entry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(index.HOSTS_VARIABLE, f"good.example,{entry}")
    with pytest.raises(ProfileError) as caught:
        index.hosts(index.DEFAULT)
    assert repr(entry) in str(caught.value)
    assert index.HOSTS_VARIABLE in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["ftp://mirror.example", "https://", "https://bad host/", "https://host:99999/simple"])
def test_an_address_without_a_usable_host_is_refused(url: str) -> None:
    with pytest.raises(ProfileError):
        index.hosts(url)


def test_a_login_is_not_shown_when_the_host_is_bad() -> None:
    with pytest.raises(ProfileError) as caught:
        index.hosts("https://user:secret@host:99999/simple")
    assert "secret" not in str(caught.value)
