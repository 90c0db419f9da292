"""The language model on a port, to try your service with: python llm.py --port 9000

It answers questions about assets/sample (and others if they use the documents' own words), and fails on cue: POST a
list of faults to /faults, and each is used up by one of the requests that follow. A fault is an object with any of

    status        answer with this status instead, and retry_after (seconds) if that is given, too
    body          answer with status 200 and this text
    delay_s       take this long
    cut           drop the connection, in a stream after so many pieces
    say           answer with this text, whatever was asked

GET /seen gives what it was asked so far. Nothing but the standard library is needed.
"""

import argparse
import json
import os
import socket
import threading
import time
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from answerer import Answerer, Refused, count_tokens, read_prompt, streamed, whole

SAMPLE = Path(os.environ.get("SAMPLE_DIR", Path(__file__).resolve().parent.parent / "assets" / "sample"))
PAUSE_S = 0.02


class LocalModel(ThreadingHTTPServer):
    """The model, what it was asked, and the faults it is yet to make."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, sample: Path = SAMPLE) -> None:
        super().__init__(("127.0.0.1", port), Talk)
        topics = tomllib.loads((sample / "topics.toml").read_text(encoding="utf-8"))["topics"]
        self.answerer = Answerer(topics)
        self.faults: list[dict[str, Any]] = []
        self.seen: list[dict[str, Any]] = []
        self.lock = threading.Lock()


class Talk(BaseHTTPRequestHandler):
    server: LocalModel
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path == "/seen":
            self.send_whole(200, json.dumps(self.server.seen).encode())
        else:
            self.send_whole(404, b"{}")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path == "/faults":
            with self.server.lock:
                self.server.faults += json.loads(body)
            self.send_whole(200, b"{}")
        elif self.path == "/v1/chat/completions":
            self.complete(body)
        else:
            self.send_whole(404, b'{"error": {"message": "no such path"}}')

    def complete(self, body: bytes) -> None:
        with self.server.lock:
            fault = self.server.faults.pop(0) if self.server.faults else {}
        time.sleep(fault.get("delay_s", 0))
        try:
            document = json.loads(body)
            prompt = read_prompt(document)
        except (ValueError, Refused) as error:
            refused = error.body() if isinstance(error, Refused) else {"error": {"message": "not JSON"}}
            self.send_whole(400, json.dumps(refused).encode())
            return
        said = self.server.answerer.complete(prompt)
        text = fault.get("say", said.text)
        with self.server.lock:
            self.server.seen.append(
                {"at_s": time.monotonic(), "request": document, "said": text, "obeyed": said.obeyed}
            )
        if "status" in fault:
            more = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
            self.send_whole(fault["status"], b'{"error": {"message": "try again"}}', more)
        elif "body" in fault:
            self.send_whole(200, fault["body"].encode())
        else:
            self.say(text, prompt.tokens, document.get("stream") is True, fault.get("cut"))

    def say(self, text: str, prompt_tokens: int, stream: bool, cut: int | None) -> None:
        tokens = count_tokens(text)
        usage = {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": tokens,
            "total_tokens": prompt_tokens + tokens,
        }
        if stream:
            self.send_stream(streamed("chatcmpl-local", text, usage), cut)
        elif cut is not None:
            self.hang_up()
        else:
            self.send_whole(200, whole("chatcmpl-local", text, usage))

    def send_whole(self, status: int, body: bytes, more: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(more or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_stream(self, pieces: list[bytes], cut: int | None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number, piece in enumerate(pieces):
            if cut is not None and number >= cut:
                self.hang_up()
                return
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.flush()
            time.sleep(PAUSE_S)
        self.wfile.write(b"0\r\n\r\n")

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="The language model on a port.")
    parser.add_argument("--port", type=int, default=9000)
    LocalModel(parser.parse_args().port).serve_forever()
