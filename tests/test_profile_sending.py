"""Who may get what an entry of `external:` sends, and what is said of entries that send it without TLS."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from upgate.base.errors import UsageError
from upgate.profile import Profile, load
from upgate.profile.sending import in_plain_text

SECRETS = {"TOKEN": "t0ken-of-ours", "PORT": "8443"}
#: What each way of proving who we are looks like in an entry, and the key that the error is about.
CREDENTIALS: dict[str, tuple[dict[str, Any], str]] = {
    "bearer": ({"bearer": "${TOKEN}"}, "bearer"),
    "basic": ({"basic": "ops:${TOKEN}"}, "basic"),
    "api-key": ({"headers": {"X-Api-Key": "abc"}}, "headers.X-Api-Key"),
    "cookie": ({"headers": {"Cookie": "sid=1"}}, "headers.Cookie"),
    "any-header": ({"headers": {"X-Shop": "letmein"}}, "headers.X-Shop"),
    "hidden-header": ({"headers": {"User-Agent": "${TOKEN}"}}, "headers.User-Agent"),
    "client-certificate": ({"client-certificate": "ops.pem"}, "client-certificate"),
    "userinfo": ({"url": "https://ops:pw@{address}/"}, "url"),
    "query": ({"url": "https://{address}/?access_token=abc"}, "url"),
    "hidden-path": ({"url": "https://{address}/${TOKEN}"}, "url"),
    "form": ({"url": None, "journey": [{"post": "https://{address}/", "form": {"q": "x"}}]}, "journey[0].form"),
    "json": ({"url": None, "journey": [{"post": "https://{address}/", "json": {"q": "x"}}]}, "journey[0].json"),
    "captured": (
        {
            "url": None,
            "journey": [{"get": "https://a.example.com/", "capture": {"t": "json:t"}}, {"get": "https://{address}/"}],
        },
        "journey[0].capture",
    ),
    "step-header": (
        {"url": None, "journey": [{"get": "https://{address}/", "headers": {"Authorization": "x"}}]},
        "journey[0].headers.Authorization",
    ),
    "websocket": ({"url": None, "websocket": "wss://{address}/", "bearer": "x"}, "bearer"),
}
TRUST: dict[str, dict[str, Any]] = {
    "ingress": {"namespaces": ["shop"]},
    "load-balancer": {"namespaces": ["shop", "!sandbox-*"]},
    "node": {"trust-nodes": True},
}


def profile(folder: Path, **entry: Any) -> Profile:
    """A profile with one entry."""
    whole = {"name": "x", "url": "https://{address}/", **entry}
    path = folder / "p.yaml"
    path.write_text(yaml.safe_dump({"external": [whole]}))
    return load(str(path), environ=SECRETS, today=date(2026, 11, 21))


@pytest.mark.parametrize("each", TRUST)
@pytest.mark.parametrize("name", CREDENTIALS)
def test_credentials_need_somebody_who_is_trusted(name: str, each: str, tmp_path: Path) -> None:
    """With `each` the entry says who may get its credentials, or is refused with line, column and reason."""
    keys, where = CREDENTIALS[name]
    with pytest.raises(UsageError, match=r"p\.yaml:\d+:\d+: external\[0\]\.") as refused:
        profile(tmp_path, each=each, **keys)
    assert f"external[0].{where}: " in str(refused.value)
    assert f"needs {next(iter(TRUST[each]))}: " in str(refused.value)
    assert "t0ken" not in str(refused.value)
    assert profile(tmp_path, each=each, **TRUST[each], **keys).external


@pytest.mark.parametrize(
    "keys",
    [
        {"headers": {"Host": "{name}", "Accept": "text/html", "X-Where": "{address}"}},
        {"url": "https://{address}:${PORT}/"},
        {"url": "https://{address}/?page=1"},
        {"url": None, "journey": [{"get": "https://{address}/"}]},
    ],
)
@pytest.mark.parametrize("each", TRUST)
def test_what_proves_nothing_needs_nobody(keys: dict[str, Any], each: str, tmp_path: Path) -> None:
    """A Host header, the place's own words and a port from the environment are no credentials."""
    assert profile(tmp_path, each=each, **keys).external


@pytest.mark.parametrize("keys", [{"namespaces": ["x"]}, {"trust-nodes": True}, {"at-most": 3}])
def test_keys_of_each_need_it(keys: dict[str, Any], tmp_path: Path) -> None:
    """Nothing is accepted and ignored."""
    with pytest.raises(UsageError, match="has no effect without each"):
        profile(tmp_path, url="https://a.example.com/", **keys)


@pytest.mark.parametrize("network", ["127.0.0.1/8", "localhost", ""])
def test_an_allowance_is_an_address_or_a_network(network: str, tmp_path: Path) -> None:
    """What cannot be a network is refused with the profile."""
    with pytest.raises(UsageError, match="not an address or a network"):
        profile(tmp_path, url="https://a.example.com/", **{"allow-addresses": network})


@pytest.mark.parametrize(
    ("keys", "noted"),
    [
        ({"url": "http://a.example.com/", "bearer": "x"}, True),
        ({"url": "HTTP://ops:pw@a.example.com/"}, True),
        ({"url": None, "websocket": "ws://a.example.com/", "basic": "a:b"}, True),
        ({"url": None, "journey": [{"post": "http://a.example.com/", "form": {"password": "${TOKEN}"}}]}, True),
        ({"url": "http://a.example.com/"}, False),
        ({"url": "https://a.example.com/", "bearer": "x"}, False),
    ],
)
def test_credentials_without_tls_are_noted(keys: dict[str, Any], noted: bool, tmp_path: Path) -> None:
    """A verdict that can be forged on the way says so, without the credential."""
    notes = in_plain_text(profile(tmp_path, **keys))
    assert [("plain http" in note, "t0ken" in note) for note in notes] == [(True, False)] * noted


LOGIN = {"get": "https://a.example.com/", "capture": {"shard": "json:shard"}}


@pytest.mark.parametrize(
    "place", ["https://{shard}/x", "https://x.{shard}.example.com/", "https://a.example.com:{shard}/"]
)
@pytest.mark.parametrize(
    ("step", "key"),
    [
        ({"headers": {"X-Api-Key": "${TOKEN}"}}, "headers.X-Api-Key"),
        ({"headers": {"Host": "${TOKEN}"}}, "headers.Host"),
    ],
)
def test_no_credentials_go_where_an_answer_leads(place: str, step: dict[str, Any], key: str, tmp_path: Path) -> None:
    """A host that an answer named gets none: such a profile is refused with line and column."""
    with pytest.raises(UsageError, match=r"p\.yaml:\d+:\d+: external\[0\]\.journey\[1\]\.") as refused:
        profile(tmp_path, url=None, journey=[LOGIN, {"get": place, **step}])
    assert f"external[0].journey[1].{key}: the host that an earlier answer names as {{shard}} would receive" in str(
        refused.value
    )
    assert profile(tmp_path, url=None, journey=[LOGIN, {"get": place, "headers": {"Accept": "x"}}]).external
    assert profile(tmp_path, url=None, journey=[LOGIN, {"get": "https://a.example.com/{shard}", **step}]).external


def test_no_form_goes_where_an_answer_leads(tmp_path: Path) -> None:
    """The same for what is typed."""
    with pytest.raises(UsageError, match=r"would receive a form"):
        profile(tmp_path, url=None, journey=[LOGIN, {"post": "https://{shard}/", "form": {"password": "x"}}])
