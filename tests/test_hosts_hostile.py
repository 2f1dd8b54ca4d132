"""Hostile hosts without a network: what they name themselves, what they answer, and that each blinds us for itself alone."""

from __future__ import annotations

import subprocess
import time
from datetime import UTC, timedelta
from datetime import datetime as moment
from types import SimpleNamespace

import msgspec
import pytest

from tests.hostile.hosts import ADDRESSES, GOOD_ADDRESSES, LINES, LONG, MANIFESTS, MARK, SPECS, TAGS, answer
from tests.machines import BAD_HOSTS, NOW, host
from tests.worlds import good, judge, node, profile, snapshot
from upgate.base.errors import Inconclusive
from upgate.facts.hosts import Host
from upgate.profile.machines import check_each, check_spec
from upgate.sources.hosts import looking
from upgate.sources.hosts.commands import command_lines, unreadable
from upgate.sources.hosts.looking import host_from_answer, look_at_hosts
from upgate.sources.hosts.sections import MOST_LINES
from upgate.sources.hosts.targets import NO_ADDRESS, SHARED, host_targets
from upgate.sources.hosts.transport import ZONE, ssh_arguments

SINCE = NOW - timedelta(hours=1)
ODD = [(section, lines) for section, each in LINES.items() for lines in each]
ARGUMENTS = {"kube-proxy": ["--a=1"], "kubelet": ["--b"]}


def named(address: str, name: str = "worker-1"):
    """A node whose kubelet names this address."""
    return node(name, status={"addresses": [{"type": "InternalIP", "address": address}]})


def judged(*machines: Host) -> None:
    """Every check of hosts judges them without an error."""
    seen = snapshot(good(nodes=[node(each.name) for each in machines]), hosts=list(machines))
    demands = {"arguments": ARGUMENTS, "listening": ["0.0.0.0:1"], "services": ["a"]}
    for id in BAD_HOSTS:
        judge(id, seen, profile=profile(hosts=demands, expect={"hosts": {"kubelet": ">=1"}}))


def facts_of(text: str) -> Host | None:
    """What an answer tells; None where it tells nothing. Raises what a run would end with."""
    try:
        return host_from_answer("worker-1", text, MARK, SINCE)
    except Inconclusive:
        return None


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda address: ascii(address)[:30])
def test_an_address_that_is_none_is_put_nowhere(address):
    """What a kubelet writes that is neither an IP address nor a DNS name is that node's gap, in no spec and no command."""
    (bad, fine) = host_targets(profile(hosts={}).hosts, snapshot(good(nodes=[named(address), named("10.0.0.2", "w2")])))
    assert (bad.gap, bad.spec, bad.address) == (NO_ADDRESS, "", "")
    assert (fine.gap, fine.spec) == ("", "ssh://10.0.0.2")


@pytest.mark.parametrize("address", GOOD_ADDRESSES)
def test_an_address_that_is_one_is_taken(address):
    """IPv4, IPv6 and names of DNS, whatever they begin with."""
    (target,) = host_targets(profile(hosts={}).hosts, snapshot(good(nodes=[named(address)])))
    assert not target.gap
    assert target.spec in (f"ssh://{address}", f"ssh://[{address}]")


@pytest.mark.parametrize("name", ["w1?sudo=true", "-w1", "a%0ab", "{address}"])
def test_a_name_is_checked_where_it_is_used(name):
    """`{name}` comes from the cluster as well."""
    wanted = profile(hosts={"connection": "ssh://{name}"}).hosts
    (target,) = host_targets(wanted, snapshot(good(nodes=[named("10.0.0.1", name)])))
    assert (target.gap, target.spec) == (NO_ADDRESS, "")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("10.0.0.1", "::ffff:10.0.0.1"),
        ("10.0.0.1", "::ffff:a00:1"),
        ("fd00::1", "FD00:0:0::1"),
        ("w1.example.com", "W1.Example.com"),
    ],
)
def test_nodes_that_name_one_machine_are_not_known_apart(one, other):
    """A kubelet that names another node's address, however it spells it, would be judged by that node's health."""
    world = good(nodes=[named(one), named(other, "w2")])
    assert [each.gap for each in host_targets(profile(hosts={}).hosts, snapshot(world))] == [SHARED, SHARED]
    by_name = profile(hosts={"connection": "ssh://{name}"}).hosts
    assert [each.gap for each in host_targets(by_name, snapshot(world))] == ["", ""]


@pytest.mark.parametrize("spec", SPECS)
def test_nothing_is_hidden_in_a_host_spec(spec):
    """Control characters, escapes behind escapes, options for values, and words of the cluster are refused in a query."""
    with pytest.raises(ValueError, match=r"behind the \?|not a host"):
        check_spec(spec)


def test_a_zone_is_told_from_an_escape():
    """testinfra decodes what stands behind %: `%eb0` is an interface and no byte."""
    assert check_each(("ssh://[fe80::1%eb0]:22", "ssh://[fe80::1%25eth0]"))
    assert ZONE.sub(r"%25\1", "ssh://[fe80::1%eb0]:22") == "ssh://[fe80::1%25eb0]:22"
    assert ZONE.sub(r"%25\1", "ssh://[fe80::1%25eth0]") == "ssh://[fe80::1%25eth0]"


def test_ssh_gives_a_host_nothing(tmp_path):
    """Whatever a user's ssh_config allows: no agent, no forwarding, no keys that a host adds, no shared line, no command here."""
    config = tmp_path / "config"
    lines = ["ForwardAgent yes", "ForwardX11 yes", "UpdateHostKeys yes", "LocalCommand id", "PermitLocalCommand yes"]
    lines += ["RemoteForward 9999 localhost:22", "Tunnel yes", "ControlMaster auto", f"ControlPath {tmp_path}/socket"]
    lines += ["StrictHostKeyChecking no", "NoHostAuthenticationForLocalhost yes", "GSSAPIDelegateCredentials yes"]
    config.write_text("Host *\n" + "\n".join(lines))
    hosts = profile(hosts={"jump": "ops@bastion"}).hosts
    said = subprocess.run(
        ["ssh", "-G", "-F", config, *ssh_arguments(hosts), "w1"], capture_output=True, text=True, check=True
    ).stdout
    effective = dict(line.split(" ", 1) for line in said.splitlines() if " " in line)
    off = {"forwardagent", "forwardx11", "updatehostkeys", "permitlocalcommand", "tunnel", "controlmaster"}
    off |= {"nohostauthenticationforlocalhost", "gssapidelegatecredentials"}
    assert {key: effective[key] for key in off & effective.keys() if effective[key] not in ("no", "false")} == {}
    assert effective["stricthostkeychecking"] in ("yes", "true")
    assert effective["clearallforwardings"] == "yes"
    assert "controlpath" not in effective
    assert "UpdateHostKeys=no" in effective["proxycommand"]


@pytest.mark.parametrize(("section", "lines"), ODD, ids=lambda text: ascii(text)[:40])
def test_an_odd_answer_is_one_hosts_gap(section, lines):
    """What no honest host says is left out or is a gap; what is taken can be judged, kept and read again."""
    taken = facts_of(answer({section: lines}))
    if taken:
        assert msgspec.json.decode(msgspec.json.encode(taken), type=Host) == taken
        judged(taken, host("w2"))


@pytest.mark.parametrize("text", MANIFESTS.values(), ids=MANIFESTS)
def test_a_manifest_that_fills_memory_is_not_read(text):
    """Aliases, deep brackets and long texts are refused: the folder's other files are read, and the check is not green."""
    lines = [["asked", "kube-proxy"], ["manifest", "/x.yaml"], *(["line", each] for each in text.split("\n"))]
    fine = [["manifest", "/y.yaml"], ["line", "spec: {containers: [{name: kube-proxy, command: [--a=2]}]}"]]
    assert [each.source for each in command_lines([*lines, *fine])["commands"]] == ["/y.yaml"]
    (gap,) = unreadable([*lines, *fine])
    assert gap.startswith("/x.yaml cannot be read: ")


@pytest.mark.parametrize(("text", "given"), TAGS.items())
def test_tags_of_yaml_mean_nothing(text, given):
    """A manifest is texts: nothing in it is made into a time, a number or an object."""
    lines = [["asked", "kube-proxy"], ["manifest", "/x.yaml"], *(["line", each] for each in text.split("\n"))]
    (line,) = command_lines(lines)["commands"]
    assert line.arguments == given


@pytest.mark.parametrize("lines", LONG.values(), ids=LONG)
def test_long_texts_take_no_long_time(lines):
    """Every pattern is linear: 64 KB of the worst text are read within two seconds."""
    started = time.process_time()
    for section in LINES:
        facts_of(answer({section: f"asked\tkube-proxy\n{lines}"}))
    assert time.process_time() - started < 2


@pytest.mark.parametrize("text", ["", "\n" * (MOST_LINES + 1), f"{MARK}\twhole\n", answer()[:-9], answer(mark="other")])
def test_an_answer_that_is_not_whole_is_none(text):
    """Cut off, without its sections, with another mark, or of too many lines."""
    assert facts_of(text) is None


def test_a_line_of_a_log_does_not_end_it():
    """A fatal line that holds the words of the end is a fatal line."""
    stamp = f"{(NOW - timedelta(minutes=1)).timestamp():.1f}"
    seen = facts_of(answer({"journal": f"source\tjournal of kubelet\nunix\t{stamp} h k: panic: x rc\t0\nrc\t0"}))
    assert [each.text for each in seen.log] == ["panic: x rc\t0"]


@pytest.mark.parametrize(
    "problem", [RecursionError("deep"), MemoryError(), ValueError("x"), KeyError("y"), OSError("z")]
)
def test_one_host_blinds_us_for_no_other(monkeypatch, problem):
    """Whatever error one host causes is its gap, and the others are judged."""

    def ask(hosts, spec, *_):
        if "w1" in spec:
            raise problem
        return answer({"host": f"now\t{int(NOW.timestamp())}"})

    monkeypatch.setattr(looking, "run_on_host", ask)
    monkeypatch.setattr(looking, "token_hex", lambda _: MARK)
    wanted = profile(hosts={"each": ["w1", "w2"]})
    bad, fine = look_at_hosts(wanted, snapshot({}), SINCE)
    assert bad.unseen.startswith(f"cannot be looked at: {type(problem).__name__}")
    assert (fine.unseen, fine.now) == ("", moment(2026, 11, 21, 1, tzinfo=UTC))


def test_one_host_that_cannot_be_judged_hides_no_other():
    """Facts that break a rule are that host's gap; the findings of the others are told."""
    broken = host("w1", services=(SimpleNamespace(),))
    stopped = host("w2", services=())
    seen = snapshot(good(nodes=[node("w1"), node("w2")]), hosts=[broken, stopped])
    result = judge("hosts.services", seen, profile=profile(hosts={}))
    assert [each.object for each in result.findings] == ["Host/w2"]
    assert "Host/w1 could not be judged: AttributeError" in result.reason
