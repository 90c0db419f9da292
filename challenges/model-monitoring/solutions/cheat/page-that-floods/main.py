"""A page without an end, lines that are no samples, and labels made to break whoever reads them."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def page():
    kinds = ("nan", "-1e999", "0x10", "1_000", "\u0661", "9" * 5000)
    odd = [f'drift_detected{{kind="feature",feature="weight_kg"}} {kind}' for kind in kinds]
    odd += ['drift_detected{kind="feature",feature="' + "\\\\" * 20000 + '"} 1', 'x{a="' + 'b",a="' * 5000, "\x00" * 1000]
    flood = (f'predictions_total{{model_version="{number}"}} {number}' for number in range(60_000))
    return "\n".join((*odd, *flood))


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
