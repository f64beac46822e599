"""An app for tests of the proxy: what it does is in the path, and it prints the first line of each request that it gets."""

from __future__ import annotations

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

OTHERWISE = (*sys.argv[2:4], *("echo", "")[len(sys.argv[2:4]) :])
"""What any other path does, and with which word: the second and third argument."""


class App(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        print(f"{self.command} {self.path}"[:80], flush=True)
        name, _, word = self.path[1:].partition("?")
        if name not in ("events", "close", "header", "status", "hang", "upload", "socket"):
            name, word = OTHERWISE
        getattr(self, name)(word)

    do_HEAD = do_POST = do_PUT = do_GET

    def say(self, body: str, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for key, value in {"Content-Type": "text/plain", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body.encode())

    def echo(self, _: str) -> None:
        """The headers as they came."""
        self.say(json.dumps(self.headers.items()))

    def events(self, word: str) -> None:
        """As many server-sent events, one each 0.5 s; each says when it was sent."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for _ in range(int(word)):
            self.wfile.write(f"data: {time.time()}\n\n".encode())
            time.sleep(0.5)
        self.close_connection = True

    def close(self, _: str) -> None:
        """Ends the connection without a word."""
        self.close_connection = True

    def header(self, word: str) -> None:
        """Cookies of so many characters in all, and header names that few others have."""
        self.send_response(200)
        for _ in range(int(word) // 1000):
            self.send_header("Set-Cookie", f"a={'b' * 998}")
        self.send_header("with_underscore", "1")
        self.send_header("with.dot", "2")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def status(self, word: str) -> None:
        """An answer with this status."""
        self.say(f"its own {word}", int(word))

    def hang(self, word: str) -> None:
        """The answer comes after so many seconds."""
        time.sleep(float(word))
        self.say("late")

    def socket(self, _: str) -> None:
        """Another protocol from now on: what comes is sent back."""
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", self.headers["Upgrade"])
        self.end_headers()
        while data := self.rfile.read1(100):
            self.wfile.write(data)
        self.close_connection = True

    def upload(self, _: str) -> None:
        """When the first byte of what is sent arrived, when the last, and how many there were."""
        first, total = 0.0, 0
        for piece in self.pieces():
            first, total = first or time.time(), total + len(piece)
        self.say(json.dumps([first, time.time(), total]))

    def pieces(self):
        left = int(self.headers.get("Content-Length") or 0)
        while left:
            piece = self.rfile.read1(min(left, 65536))
            left -= len(piece)
            yield piece
        while self.headers.get("Transfer-Encoding") == "chunked" and (size := int(self.rfile.readline(), 16)):
            yield self.rfile.read(size)
            self.rfile.readline()

    def log_message(self, *_: object) -> None:
        pass


ThreadingHTTPServer(("", int(sys.argv[1])), App).serve_forever()
