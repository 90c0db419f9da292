import hashlib
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROUNDS = 4000
# What slower versions of this service change; see tests/sample_challenges/timed.py.
TIMES = 1.0
STALL_EVERY = 0
STALL_S = 0.1
BURNS = False
WRONG_EVERY = 0
DIES_AFTER = 0

one_at_a_time = threading.Lock()
served = 0


class Prover(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        self.answer({"ready": True})

    def do_POST(self):
        global served
        text = json.loads(self.rfile.read(int(self.headers["content-length"])))["of"]
        with one_at_a_time:
            served += 1
            number = served
            proof = hashlib.pbkdf2_hmac("sha256", text.encode(), b"assay", ROUNDS).hex()
            if TIMES > 1:
                hashlib.pbkdf2_hmac("sha256", b"more", b"assay", round(ROUNDS * (TIMES - 1)))
            if STALL_EVERY and number % STALL_EVERY == 0:
                time.sleep(STALL_S)
        if DIES_AFTER and number > DIES_AFTER:
            os._exit(3)
        if WRONG_EVERY and number % WRONG_EVERY == 0:
            proof = proof[::-1]
        self.answer({"proof": proof})

    def answer(self, document):
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def burn():
    while True:
        hashlib.pbkdf2_hmac("sha256", b"burn", b"assay", 100_000)


if BURNS:
    threading.Thread(target=burn, daemon=True).start()
ThreadingHTTPServer.request_queue_size = 128
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Prover).serve_forever()
