"""Whatever a host answers: facts that can be judged, kept and read again, or a reason why there are none. Never a traceback."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile.hosts import LINES, MARK, SECTIONS, answer
from tests.machines import BAD_HOSTS, NOW
from tests.worlds import good, judge, node, profile, snapshot
from upgate.base.errors import Inconclusive
from upgate.facts.hosts import Host
from upgate.sources.hosts.looking import host_from_answer
from upgate.sources.hosts.sections import split_sections

SINCE = NOW - timedelta(hours=1)
PROFILE = profile(
    hosts={"arguments": {"kube-proxy": ["--a=1"], "kubelet": ["--b"]}, "listening": ["0.0.0.0:1"], "services": ["a|b"]},
    expect={"hosts": {"kubelet": ">=1.2"}},
)
#: The same examples each time: what is green here is green elsewhere. None may take longer than this.
FUZZ = settings(
    max_examples=100, deadline=timedelta(seconds=5), derandomize=True, suppress_health_check=list(HealthCheck)
)

FIELDS = sorted({line.partition("\t")[0] for each in LINES.values() for lines in each for line in lines.split("\n")})
FIELDS += ["gap", "is", "package", "space", "tcp6", "timedatectl", "iso", "ss", "data", "pem"]
WORDS = [
    "kubelet",
    "kube-proxy",
    "a",
    "LISTEN",
    "tcp",
    "/",
    "ext4",
    "1",
    "0",
    "-1",
    "9" * 30,
    "\u00b2",
    "\u0661",
    "nan",
    "1e9",
    "%",
]
WORDS += [
    "spec:",
    "{containers:",
    "[{name:",
    "kube-proxy,",
    "command:",
    "[--a=1]}]}",
    "&a",
    "*a",
    "!!int",
    "- ",
    "[" * 40,
    '["',
]
WORDS += [
    "LoadState=loaded",
    "LoadState=masked",
    "0100007F:0050",
    "0A",
    "127.0.0.1:80",
    "2026-11-21T00:30:00Z",
    "panic:",
    "9999",
]
WORDS += [
    "argv[]=",
    ";",
    "--token",
    "--token=x",
    "Leap",
    "status",
    ":",
    "Normal",
    "-----BEGIN CERTIFICATE-----",
    "rc",
    MARK,
]
word = st.one_of(st.sampled_from(WORDS), st.text(max_size=12))
value = st.lists(st.tuples(word, st.sampled_from([" ", "\t", "", "\x1f", "|", "\0", "\r"])), max_size=9).map(
    lambda parts: "".join(part for each in parts for part in each)
)
line = st.one_of(
    st.tuples(st.sampled_from(FIELDS), value).map("\t".join),
    st.sampled_from([each for all_ in LINES.values() for each in all_]),
)
section = st.lists(line, max_size=12).map("\n".join)


def check(text: str) -> None:
    """An answer of any kind is facts, or Inconclusive."""
    try:
        host = host_from_answer("worker-1", text, MARK, SINCE)
    except Inconclusive:
        return
    assert msgspec.json.decode(msgspec.json.encode(host), type=Host) == host
    seen = snapshot(good(nodes=[node("worker-1")]), hosts=[host])
    for id in BAD_HOSTS:
        assert "could not be judged" not in judge(id, seen, profile=PROFILE).reason


@FUZZ
@given(st.dictionaries(st.sampled_from(SECTIONS), section))
def test_any_lines_in_the_sections(lines):
    """Known fields with values that nobody has foreseen."""
    check(answer(lines))


@FUZZ
@given(st.dictionaries(st.sampled_from(SECTIONS), section), st.data())
def test_any_cut_and_any_forged_mark(lines, data):
    """An answer that is cut, doubled, or has the mark of a section where none belongs."""
    text = answer(lines)
    at, until = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    forged = data.draw(st.sampled_from(["", f"\n{MARK}\tbegin host\n", f"\n{MARK}\tend ports\n", f"\n{MARK}\twhole\n"]))
    check(text[:at] + forged + text[data.draw(st.sampled_from([at, until, 0])) :])


@FUZZ
@given(st.binary(max_size=2000))
def test_any_bytes(data):
    """Not even text."""
    check(data.decode(errors="replace"))
    check(answer(dict.fromkeys(SECTIONS, data.decode(errors="replace"))))


@FUZZ
@given(st.text(max_size=500))
def test_any_text_without_marks_is_refused(text):
    """In a short sentence."""
    with pytest.raises(Inconclusive, match=r"^.{0,500}$"):
        split_sections(text, MARK)
