"""Asks the neighbour, and counts."""

import http.client
import json
import os
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ONE_AT_A_TIME = threading.Lock()
COUNT = Path(os.environ["STATE_DIR"]) / "count"


def said(body: bytes) -> bytes:
    """What the neighbour says to the third ask at the latest. Raises OSError and HTTPException when it does not."""
    for attempt in range(3):
        try:
            with urllib.request.urlopen(os.environ["NEIGHBOUR_URL"] + "/say", body, timeout=5) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            if error.code != 503 or attempt == 2:
                raise
    raise AssertionError


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        count = COUNT.read_text() if COUNT.is_file() else "0"
        self.reply(200, json.dumps(int(count)).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            answer = said(body)
        except (OSError, http.client.HTTPException) as error:
            self.reply(502, repr(error).encode())
            return
        with ONE_AT_A_TIME:
            count = int(COUNT.read_text()) if COUNT.is_file() else 0
            COUNT.with_suffix(".new").write_text(str(count + 1))
            COUNT.with_suffix(".new").replace(COUNT)
        self.reply(200, answer)

    def reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
