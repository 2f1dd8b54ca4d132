"""The machines themselves, over ssh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.base.text import duration
from upgate.battery import check

if TYPE_CHECKING:
    from datetime import datetime

    from upgate.battery import Judgement
    from upgate.battery.machines import Machines
    from upgate.profile.parts import Expected


@check("hosts.services", severity="critical", expects="hosts", preflight="critical")
def test_every_service_runs_and_is_enabled(hosts: Machines) -> None:
    """On every host the kubelet, the container runtime and the profile's own services run and are enabled.

    A service that runs and is not enabled is gone after the next reboot.
    Look first: ssh {login} systemctl status kubelet
    """
    hosts.telling("services").none(lambda host: host.idle_services, expected="running and enabled")


@check("hosts.reboot", severity="warning", expects="hosts", preflight="warning")
def test_no_host_waits_for_a_reboot(hosts: Machines) -> None:
    """No host waits for a reboot.

    A kernel or library that was installed works only from the next boot on; a host that has waited for too long has been
    forgotten.
    Look first: ssh {login} 'cat /var/run/reboot-required.pkgs; uname -r; ls /boot'
    """
    hosts.telling("reboot").none(
        lambda host: host.reboot,
        expected=lambda host: f"no reboot is due, none for more than {duration(host.demands.reboot.max_age)}",
        severity=lambda host: "critical" if host.reboot_overdue else None,
    )


@check("hosts.versions", severity="critical", expects="expect.hosts")
def test_every_host_has_the_expected_versions(hosts: Machines, expect: Expected) -> None:
    """Every host has the versions that the profile expects of its kubelet, runtime, kernel and packages.

    What runs counts: an upgraded package changes nothing until its service is restarted.
    Look first: ssh {login} 'kubelet --version; containerd --version; uname -r'
    """
    hosts.telling("versions").none(lambda host: host.unexpected_versions, expected=lambda host: host.expected_versions)
    hosts.each_has("the version of", expect.hosts, lambda host, name: name in host.seen.versions)


@check("hosts.arguments", severity="critical", expects="hosts.arguments")
def test_every_component_has_its_arguments(hosts: Machines, judgement: Judgement) -> None:
    """On every host the components were started with the arguments that the profile demands.

    An upgrade may change a default, or rewrite a command line. What runs counts; where a component does not run, its
    static pod, container or unit does.
    Look first: ssh {login} ps -eo args
    """
    told = hosts.telling("arguments")
    told.none(lambda host: host.lacking_arguments, expected="the arguments that the profile demands")
    judgement.gaps += [gap for host in told for gap in host.unfilled]
    demanded = dict.fromkeys(name for host in told for name in host.target.arguments)
    told.each_has("the component", demanded, lambda host, name: host.command_lines(name))


@check("hosts.ports", severity="critical", expects="hosts.listening or hosts.not-listening")
def test_every_host_listens_where_it_should(hosts: Machines) -> None:
    """Every host listens on the sockets that the profile demands, and on none that it forbids.

    A port that is bound to 127.0.0.1 answers every question that is asked on the host, and none from outside.
    Look first: ssh {login} ss -ltnup
    """
    hosts.telling("ports").none(lambda host: host.wrong_sockets, expected=lambda host: host.expected_sockets)


@check("hosts.disk", severity="warning", expects="hosts", preflight="warning")
def test_no_disk_is_nearly_full(hosts: Machines) -> None:
    """On no host a file system of the system, the kubelet or the runtime runs out of space or inodes.

    Upgrades leave images and packages behind; a kubelet that runs out of either evicts pods.
    Look first: ssh {login} 'df -h; df -i'
    """
    hosts.telling("disk").none(
        lambda host: host.full_disks,
        expected=lambda host: f"{host.demands.disk.free}% of space and {host.demands.disk.inodes}% of inodes free",
    )


@check("hosts.limits", severity="warning", expects="hosts", preflight="warning")
def test_no_limit_of_the_kernel_is_nearly_reached(hosts: Machines) -> None:
    """On no host a limit of the kernel is nearly reached.

    File handles, tracked connections, process ids, threads, inotify, memory of compiled BPF programs: new kernels and agents
    have other limits and other needs. At a limit connections are dropped and programs fail to start, at random. Inotify and
    BPF are seen by root alone (`sudo: true`).
    Look first: ssh {login} 'sysctl fs.file-nr net.netfilter.nf_conntrack_count kernel.pid_max fs.inotify'
    """
    hosts.telling("limits").none(lambda host: host.tight_limits, expected="less than 80% of each in use")


@check("hosts.clock", severity="warning", expects="hosts", preflight="warning")
def test_every_clock_is_synchronised(hosts: Machines) -> None:
    """The clock of every host is synchronised.

    A clock that runs away makes certificates invalid, leases late and logs useless.
    Look first: ssh {login} 'timedatectl; chronyc tracking'
    """
    hosts.telling("clock").all(
        lambda host: host.seen.synchronised is not False,
        observed=lambda host: f"not synchronised, by {host.seen.clock}",
        expected="synchronised",
    )


@check("hosts.journal", severity="warning", expects="hosts")
def test_no_log_holds_a_fatal_line(hosts: Machines, since: datetime) -> None:
    """On no host the logs of the kubelet and the runtime hold a fatal line since the reference time.

    Panics, fatal errors of klog and rejected certificates: a kubelet that dies again and again is often Ready in between.
    Look first: ssh {login} journalctl -u kubelet -u containerd
    """
    hosts.telling("journal").none(
        lambda host: host.fatal_lines, expected=f"no fatal line since {since:%Y-%m-%dT%H:%M:%SZ}"
    )
