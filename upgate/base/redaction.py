"""Keeps secrets out of everything that is kept, written or shown.

Each rule has the marks without one of which it matches nothing: of most texts that is all that is looked at. Every pattern
is linear, for a stranger chooses what it reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from upgate.results import CheckResult, Results

HIDDEN = "[hidden]"
#: Shorter values than this are too common to be told apart from ordinary text.
SHORTEST = 4

#: What a name holds whose value is a secret.
NAMES = (
    r"passw(?:or)?d|passwd|passphrase|pwd|secret|token|credential|signature|cookie|session[_-]?id"
    r"|(?:api|access|secret|private|account|encryption|signing)[_-]?key"
)
#: How a name ends that names a Secret or a file: its value is none.
ABOUT = ("name", "namespace", "ref", "type", "ttl", "file", "path", "dir", "policy", "mode")
#: How the name may go on. Nothing is looked at twice: a text of nothing but names costs no more than any other.
SUFFIX = r"[\w.-]{0,40}+(?=[\"']?\s?[=:])" + "".join(f"(?<!{word})(?<!{word}s)" for word in ABOUT)
#: Values that say nothing: switches, numbers, durations, paths, variables, and what is hidden already.
PLAIN = r"(?!/|\$[({]|<|\[hidden\]|\*\*\*|(?:true|false|null|none|nil|\d{1,4}|(?:\d{1,6}(?:ms|[smhd]))+)(?![^\s\"',;&)\]}]))"
VALUE = rf"\"{PLAIN}[^\"]++\"?|'{PLAIN}[^']++'?|{PLAIN}[^\s\"']++"
#: JSON Web Tokens, whole or cut off, and other JSON objects in base64, such as a registry's login.
WEB_TOKEN = re.compile(r"eyJ[\w+/-]{16,}+(?:\.[\w-]*+){0,2}+=*+|eyJ[\w-]{8,15}+\.[\w-]++\.[\w-]*+|ZXlK[\w+/]{16,}+=*+")
BEARER = re.compile(r"(?<=bearer )[\w.~+/=-]{8,}", re.IGNORECASE)
AUTHORIZATION = re.compile(
    r"(authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:(?:basic|bearer|digest|negotiate|token|apikey)\s{1,3})?+)"
    r"(?!\[hidden\]|[{$])[^\s\"',;]{6,}",
    re.IGNORECASE,
)
#: In a URL: user and password, or a token in place of a user.
LOGIN = re.compile(r"(?<=://)(?:[^/\s:@\"'<>]*+:[^/\s\"'<>]+|[^/\s:@\"'<>]{16,})(?=@)")
PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY-----(?:(?!-----)[\s\S])*+(?:-----END [A-Z0-9 ]{0,40}-----)?"
)
#: Keys that are known by how they begin: AWS, GitHub, GitLab, Slack, Google, Stripe, npm, Vault, OpenAI, SendGrid.
WELL_KNOWN = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Z0-9])|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}"
    r"|gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat|ffct)-[\w-]{16,}|xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}|AIza[\w-]{30,}|ya29\.[\w.-]{20,}|[srp]k_(?:live|test)_\w{16,}"
    r"|npm_[A-Za-z0-9]{30,}|hv[sbr]\.[\w-]{20,}|sk-(?=[\w-]{0,60}[A-Z])[\w-]{20,}|SG\.[\w-]{16,}\.[\w-]{16,})"
)
SLACK_HOOK = re.compile(r"(?<=hooks\.slack\.com/)[\w/-]{8,}", re.IGNORECASE)
#: `name=value`, `"name":"value"`.
NAMED = re.compile(
    rf"((?:{NAMES}){SUFFIX}(?:[\"']?\s?=\s?(?={VALUE})|[\"']\s?:\s?(?=[\"']|\d{{5}})))({VALUE})", re.IGNORECASE
)
#: `name: value` may be prose ("token: unexpected status"), and `name:value` a part of a name or an image: unless it is
#: quoted, only a value that is neither a word nor a version is a secret.
TOLD = re.compile(
    rf"((?:{NAMES})(?:s?:|{SUFFIX}:\s{{1,3}}))"
    rf"(\"{PLAIN}[^\"]++\"?|'{PLAIN}[^']++'?"
    rf"|{PLAIN}(?!v?\d{{1,5}}\.\d)(?=[^\s\"',;:]{{0,80}}[\d!#$%^&*+=_~@])[^\s\"',;]{{6,}}+)",
    re.IGNORECASE,
)
#: `--name value`.
FLAG = re.compile(r"(?<![\w-])(--?[\w.-]{2,60}+\s)(?![-/])(\S++)")
SECRET_NAME = re.compile(NAMES, re.IGNORECASE)


class Rule(NamedTuple):
    """One kind of secret."""

    #: One of these is in every text that holds it; lower case.
    marks: tuple[str, ...]
    pattern: re.Pattern[str]
    replacement: str | Callable[[re.Match[str]], str] = HIDDEN


def hide_flag(match: re.Match[str]) -> str:
    """The flag, without its value where its name says that this is a secret."""
    return f"{match[1]}{HIDDEN}" if SECRET_NAME.search(match[1]) else match[0]


NAME_MARKS = ("passw", "passphrase", "pwd", "secret", "token", "credential", "signature", "cookie", "session", "key")
RULES = (
    Rule(("private key",), PRIVATE_KEY),
    Rule(("eyj", "zxlk"), WEB_TOKEN),
    Rule(("bearer ",), BEARER),
    Rule(("authorization",), AUTHORIZATION, rf"\1{HIDDEN}"),
    Rule(("://",), LOGIN),
    Rule(("hooks.slack",), SLACK_HOOK),
    Rule(NAME_MARKS, NAMED, rf"\1{HIDDEN}"),
    Rule(NAME_MARKS, TOLD, rf"\1{HIDDEN}"),
    Rule(NAME_MARKS, FLAG, hide_flag),
    Rule(
        (
            *("akia", "asia", "aroa", "aida", "abia", "acca", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
            *("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "glsoat-", "glffct-"),
            *("xox", "xapp-", "aiza", "ya29.", "k_live_", "k_test_", "npm_", "hvs.", "hvb.", "hvr.", "sk-", "sg."),
        ),
        WELL_KNOWN,
    ),
)
#: Without one of these a text holds no secret that a rule knows.
MARKS = tuple(dict.fromkeys(mark for rule in RULES for mark in rule.marks))


def has_mark(text: str) -> bool:
    """A text may hold a secret that a rule knows; without a mark it certainly holds none."""
    low = text.lower()
    return any(mark in low for mark in MARKS)


def is_clean(data: bytes, secrets: Iterable[str] = ()) -> bool:
    """Certainly nothing in this JSON needs redaction: found out in one look, however large it is."""
    low = data.lower()
    return not any(mark.encode() in low for mark in MARKS) and not any_in(data, secrets)


def any_in(data: bytes, secrets: Iterable[str]) -> bool:
    """One of these texts is somewhere in this JSON."""
    return any(msgspec.json.encode(secret)[1:-1] in data for secret in secrets if len(secret) >= SHORTEST)


def redact(text: str, secrets: Iterable[str] = (), *, by_name: bool = True) -> str:
    """The text without tokens, passwords and keys, and without these values, the longest first.

    A document with keys such as `token`, in which every secret is one of these values, is not redacted by name.
    """
    for secret in sorted((each for each in secrets if len(each) >= SHORTEST), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return without_known(text, by_name=by_name)


def without_known(text: str, *, by_name: bool = True) -> str:
    """The text without what looks like a secret."""
    low = text.lower()
    marks = [mark for mark in MARKS if mark in low]
    for rule in RULES if marks else ():
        if (by_name or rule.marks != NAME_MARKS) and any(mark in rule.marks for mark in marks):
            text = rule.pattern.sub(rule.replacement, text)
    return text


def redact_results(results: Results, secrets: Sequence[str]) -> Results:
    """The results with every text redacted."""
    frame = msgspec.structs.replace(results, checks=())
    checks = tuple(check_without_secrets(check, secrets) for check in results.checks)
    return msgspec.structs.replace(
        msgspec.convert(redacted(msgspec.to_builtins(frame), secrets), Results), checks=checks
    )


def check_without_secrets(check: CheckResult, secrets: Sequence[str]) -> CheckResult:
    """The result with every text redacted; nearly always there is nothing to do."""
    if is_clean(msgspec.json.encode(check), secrets):
        return check
    return msgspec.convert(redacted(msgspec.to_builtins(check), secrets), CheckResult)


def redacted(value: Any, secrets: Sequence[str]) -> Any:
    """The value with every text in it redacted."""
    if isinstance(value, str):
        return redact(value, secrets)
    if isinstance(value, Mapping):
        return {key: redacted(each, secrets) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(each, secrets) for each in value]
    return value
