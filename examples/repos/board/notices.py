"""The notices, kept in Redis. Also a small program: notices.py post TEXT | clear."""

import socket
import sys
import time

KEY = "notices"


def ask(*words: str) -> object:
    """One command to Redis over its own protocol, and its answer (RESP2: text, number, list or None)."""
    with socket.create_connection(("redis", 6379), timeout=3) as connection, connection.makefile("rwb") as stream:
        stream.write(
            b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w.encode()), w.encode()) for w in words)
        )
        stream.flush()
        return read_answer(stream)


def read_answer(stream) -> object:
    kind, rest = (line := stream.readline())[:1], line[1:-2]
    if kind == b"-":
        raise OSError(rest.decode())
    if kind == b":":
        return int(rest)
    if kind == b"*":
        return [read_answer(stream) for _ in range(int(rest))]
    if kind == b"$" and int(rest) >= 0:
        return stream.read(int(rest) + 2)[:-2].decode()
    return rest.decode() if kind == b"+" else None


def post(text: str) -> None:
    ask("LPUSH", KEY, f"{int(time.time())} {text}")
    ask("LTRIM", KEY, "0", "49")


def all_notices() -> list[tuple[int, str]]:
    """Time and text, the newest first."""
    return [(int(when), text) for when, text in (line.split(" ", 1) for line in ask("LRANGE", KEY, "0", "-1"))]


def clear() -> None:
    ask("DEL", KEY)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["post", *words] if words:
            post(" ".join(words))
            print("pinned; it is on http://board.example.test/")
        case ["clear"]:
            clear()
            print("the board is empty")
        case _:
            sys.exit("usage: notices.py post TEXT | clear")
