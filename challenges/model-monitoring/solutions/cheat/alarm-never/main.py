"""Flags nothing ever: no false alarm in two hundred windows."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAMES = ("distance_km", "weight_kg", "temperature_c", "parcels_on_van", "stops_before", "carrier", "service", "area")


def page():
    lines = [f'drift_detected{{kind="feature",feature="{name}"}} 0' for name in NAMES]
    lines += [f'drift_detected{{kind="{kind}"}} 0' for kind in ("prediction", "label", "accuracy")]
    lines += ["drift_windows_total 1", "label_windows_total 1", 'predictions_total{model_version="2026.10.2"} 500']
    return "\n".join(lines) + "\n"


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
