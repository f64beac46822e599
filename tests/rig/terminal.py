"""A person at a terminal: a command on a pty of 80 columns, and what is typed once a question is on the screen."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from select import select

CTRL_C, CTRL_D = "\x03", "\x04"


def at_terminal(
    argv: Sequence[str], env: Mapping[str, str], answers: Sequence[tuple[str, str]], seconds: float = 60
) -> tuple[int, str]:
    """Exit code and screen. Each answer (pattern of the last line, what is typed) waits for its turn; all must be asked for.

    A control character is typed as it is, anything else with Enter.
    """
    pid, screen = pty.fork()
    if pid == 0:
        os.execvpe(argv[0], list(argv), dict(env))
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    text, seen, waiting, end = "", 0, list(answers), time.monotonic() + seconds
    while time.monotonic() < end:
        if not select([screen], [], [], 1)[0]:
            continue
        try:
            piece = os.read(screen, 4096)
        except OSError:
            break
        if not piece:
            break
        text += piece.decode(errors="replace")
        found = re.search(waiting[0][0], text[seen:].rsplit("\n", 1)[-1]) if waiting else None
        if found:
            typed = waiting.pop(0)[1]
            os.write(screen, typed.encode() if typed in (CTRL_C, CTRL_D) else f"{typed}\n".encode())
            seen = len(text)
    else:
        os.kill(pid, signal.SIGKILL)
        text += "\n[killed: took too long]"
    os.close(screen)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    screen_text = text.replace("\r\n", "\n")
    assert not waiting, f"never asked: {waiting}\n{screen_text}"
    return code, screen_text
