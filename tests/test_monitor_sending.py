"""One attempt to reach somebody, with real servers on loopback."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from msgspec import structs

from tests.servers import accepting
from upgate.monitor import sending
from upgate.monitor.message import Message

TOKEN = "T0KEN-of-a-webhook"
MESSAGE = Message(
    id="1", title="t", text="t", profile="prod", server="s", verdict="clear", at=datetime.now(UTC), report="r"
)


def begin_headers(connection: socket.socket) -> None:
    """Answer with headers without an end, each faster than any socket's timeout."""

    def run() -> None:
        with suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            for _ in range(20):
                time.sleep(0.1)
                connection.sendall(b"X-More: yes\r\n")

    connection.recv(65536)
    threading.Thread(target=run, daemon=True).start()


def test_an_answer_in_drops_does_not_hold_a_round_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, and the whole never does: the attempt has an end of its own."""
    monkeypatch.setattr(sending, "PATIENCE", 0.3)
    with accepting(begin_headers) as port:
        for url in (f"http://127.0.0.1:{port}/{TOKEN}", f"json://127.0.0.1:{port}/{TOKEN}"):
            with pytest.raises(sending.Undelivered, match=r"no answer within|no end of it after") as caught:
                sending.send(url, MESSAGE)
            assert TOKEN not in str(caught.value)


def test_what_a_service_takes_is_what_it_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names from a cluster become no markup in a mail or a chat, and too much of them is cut instead of refused."""
    with sending.unlogged():
        service = sending.service_for("tgram://123456789:abcdefg_hijklmnop/12315544/")
        sent: list[str] = []
        monkeypatch.setattr(service, "send", lambda body, **_: sent.append(body) or True)
        assert sending.notify_service(service, structs.replace(MESSAGE, text="<a href='https://evil'>Pod</a>\n" * 1000))
        split = sending.service_for("tgram://123456789:abcdefg_hijklmnop/12315544/?overflow=split")
    assert [len(body) <= service.body_maxlen for body in sent] == [True]
    assert "<a" not in sent[0]
    assert "&lt;a" in sent[0]
    assert split.overflow_mode == "split"
