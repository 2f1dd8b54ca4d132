"""What a sample sends: the bytes of its request, and the TLS settings of who takes any certificate."""

from __future__ import annotations

import ssl
from functools import lru_cache

import httpx

from upgate.sources.probes.http import HEADERS
from upgate.sources.probes.target import ProbeTarget


def worded_request(target: ProbeTarget, *, kept: bool) -> bytes:
    """The bytes of the request, as the gate's probe sends it."""
    url = httpx.URL(target.url)
    headers = httpx.Headers(HEADERS)
    if url.userinfo:
        user = httpx.BasicAuth(url.username, url.password)
        headers["Authorization"] = next(user.auth_flow(httpx.Request("GET", url))).headers["Authorization"]
    headers.update(target.headers)
    sent = httpx.Request(target.method, url, headers=headers)
    fields = b"".join(name + b": " + value + b"\r\n" for name, value in sent.headers.raw)
    close = b"" if kept else b"Connection: close\r\n"
    return target.method.encode() + b" " + url.raw_path + b" HTTP/1.1\r\n" + fields + close + b"\r\n"


@lru_cache(maxsize=1)
def any_certificate() -> ssl.SSLContext:
    """Takes any certificate, as the kubeconfig's insecure-skip-tls-verify says."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
