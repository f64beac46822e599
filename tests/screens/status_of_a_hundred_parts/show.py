"""One frame of `status -w --stats` with a hundred parts on 24 lines: what needs a look is on it, the others are counted."""

import os

from recorded import facts, part

from dusty_tasks.console import drawn_for
from dusty_tasks.verbs import status

stack = [
    part(
        f"app{number:03}",
        routes=[f"http://app{number:03}.example.test/"],
        stats={"cpu_percent": number / 3, "memory_bytes": number << 20},
    )
    for number in range(94)
]
stack += [part(f"job{number}", "finished", "finished (exited 0)", since="2 days ago") for number in range(3)]
stack += [
    part(
        "zebra",
        "failed",
        "failed (exited 137)",
        since="5 seconds ago",
        why="was killed: it took more memory than it may",
    )
]
stack += [
    part("yak", pending="restart: its code changed (2 files), main.py is new"),
    part("xerus", "starting", since="Less than a second"),
]
size = os.get_terminal_size()
print(drawn_for(status.frame(facts(stack), size.columns, size.lines)), end="", flush=True)
