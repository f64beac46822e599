"""Quotations: JSON at /, and one line a connection on TCP port 1717."""

import random
import socketserver
import threading

from paper import Answer, serve

QUOTES = [
    (
        "The Analytical Engine weaves algebraic patterns just as the Jacquard loom weaves flowers and leaves.",
        "Ada Lovelace",
    ),
    ("To understand a program you must become both the machine and the program.", "Alan Perlis"),
    ("Simplicity is prerequisite for reliability.", "Edsger W. Dijkstra"),
    ("We can only see a short distance ahead, but we can see plenty there that needs to be done.", "Alan Turing"),
    ("There are two ways to write error-free programs; only the third one works.", "Alan Perlis"),
    ("A ship in port is safe; but that is not what ships are built for.", "Grace Hopper"),
]


class OneLine(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        text, author = random.choice(QUOTES)
        self.wfile.write(f"{text} ({author})\n".encode())


def handle(method: str, path: str, form: dict[str, str]) -> Answer | None:
    if path != "/":
        return None
    text, author = random.choice(QUOTES)
    return Answer.of({"text": text, "author": author})


class Lines(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


if __name__ == "__main__":
    threading.Thread(target=Lines(("", 1717), OneLine).serve_forever, daemon=True).start()
    print("quotations on port 8000 (HTTP) and 1717 (TCP)", flush=True)
    serve(8000, handle)
