"""Says loud what the broker brings, and counts."""

import os
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

BROKER = urlsplit(os.environ["BROKER_URL"])
SUBSCRIBED = threading.Event()
COUNT = [0]


def serve_broker() -> None:
    with socket.create_connection((BROKER.hostname, BROKER.port), 5) as connection:
        connection.settimeout(None)
        stream = connection.makefile("rwb")
        stream.write(b'CONNECT {"verbose": false}\r\nSUB words 1\r\nPING\r\n')
        stream.flush()
        while line := stream.readline():
            verb, *rest = line.split()
            if verb == b"PONG":
                SUBSCRIBED.set()
            elif verb == b"PING":
                stream.write(b"PONG\r\n")
            elif verb == b"MSG":
                word = stream.read(int(rest[-1]) + 2)[:-2]
                COUNT[0] += 1
                stream.write(b"PUB loud %d\r\n%s\r\n" % (len(word), word.upper()))
            stream.flush()


def keep_serving() -> None:
    while True:
        try:
            serve_broker()
        except OSError as error:
            print(error, flush=True)
        SUBSCRIBED.clear()
        time.sleep(0.05)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = str(COUNT[0]).encode()
        self.send_response(200 if SUBSCRIBED.is_set() else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


threading.Thread(target=keep_serving, daemon=True).start()
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
