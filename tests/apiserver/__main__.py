"""Serves a recorded cluster until Ctrl-C: python -m tests.apiserver healthy --kubeconfig demo.kubeconfig"""

from __future__ import annotations

import argparse
import contextlib
import signal
from collections.abc import Sequence
from pathlib import Path

from tests.apiserver.cluster import EmbeddedCluster


def main(argv: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.apiserver", description="Serve a recorded cluster on loopback."
    )
    parser.add_argument(
        "state", nargs="?", default="healthy", help="healthy, broken, or a recording (default: healthy)"
    )
    parser.add_argument("--port", type=int, default=0, help="default: any free one")
    parser.add_argument("--kubeconfig", type=Path, default=Path("embedded.kubeconfig"), help="where to write one")
    options = parser.parse_args(argv)
    with EmbeddedCluster(options.state, port=options.port, tls=True) as cluster, contextlib.suppress(KeyboardInterrupt):
        for ending in (signal.SIGINT, signal.SIGTERM):  # a shell's background job ignores the first
            signal.signal(ending, signal.default_int_handler)
        path = cluster.kubeconfig(options.kubeconfig)
        print(f"{cluster.url} answers as the {options.state} cluster; KUBECONFIG={path}; Ctrl-C ends it", flush=True)
        signal.pause()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
