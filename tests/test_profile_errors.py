from __future__ import annotations

import pytest
import yaml

from tests.profile_files import Folder

#: Each text, and the only error that it has.
WRONG = {
    "an unknown key": (
        "expect:\n  nodes: {mim: 3}\n",
        '2:11: expect.nodes.mim: unknown key; did you mean "min"? Valid keys: deny, image, image-label, kernel, kubelet, min, '
        "pool-label, runtime, taints",
    ),
    "an unknown key with an underscore": (
        "expect: {may_be_empty: []}",
        '1:10: expect.may_be_empty: unknown key; did you mean "may-be-empty"? '
        "Valid keys: hosts, may-be-empty, next-version, nodes, tls-days, version",
    ),
    "an unknown key without a neighbour": (
        "scope: {zzz: 1}",
        "1:9: scope.zzz: unknown key. Valid keys: namespaces",
    ),
    "an unknown key with nothing behind it": (
        "scope: {zzz: }",
        "1:9: scope.zzz: unknown key. Valid keys: namespaces",
    ),
    "text for a number": (
        'expect: {nodes: {min: "3"}}',
        '1:23: expect.nodes.min: expected a whole number; found the text "3"',
    ),
    "a negative number": ("expect: {nodes: {min: -1}}", "1:23: expect.nodes.min: must be greater than or equal to 0"),
    "a denial without a reason": (
        'expect: {nodes: {deny: [{kernel: "5.4*"}]}}',
        '1:25: expect.nodes.deny[0]: needs the key "reason"',
    ),
    "a denial of every node": (
        "expect: {nodes: {deny: [{reason: bad}]}}",
        "1:25: expect.nodes.deny[0]: needs one of kubelet, kernel, runtime, image",
    ),
    "a denial with a blank reason": (
        'expect: {nodes: {deny: [{image: "*", reason: " "}]}}',
        "1:46: expect.nodes.deny[0].reason: must not be empty: say why",
    ),
    "a kernel that is neither a version nor a pattern": (
        "expect: {nodes: {kernel: new}}",
        '1:26: expect.nodes.kernel: not a version such as "1.36", a range such as ">=6.1, <6.12", nor a pattern such as '
        '"5.4.0-1043*"',
    ),
    "a kubelet that is a number": (
        "expect: {nodes: {kubelet: 1.30}}",
        '1:27: expect.nodes.kubelet: expected text; YAML reads 1.30 as a number; quote it: "1.30"',
    ),
    "a runtime whose bracket is never closed": (
        'expect: {nodes: {runtime: "containerd://[12.*"}}',
        "1:27: expect.nodes.runtime: not a pattern: a [ has no closing ]",
    ),
    "no taints": ("expect: {nodes: {taints: []}}", "1:26: expect.nodes.taints: must not be empty"),
    "a lock without a unit": (
        "kured: {max-lock-age: 2}",
        "1:23: kured.max-lock-age: a duration needs a unit: say 2ms, 2s or 2m",
    ),
    "a number for text": (
        "description: 7",
        '1:14: description: expected text; YAML reads 7 as a number; quote it: "7"',
    ),
    "a list for text": ("description: [a]", "1:14: description: expected text; found a list"),
    "text for a mapping": (
        "cluster: prod",
        '1:10: cluster: expected a mapping of keys to values; found the text "prod"',
    ),
    "a mapping for a list": ("waivers: {}", "1:10: waivers: expected a list, such as [one, two]; found a mapping"),
    "text for true or false": (
        'external: [{name: a, url: "https://a.b", follow: maybe}]',
        '1:50: external[0].follow: expected true or false; found the text "maybe"',
    ),
    "a version that is a number": (
        "expect:\n  version: 1.30",
        '2:12: expect.version: expected text; YAML reads 1.30 as a number; quote it: "1.30"',
    ),
    "a version deep inside that is a number": (
        "expect:\n  hosts:\n    kubelet: 1.30\nhosts: {}",
        '3:14: expect.hosts.kubelet: expected text; YAML reads 1.30 as a number; quote it: "1.30"',
    ),
    "a word that YAML takes for true": (
        "cluster: {context: on}",
        '1:20: cluster.context: expected text; YAML reads on as a true-or-false value; quote it: "on"',
    ),
    "no version": (
        'expect: {version: "latest"}',
        '1:19: expect.version: not a version such as "1.36" or "v1.36.2", nor a range such as ">=1.35, <1.37"',
    ),
    "a duplicate key": ("description: a\ndescription: b", "2:1: description: duplicate key; the first is in line 1"),
    "a duplicate key inside": (
        "gate: {clean: 1, clean: 2}",
        "1:18: gate.clean: duplicate key; the first is in line 1",
    ),
    "a duplicate name": (
        "external:\n- {name: a, url: 'https://a.b'}\n- {name: a, url: 'https://a.c'}",
        "3:10: external[1].name: duplicate name; the first is in line 2",
    ),
    "an unknown check": (
        "checks: {nodes.redy: off}",
        '1:10: checks.nodes.redy: no check has this id; did you mean "nodes.ready"?',
    ),
    "an unknown check that may be empty": (
        "expect: {may-be-empty: [pods.bar]}",
        '1:25: expect.may-be-empty[0]: no check has this id; did you mean "pods.bare"?',
    ),
    "an unknown external check": (
        "external: [{name: shop, url: 'https://a.b'}]\nchecks: {external.shops: off}",
        '2:10: checks.external.shops: no check has this id; did you mean "external.shop"?',
    ),
    "an unknown severity": (
        "checks: {nodes.ready: fatal}",
        "1:23: checks.nodes.ready: expected 'critical', 'warning' or 'off'; found the text \"fatal\"",
    ),
    "a severity that YAML takes for true": (
        "checks: {nodes.ready: on}",
        "1:23: checks.nodes.ready: expected 'critical', 'warning' or 'off'; found the true-or-false value on",
    ),
    "a waiver of an unknown check": (
        "waivers: [{check: pods.restart, reason: x, until: 2027-01-01}]",
        '1:19: waivers[0].check: no check matches this pattern; did you mean "pods.restarts"?',
    ),
    "a waiver of a pattern without checks": (
        'waivers: [{check: "mesh.*", reason: x, until: 2027-01-01}]',
        "1:19: waivers[0].check: no check matches this pattern",
    ),
    "an expired waiver": (
        "waivers: [{check: pods.bare, reason: x, until: 2026-11-20}]",
        "1:48: waivers[0].until: this waiver has expired; renew it or remove it",
    ),
    "a waiver without end": (
        "waivers:\n- {check: pods.bare, reason: x}",
        '2:3: waivers[0]: needs the key "until"',
    ),
    "a waiver without reason": (
        "waivers: [{check: pods.bare, until: 2027-01-01}]",
        '1:11: waivers[0]: needs the key "reason"',
    ),
    "a waiver with a blank reason": (
        'waivers: [{check: pods.bare, reason: " ", until: 2027-01-01}]',
        "1:38: waivers[0].reason: must not be empty: say why",
    ),
    "no date": (
        "waivers: [{check: pods.bare, reason: x, until: soon}]",
        "1:48: waivers[0].until: not a date such as 2026-12-31",
    ),
    "a date that no calendar has": (
        "waivers: [{check: pods.bare, reason: x, until: 2026-13-45}]",
        "1:48: waivers[0].until: looks like a YAML date but is not one; quote it if it is text",
    ),
    "a time without zone": (
        "since: 2026-11-21 01:00:00",
        "1:8: since: a time needs its zone, such as 2026-11-21T01:30:00Z or 2026-11-21T10:30:00+09:00",
    ),
    "a bare number for a duration": (
        "window: 30",
        "1:9: window: a duration needs a unit: say 30ms, 30s or 30m",
    ),
    "no duration": (
        "patience: {start-up: fast}",
        "1:22: patience.start-up: not a duration such as 800ms, 30s, 5m, 1h30m or 2d",
    ),
    "a duration beyond the calendar": (
        "monitor: {keep: 800000d}",
        "1:17: monitor.keep: longer than a hundred years",
    ),
    "an endless duration": (
        f"window: {'9' * 30}d",
        "1:9: window: not a duration such as 800ms, 30s, 5m, 1h30m or 2d",
    ),
    "no regular expression": (
        'external: [{name: a, url: "https://a.b", matches: "("}]',
        "1:51: external[0].matches: not a regular expression: missing ), unterminated subpattern at position 0",
    ),
    "no pattern": ('scope: {namespaces: ["a["]}', "1:22: scope.namespaces[0]: not a pattern: a [ has no closing ]"),
    "an empty pattern": (
        'scope: {namespaces: ["!"]}',
        "1:22: scope.namespaces[0]: an empty pattern matches nothing; * matches everything",
    ),
    "no namespace at all": ("scope: {namespaces: []}", "1:21: scope.namespaces: must not be empty"),
    "no URL": (
        "external: [{name: a, url: shop.example.com}]",
        "1:27: external[0].url: not a URL such as https://shop.example.com/healthz",
    ),
    "true where a port belongs": (
        "external: [{name: a, closed: true}]",
        "1:30: external[0].closed: not of the form host:port, such as db.example.com:5432 or [2001:db8::1]:5432; "
        "found the true-or-false value true",
    ),
    "a URL with a wrong port": (
        'external: [{name: a, url: "https://a.b:99999/"}]',
        "1:27: external[0].url: not a URL: Port out of range 0-65535",
    ),
    "no status": (
        'external: [{name: a, url: "https://a.b", status: [99]}]',
        "1:51: external[0].status[0]: must be greater than or equal to 100",
    ),
    "nothing to ask": (
        "external: [{name: a}]",
        "1:12: external[0]: needs exactly one of url, journey, tcp, tls, dns, websocket, closed; has none",
    ),
    "two things to ask": (
        'external: [{name: a, tcp: "a:1", dns: a}]',
        "1:12: external[0]: needs exactly one of url, journey, tcp, tls, dns, websocket, closed; has tcp and dns",
    ),
    "an expectation of a thing that cannot have it": (
        'external: [{name: a, tcp: "a:1", status: 200}]',
        "1:34: external[0].status: has no effect without url",
    ),
    "no port": (
        "external: [{name: a, tcp: db}]",
        "1:27: external[0].tcp: not of the form host:port, such as db.example.com:5432 or [2001:db8::1]:5432",
    ),
    "each without its address": (
        'external: [{name: a, each: node, url: "http://a.b"}]',
        "1:39: external[0].url: needs {address} where that of each node belongs",
    ),
    "an address of nothing": (
        'external: [{name: a, url: "http://{address}:80"}]',
        "1:27: external[0].url: has {address}, but each is not set",
    ),
    "a word that nothing stands for": (
        'external: [{name: a, each: node, url: "http://{address}{path}"}]',
        "1:39: external[0].url: {path} is not available with each: node; available: {address} or {name}",
    ),
    "a pool of no nodes": (
        'external: [{name: a, each: ingress, pool: edge, tcp: "{address}:443"}]',
        "1:37: external[0].pool: has no effect without each: node",
    ),
    "a pool that selects nothing": (
        'external: [{name: a, each: node, pool: "a in (b)", tcp: "{address}:443"}]',
        "1:40: external[0].pool: not a label selector such as pool=edge, zone!=a or !spot",
    ),
    "a resolver of nothing": (
        'external: [{name: a, tcp: "a:1", resolver: 10.0.0.10}]',
        "1:34: external[0].resolver: has no effect without dns",
    ),
    "an address that is none": (
        'external: [{name: a, dns: a.b, resolver: "http://10.0.0.10"}]',
        "1:42: external[0].resolver: not of the form host:port",
    ),
    "an unknown record": (
        "external: [{name: a, dns: a.b, record: X}]",
        "1:40: external[0].record: expected 'A', 'AAAA', 'CNAME', 'MX', 'NS', 'SRV' or 'TXT'; found the text \"X\"",
    ),
    "an unknown version of TLS": (
        'external: [{name: a, tls: "a.b:443", versions: [SSLv3]}]',
        "1:49: external[0].versions[0]: expected 'TLSv1', 'TLSv1.1', 'TLSv1.2' or 'TLSv1.3'; found the text \"SSLv3\"",
    ),
    "credentials without a password": (
        "external: [{name: a, url: 'https://a.b', basic: ops}]",
        "1:49: external[0].basic: not of the form user:password",
    ),
    "no attempt at all": (
        "external: [{name: a, url: 'https://a.b', attempts: 0}]",
        "1:52: external[0].attempts: must be greater than or equal to 1",
    ),
    "a proxy of another kind": (
        "external: [{name: a, url: 'https://a.b', proxy: 'socks5://a.b:1080'}]",
        "1:49: external[0].proxy: not a URL such as http://shop.example.com",
    ),
    "a capture that cannot be understood": (
        "external: [{name: a, journey: [{get: 'https://a.b', capture: {t: xpath}}]}]",
        "1:66: external[0].journey[0].capture.t: not of the form json:…, header:…, cookie:…, regex:…; such as json:token",
    ),
    "HTTP/2 without TLS": (
        'external: [{name: a, url: "http://a.b", http2: true}]',
        "1:41: external[0].http2: HTTP/2 needs an https:// URL",
    ),
    "a name that looks like another kind": (
        'external: [{name: tcp.a, url: "https://a.b"}]',
        "1:19: external[0].name: external.tcp.… are the ids of tcp entries; choose a name that does not begin with tcp.",
    ),
    "a certificate of plain text": (
        'external: [{name: a, url: "http://a.b", tls-days: 3}]',
        "1:41: external[0].tls-days: without https:// there is no certificate",
    ),
    "a name that no id can hold": (
        'external: [{name: "a b", url: "https://a.b"}]',
        "1:19: external[0].name: a name is made of letters, digits, dots, hyphens and underscores: "
        "it becomes part of a check's id",
    ),
    "a step of nothing": (
        "external: [{name: a, journey: [{status: 200}]}]",
        "1:32: external[0].journey[0]: needs exactly one of get, post, put, patch, delete, head; has none",
    ),
    "a revision that is no name": (
        "mesh: {revision: Asm_1}",
        "1:18: mesh.revision: not the name of a revision, such as asm-1140-0: small letters, digits and - between them",
    ),
    "a tag of no revision": (
        "mesh: {tags: {prod: [a]}}",
        "1:21: mesh.tags.prod: expected text; found a list",
    ),
    "a key of the mesh that is written wrong": (
        "mesh: {revisions: a}",
        '1:8: mesh.revisions: unknown key; did you mean "revision"? Valid keys: expect, retired, revision, tags',
    ),
    "a version of proxies that is none": (
        "mesh: {expect: newest}",
        '1:16: mesh.expect: not a version such as "1.36" or "v1.36.2", nor a range such as ">=1.35, <1.37"',
    ),
    "a pattern of an image that is not closed": (
        "mesh: {expect: 'a/[b'}",
        "1:16: mesh.expect: not a pattern: a [ has no closing ]",
    ),
    "a revision that is expected and retired": (
        "mesh: {revision: a, tags: {prod: b}, retired: [c, b]}",
        "1:51: mesh.retired[1]: this revision is expected, as mesh.revision or in mesh.tags, so it cannot be retired",
    ),
    "a word that nothing allows": (
        "allow: [pod-proxy]",
        "1:9: allow[0]: expected 'secrets', 'pods-proxy', 'nodes-proxy' or 'logs'; found the text \"pod-proxy\"",
    ),
    "two clusters": (
        "cluster: {snapshot: a, context: b}",
        "1:24: cluster.context: only one of snapshot or context can be set; set the others to null",
    ),
    "an unknown demo": (
        "cluster: {embedded: sick}",
        "1:21: cluster.embedded: expected 'healthy' or 'broken'; found the text \"sick\"",
    ),
    "no rate": (
        "monitor: {fail-after: 3 of 2}",
        "1:23: monitor.fail-after: not of the form `2 of 3`: so many failures in so many rounds",
    ),
    "an unset variable": (
        "cluster:\n  context: ${CONTEXT}",
        "2:12: cluster.context: the environment variable CONTEXT is not set",
    ),
    "an unset variable in a URL": (
        'monitor: {heartbeat: "${URL}"}',
        "1:22: monitor.heartbeat: the environment variable URL is not set",
    ),
    "a variable without a name": (
        'description: "${}"',
        "1:14: description: ${} names no variable; write ${NAME}, or $${ for a plain ${",
    ),
    "a variable without an end": (
        'description: "${HOME"',
        "1:14: description: ${HOME names no variable; write ${NAME}, or $${ for a plain ${",
    ),
    "a YAML tag": (
        "description: !!python/name:os.system",
        "1:14: description: the YAML tag !!python/name:os.system is refused; remove it",
    ),
    "a tagged mapping": (
        "cluster: !box {context: a}",
        "1:10: cluster: the YAML tag !box is refused; remove it",
    ),
    "a tab": ("cluster:\n\tcontext: a", "2:1: not YAML: a tab; indent with spaces"),
    "an open bracket": (
        "checks: {a: off",
        "1:9: not YAML: ",
    ),
    "a colon in a text": (
        "description: Tokyo: production",
        '1:19: not YAML: expected no second ": " here: quote text with ": " in it, or correct the indentation; '
        "the line is: description: Tokyo: production",
    ),
    "a key with too much indentation": (
        "gate:\n  clean: 3\n    every: 30s",
        '3:10: not YAML: expected no second ": " here: quote text with ": " in it, or correct the indentation; '
        "the line is: every: 30s",
    ),
    "a key with too little indentation": (
        "gate:\n  clean: 3\n every: 30s",
        "3:2: not YAML: expected a key on its own line, indented like its neighbors; the line is: every: 30s",
    ),
    "a key without a colon": (
        "gate:\n  clean\n  every: 30s",
        '3:8: not YAML: expected no second ": " here',
    ),
    "a word between keys": (
        "description: a\ngate\nwindow: 1h",
        '2:1: not YAML: expected ": " after this key; the line is: gate',
    ),
    "a list that is not closed": (
        "waivers: [\nwindow: 1h",
        '1:10: not YAML: expected "," or "]" in the list that begins in line 1, column 10; the line is: waivers: [',
    ),
    "a mapping that is not closed": (
        "gate: {clean: 3\nwindow: 1h",
        '2:7: not YAML: expected "," or "}" in the mapping that begins in line 1, column 7; the line is: window: 1h',
    ),
    "an entry without its hyphen": (
        "waivers:\n  - check: a\n  check: b",
        '3:3: not YAML: expected "- ", indented like the other entries of the list; the line is: check: b',
    ),
    "a pattern without quotes": (
        "scope: {namespaces: [*]}",
        '1:23: not YAML: expected a name after *; a pattern is quoted: "*"; the line is: scope: {namespaces: [*]}',
    ),
    "an excluding pattern without quotes": (
        "scope:\n  namespaces:\n  - !sandbox",
        '3:5: scope.namespaces[0]: the YAML tag !sandbox is refused; remove it, or quote the text: "!sandbox"',
    ),
    "a quote that is not closed": (
        "description: 'a\ngate: {clean: 3}",
        "1:14: not YAML: expected the closing quote of the text that begins here; the line is: description: 'a",
    ),
    "a quote inside quotes": (
        "description: 'it's fine'",
        "1:18: not YAML: expected a key on its own line, indented like its neighbors",
    ),
    "a backslash in double quotes": (
        'description: "\\d"',
        "1:14: not YAML: expected an escape such as \\n; a backslash itself is \\\\, or use single quotes; the line is:",
    ),
    "a word that begins with a character of YAML": (
        "description: @home",
        "1:14: not YAML: expected text in quotes, because it begins with a character of YAML itself; "
        "the line is: description: @home",
    ),
    "a comma too many": ("waivers: [,]", "1:11: not YAML: expected a value; the line is: waivers: [,]"),
    "a list behind a key": (
        "waivers: - a",
        '1:10: not YAML: expected a value: a list of "- " entries begins on its own line',
    ),
    "a tag on a key": ("!box description: a", "1:1: the YAML tag !box is refused; remove it"),
    "a control character": ("description: a\nextends: \x07", "2:10: not YAML: a control character"),
    "two documents": (
        "description: a\n---\ndescription: b",
        "2:1: a second document begins; a profile is one document",
    ),
    "an unknown alias": ("description: *a", "1:14: description: no anchor &a ends before this *a"),
    "an alias inside itself": ("cluster: &a [*a]", "1:14: cluster[0]: no anchor &a ends before this *a"),
    "a list as a key": ("? [a]\n: b", "1:3: a key must be text, not a list, a mapping or an alias"),
    "nothing": ("", "1:1: the file is empty; a profile needs at least `description: …`"),
    "a comment": ("# nothing\n", "1:1: the file is empty; a profile needs at least `description: …`"),
    "a list of things": (
        "\n- a",
        "2:1: a profile is a mapping of keys to values, such as `cluster: {context: prod}`",
    ),
    "not UTF-8": (b"cluster: {}\ndescription: caf\xe9", "2:17: not UTF-8; save the file as UTF-8"),
    "a deep nest": ("[" * 100_000, "1:42: nested deeper than 40 levels"),
    "a base that is not there": (
        "extends: prud",
        '1:10: extends: there is no profile prud; did you mean "prod"? There are:',
    ),
    "itself": ("extends: prod", "1:10: extends: a profile cannot extend itself"),
    "itself by its path": ("extends: ../profiles/prod.yaml", "1:10: extends: a profile cannot extend itself"),
    "a condition on a body that does not come": (
        'external: [{name: a, url: "https://a.b", method: HEAD, body: ok}]',
        "1:56: external[0].body: an answer to HEAD has no body",
    ),
    "a redirect that is followed and expected": (
        'external: [{name: a, url: "https://a.b", follow: true, location: /in}]',
        "1:56: external[0].location: with follow: true no redirect is left to look at",
    ),
    "an address with a port": (
        'external: [{name: a, url: "https://a.b", address: "10.0.0.1:443"}]',
        "1:51: external[0].address: not an address or a name alone, such as 10.0.0.1",
    ),
    "a URL where a name belongs": (
        'external: [{name: a, dns: "https://a.b"}]',
        "1:27: external[0].dns: not an address or a name alone",
    ),
    "a key without its certificate": (
        'external: [{name: a, url: "https://a.b", client-key: k.pem}]',
        "1:42: external[0].client-key: has no effect without client-certificate",
    ),
    "a certificate of a name": (
        "external: [{name: a, dns: a.b, tls-days: 21}]",
        "1:32: external[0].tls-days: has no effect without url or journey or tcp or tls or websocket",
    ),
    "a certificate of a plain WebSocket": (
        'external: [{name: a, websocket: "ws://a.b", tls-days: 21}]',
        "1:45: external[0].tls-days: without https:// there is no certificate",
    ),
    "two ways to say who we are": (
        'external: [{name: a, url: "https://a.b", basic: "a:b", bearer: c}]',
        "1:56: external[0].bearer: only one of basic and bearer can be set",
    ),
    "a header with a blank": (
        'external: [{name: a, url: "https://a.b", headers: {X Y: z}}]',
        "1:52: external[0].headers.X Y: not the name of a header such as X-Request-Id",
    ),
    "a null that is expected": (
        'external: [{name: a, url: "https://a.b", json: {error: null}}]',
        "1:56: external[0].json.error: null sets nothing, so nothing would be expected; to expect null, say matches:",
    ),
    "no time at all, in which everything looks closed": (
        'external: [{name: a, closed: "a.b:1", timeout: 0s}]',
        "1:48: external[0].timeout: must be longer than zero",
    ),
    "a word that nobody captures": (
        'external: [{name: a, journey: [{get: "https://a.b/{id}", capture: {id: "json:id"}}]}]',
        "1:38: external[0].journey[0].get: has {id}, which no step before this one captures",
    ),
    "a step with two bodies": (
        'external: [{name: a, journey: [{post: "https://a.b", form: {a: b}, json: {}}]}]',
        "1:68: external[0].journey[0].json: only one of form and json can be set",
    ),
}


@pytest.fixture(params=["libyaml", "Python"])
def folder(request, tmp_path, monkeypatch) -> Folder:
    """A working directory; PyYAML with its C library, and without it, as on some machines."""
    monkeypatch.chdir(tmp_path)
    if request.param == "Python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    return Folder(tmp_path)


@pytest.mark.parametrize(("text", "error"), WRONG.values(), ids=WRONG)
def test_an_error_has_its_line_and_column(folder, text, error):
    """Every kind of mistake is one line with file, line, column, what was found and what to write instead."""
    (line,) = folder.errors(text)
    assert line.startswith(f"profiles/prod.yaml:{error}")


def test_all_errors_are_told_at_once(folder):
    """Mistakes of different kinds are told together, in the order of the file."""
    mistakes = [
        "description: 7",
        "description: ${NOPE}",
        "expect: {version: 1.30, nodes: {mim: 1}}",
        "cluster: {snapshot: a, embedded: b}",
        "checks: {nodes.redy: off}",
        "waivers: [{check: pods.bare, reason: x, until: 2020-01-01}, {}]",
        "external: [{name: a, url: x}, {name: a, url: 'https://a.b', within: 3}]",
        "expct: !!set {}",
    ]
    errors = folder.errors("\n".join(mistakes))
    where = [tuple(map(int, error.split(":")[1:3])) for error in errors]
    assert where == sorted(where)
    assert {line for line, _ in where} == {2, 3, 4, 5, 6, 7, 8}, "the first description is replaced by the second"
    assert len(errors) == 16


def test_an_error_in_the_base_is_told_of_the_base(folder):
    """With extends, each error points into the file that holds the mistake."""
    folder.write("description: Production\nexpect: {version: 1.30}")
    errors = folder.errors("extends: prod\ngate: {clean: 0}", "staging")
    assert [error.partition(": ")[0] for error in errors] == ["profiles/prod.yaml:2:19", "profiles/staging.yaml:2:15"]


def test_syntax_errors_of_the_base_are_told_too(folder):
    """A base that is not YAML is one error, in the base."""
    folder.write("a: [")
    (error,) = folder.errors("extends: prod", "staging")
    assert error.startswith("profiles/prod.yaml:1:5: not YAML")


def test_a_base_cannot_extend_another_profile(folder):
    """There is one level of extension."""
    folder.write("description: a", "base")
    folder.write("extends: base")
    (error,) = folder.errors("extends: prod", "staging")
    assert error == (
        "profiles/staging.yaml:1:10: extends: profiles/prod.yaml itself extends base; "
        "only one level is possible: extend that one, or repeat what is needed"
    )


def test_a_circle_is_called_a_circle(folder):
    """Two profiles that extend each other are an error that says so."""
    folder.write("extends: staging")
    (error,) = folder.errors("extends: prod", "staging")
    assert error.endswith("profiles/prod.yaml itself extends staging; that is a circle")


@pytest.mark.parametrize(
    "text",
    [
        'external: [{name: a, url: "${SECRET}"}]',
        'external: [{name: a, url: "https://a.b", matches: "(?P<${SECRET}"}]',
        'monitor: {heartbeat: "https://[${SECRET}"}',
        'checks: {nodes.ready: "${SECRET}"}',
        'external: [{name: "${SECRET} x", url: "https://a.b"}]',
        'waivers: [{check: "${SECRET}", reason: x, until: "${SECRET}"}]',
        'scope: {namespaces: "${SECRET}"}',
        'expect: {version: "${SECRET}", nodes: {min: "${SECRET}"}}',
        'extends: "${SECRET}"',
        'cluster: {embedded: "${SECRET}"}',
        'external: [{name: a, tcp: "${SECRET}"}]',
        'window: "${SECRET}"',
    ],
)
def test_no_error_quotes_a_secret(folder, text):
    """What a variable stands for is in no message, whatever is wrong with it."""
    assert "hunter2" not in "\n".join(folder.errors(text, SECRET="hunter2!["))


def test_an_unfolding_bomb_is_refused(folder):
    """A few lines of aliases that unfold to billions of values end in one error."""
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (error,) = folder.errors("\n".join(levels))
    assert "unfolds to more than 100000 values" in error


def test_aliases_nest_no_deeper_than_brackets(folder):
    """A long chain of aliases, each inside the next, ends in one error."""
    levels = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 3000))]
    (error,) = folder.errors("\n".join(levels))
    assert error.startswith("profiles/prod.yaml:41:6: nested deeper than 40 levels")


@pytest.mark.parametrize("line", ["basic: ops:hunter2: b", "url: https://a.b/hunter2: c", "notify: [hunter2: : ]"])
def test_no_line_with_a_secret_is_shown(folder, line):
    """A syntax error shows its line only as far as no credential can be in it."""
    (error,) = folder.errors(f"description: a\n{line}\n  c: d")
    assert "not YAML" in error
    assert "hunter2" not in error


def test_without_a_name_the_profiles_are_listed(folder):
    """No name, or an unknown one, is answered with the names that there are."""
    from upgate.base.errors import UsageError

    folder.write("description: a", "tokyo")
    for name in (None, "", "tokio"):
        with pytest.raises(UsageError, match=r"There are: default, demo, demo-broken, tokyo\."):
            folder.load_with(name, {})


@pytest.mark.parametrize("path", ["profiles", "profiles/none.yaml", "profiles/../none.yml"])
def test_a_path_that_is_no_file_is_an_error(folder, path):
    """A folder, or a path where nothing is, is one sentence."""
    from upgate.base.errors import UsageError

    with pytest.raises(UsageError, match=r"there is no profile|cannot be read: Is a directory"):
        folder.load_with(f"./{path}", {})


def test_a_condition_of_the_base_can_be_taken_away(folder):
    """null under `json` sets nothing, but takes away what the base expects."""
    folder.write('external: [{name: a, url: "https://a.b", json: {status: up, error: none}}]', "base")
    folder.write("extends: base\nexternal: [{name: a, json: {error: null}}]")
    assert folder.load().external[0].json_values == {"status": "up"}
