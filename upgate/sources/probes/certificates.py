"""The certificate of a server that did not verify."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress


async def fetch(address: str, port: int, server_name: str, seconds: float) -> bytes | None:
    """The certificate of a server that did not verify, from a separate handshake over which no data is sent.

    None if it cannot be read: the failed verification is known already and is reported.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with suppress(OSError, TimeoutError, ValueError):  # ValueError: a name that TLS cannot ask for
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=server_name)
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.transport.abort()
        return der
    return None
