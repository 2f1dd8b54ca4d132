"""What a hostile host, or the kubelet of one, answers and names itself."""

from __future__ import annotations

#: The sections of gather.sh.
SECTIONS = (
    *("host", "services", "reboot", "versions", "arguments"),
    *("ports", "disk", "limits", "clock", "journal", "certificates", "settings"),
)
MARK = "0123456789abcdef"

#: A node's address in its status, which its kubelet writes.
ADDRESSES = (
    "127.0.0.1?ssh_config=/proc/self/cmdline&ssh_identity_file=x%0AMatch%20exec%20%22touch%20{marker}%22",
    "127.0.0.1?sudo=true",
    "10.0.0.1#x",
    "10.0.0.1/x",
    "10.0.0.1:22",
    "root@10.0.0.1",
    "[fe80::1]",
    "fe80::1%eth0",
    "fe80::1%0aProxyCommand",
    "::1%$(reboot)",
    "-oProxyCommand=id",
    "-1",
    "w1-",
    "a..b",
    ".a",
    "a.",
    "..",
    "a b",
    "a;b",
    "a'b",
    "a\nb",
    "a\n",
    "a\tb",
    "a\0b",
    "a%0ab",
    "$(reboot)",
    "`id`",
    "{name}",
    "{address}",
    "w\u200b1",
    "w\u202e1",
    "\uff11\uff10.0.0.1",
    "w\u00f6rker",
    "127.1",
    "2130706433",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "1.2.3.4.5",
    "300.0.0.1",
    "a" * 64,
    ".".join(["a" * 60] * 5),
    "a" * 1_000_000,
)
GOOD_ADDRESSES = (
    "10.0.0.1",
    "fd00::1",
    "::ffff:10.0.0.1",
    "w1",
    "W-1.example.com",
    "10-0-0-1.ec2.internal",
    "1a",
    "a" * 63,
)

#: Host specs of a profile in which something is hidden.
SPECS = (
    "ssh://w1?ssh_config=/a%0ab",
    "ssh://w1?ssh_config=/a%250ab",
    "ssh://w1?ssh_identity_file=%25h",
    "ssh://w1?ssh_identity_file=-oProxyCommand",
    "ssh://w1?ssh_identity_file=/keys/{name}",
    "ssh://w1?ssh_config=/a%00",
    "ssh://w1?ssh_config=/a%E2%80%8Bb",
    "ssh://w1?sudo_user=-s",
    "ssh://w1?sudo_user=a%20b",
    "ssh://w1?timeout=1;id",
    "ssh://w1?sudo=true#ssh_config=/x",
    "ssh://[::::::]",
    "ssh://w1:99999",
)

BOMB = "\n".join(
    ["x0: &x0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    + [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 7)]
    + ["spec: {containers: [{name: kube-proxy, command: *x6}]}"]
)
DEEP = "spec: {containers: [{name: kube-proxy, command: " + "[" * 20_000
MANIFESTS = {
    "an alias": BOMB,
    "deep brackets": DEEP,
    "a deep block": "\n".join(" " * n + "- " for n in range(300)),
    "a bad text": "spec: [}",
    "too long": "spec: {containers: [{name: kube-proxy, command: [x]}]}\n" + "#" * 200_000,
}
#: Those that can be read, and their arguments.
TAGS = {
    "spec: {containers: [{name: kube-proxy, command: [!!python/object/apply:os.system [id]]}]}": (),
    "spec: {containers: [{name: kube-proxy, command: [--a, !!timestamp 99999-99-99]}]}": ("--a", "99999-99-99"),
    "spec: {containers: [{name: kube-proxy, command: [--a, 2026-99-99, !!int x]}]}": ("--a", "2026-99-99", "x"),
    "spec: {containers: [{name: kube-proxy, command: [!!binary '%']}]}": ("%",),
    "? [a]\n: b\n? {c: d}\n: e\nspec: {containers: [{name: kube-proxy, command: [--a]}]}": ("--a",),
}
#: PyYAML makes half a character of it, libyaml an error.
SURROGATE = 'spec: {containers: [{name: kube-proxy, command: ["\\uD800"]}]}'

HUGE = "9" * 5000
#: Lines of a section that no honest host sends.
LINES: dict[str, tuple[str, ...]] = {
    "host": (
        "now\t99999999999999999999",
        "now\t-1",
        "now\t\u00b2",
        "now\tnan",
        f"now\t{HUGE}",
        "zone\t+9999",
        "zone\t\u0660\u0660\u0660\u0660",
        "zone",
    ),
    "services": ("unit", "unit\ta\nis\tLoadState", "is\t=", "container\ta", f"container\tkubelet\t{HUGE}"),
    "reboot": (
        f"running\t{HUGE}.1-a\nkernel\t{HUGE}.2-a 1",
        "flagged\t99999999999999",
        "flagged\t\u00b2",
        "kernel\t6.1 253402300800000",
        "kernel\t",
        f"advice\tReboot is required\nadvice\t * {HUGE}",
    ),
    "versions": (f"version\tkubelet {HUGE}", f"program\tkubelet\t{HUGE}.{HUGE}", "version\t", "image\tkubelet\t@:/"),
    "arguments": (
        "asked",
        "foreign",
        "process\tkubelet\t7\t",
        "process\tkubelet\t7\t\x1f\x1f",
        "container\tkubelet\t" + "[" * 50_000,
        'container\tkubelet\t["\\ud800", 3, null, 1e999]',
        "container\tkubelet\t" + HUGE,
        "exec\tkubelet\targv[]=",
        "line\tx",
        "asked\tkube-proxy\nmanifest\nline\tx",
        *(
            f"asked\tkube-proxy\nmanifest\t/x.yaml\n{'line' + chr(9)}{text.replace(chr(10), chr(10) + 'line' + chr(9))}"
            for text in (*MANIFESTS.values(), *TAGS, SURROGATE)
        ),
    ),
    "ports": (
        "ss\ttcp LISTEN 0 0 a:b c",
        f"ss\ttcp LISTEN 0 0 1.1.1.1:{HUGE} c",
        "ss\ttcp LISTEN 0 0 1.1.1.1:\u00b2 c",
        "ss\tx LISTEN 0 0 1.1.1.1:1 c",
        "tcp\tzz:zz 0A",
        "tcp\t0100007F:FFFFFFFF 0A",
        "tcp6\t01:1 0A",
        "tcp\t",
    ),
    "disk": (
        f"space\ta ext4 {HUGE} 1 {HUGE} 1% /",
        "space\ta ext4 \u00b2 1 \u00b2 1% /",
        "space\ta ext4 -1 1 -5 1% /",
        f"space\ta ext4 1 1 1 1% /\ninodes\ta {HUGE} {HUGE} {HUGE} 1% /",
        "space\ta ext4 1 1 1 1% /\ninodes\ta \u00b2 \u00b2 \u00b2 1% /",
    ),
    "limits": (
        "limit",
        "limit\tfile handles",
        "limit\tx\t1\t0",
        f"limit\tx\t{HUGE}\t{HUGE}",
        "limit\tx\t\u00b2\t1",
        "limit\tx\t-1\t1",
    ),
    "clock": ("chronyc", "chronyc\tLeap status" + " " * 50_000, "adjtimex\treturn value: 99"),
    "journal": (
        "first\t1e300\nborn\t-1e300",
        "first\tinf",
        "source\tx\nunix\tnan panic: a",
        "source\tx\niso\t0001-01-01T00:00:00+23:59 panic: b",
        "source\tx\niso\t99999-01-01T00:00:00Z panic: b",
        "source\tx\nstamped\t0101 00:00:00|panic: c",
        "source\tx\nstamped\t9999 99:99:99|panic: c",
        "source\tx\nunix\t1.0 h k: panic: forged rc\t0",
        "rc\t",
        "rc\tx",
    ),
    "certificates": (
        "pem\tx",
        "file",
        "file\t/a\npem\t-----BEGIN CERTIFICATE-----\npem\tAAAA\npem\t-----END CERTIFICATE-----",
        "data\t\u00b2",
        "kubeconfig\t/a\ndata\t!!!",
    ),
}
#: Texts that take a careless pattern much longer than their length.
LONG = {
    "flags": "process\tkube-proxy\t7\t" + "-password" * 7000,
    "hyphens": "process\tkube-proxy\t7\t" + "-" * 65_000,
    "a unit": "exec\tkube-proxy\t" + "argv[]=" * 9000,
    "digits": "program\tkubelet\t" + "1" * 65_000,
    "brackets": "container\tkube-proxy\t" + "[" * 65_000,
    "blanks": "advice\t" + " " * 65_000,
    "stars": "advice\tReboot is required" + " *" * 30_000,
    "owners": "ss\ttcp LISTEN 0 0 1:1 " + 'users:(("' * 7000,
    "tabs": "\t" * 65_000,
}


def answer(sections: dict[str, str] | None = None, mark: str = MARK) -> str:
    """A whole answer of gather.sh with these lines in its sections."""
    parts = [f"{mark}\tbegin {name}\n{(sections or {}).get(name, '')}\n{mark}\tend {name}\n" for name in SECTIONS]
    return "".join(parts) + f"{mark}\twhole\n"
