"""Trick: answers made to break whoever reads them (and a broken grader might not say failed).

NaN, doubled keys, very deep JSON, a body that inflates, one that never ends, a redirect to somewhere else, and markup
for the page that shows them.
"""

import gzip
import itertools
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SCRIPT = b'<script>document.title="100 points"</script>{{7*7}}\x1b[2J\x1b]0;passed\x07'
POISONS = itertools.cycle(
    (
        ("200 json", b'{"answered": NaN, "answer": Infinity, "citations": NaN, "results": NaN, "usage": -Infinity}'),
        ("200 json", b'{"answered": true, "answered": false, "results": [], "results": [1], "error": {"code": 1e999}}'),
        ("200 json", b"[" * 200_000),
        ("200 json", b"9" * 200_000),
        ("200 gzip", gzip.compress(b"0" * 20_000_000)),
        ("200 endless", b'{"answered": true, "padding": "'),
        ("307 redirect", b""),
        ("200 json", SCRIPT),
    )
)


class Poison(BaseHTTPRequestHandler):
    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.command == "PUT":
            # Taken for good, so that there is more to read.
            return self.send("201 json", b"{}")
        if self.path == "/ready":
            return self.send("200 json", b'{"ready": true}')
        return self.send(*next(POISONS))

    def send(self, kind: str, body: bytes) -> None:
        status, form = kind.split()
        self.send_response(int(status))
        self.send_header("Content-Type", "application/json")
        if form == "gzip":
            self.send_header("Content-Encoding", "gzip")
        if form == "redirect":
            self.send_header("Location", "file:///etc/passwd")
        if form != "endless":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
            while form == "endless":
                self.wfile.write(b"0" * 65536)
        except OSError:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Poison).serve_forever()
