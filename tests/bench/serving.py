"""A server that answers what a test tells it to, and remembers what it was asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bench.target import Target, attach

Answer = Callable[[str], dict[str, Any]]


class Handler(BaseHTTPRequestHandler):
    """One request; the server object has the answer."""

    protocol_version = "HTTP/1.1"
    # Else an answer's body waits for the acknowledgement of its head.
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer()

    def _answer(self) -> None:
        path = self.path.partition("/users/bench")[2]
        if path == "/metadata-collection-id":
            answer = {"metadataCollectionId": "1"}
        else:
            answer = self.server.answer(path)  # type: ignore[attr-defined]
        body = json.dumps({"relatedHTTPCode": 200} | answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Threads end with the connections that they serve, and are waited for."""

    daemon_threads = False

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer


@contextmanager
def answering(answer: Answer, label: str = "edgenode") -> Iterator[Target]:
    """A target whose answers to the paths after ``/users/bench`` are these."""
    server = Server(answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    target = attach(label, f"http://127.0.0.1:{server.server_port}", "any")
    try:
        yield target
    finally:
        target.close()
        server.shutdown()
        thread.join()
        server.server_close()
