"""Every metric the brief names, as they might look, from a file that never changes."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def page():
    return Path(__file__).with_name("metrics.txt").read_text(encoding="utf-8")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/metrics":
            self.answer(page().encode(), "text/plain; version=0.0.4")
        else:
            self.answer(b'{"ready": true, "model_version": "2026.10.2"}', "application/json")

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/labels":
            answer = {"matched": len(body["labels"]), "unknown": 0, "duplicate": 0}
        else:
            rows = [{"id": row["id"], "probability": 0.3, "late": False} for row in body["instances"]]
            answer = {"model_version": "2026.10.2", "predictions": rows}
        self.answer(json.dumps(answer).encode(), "application/json")

    def answer(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("0.0.0.0", int(os.environ.get("PORT", "8000"))), Handler).serve_forever()
