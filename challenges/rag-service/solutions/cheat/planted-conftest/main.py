"""Trick: an empty service; the files beside it try to be imported by whatever runs the tests."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class OnlyReady(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"ready": true}'
        self.send_response(200 if self.path == "/ready" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), OnlyReady).serve_forever()
