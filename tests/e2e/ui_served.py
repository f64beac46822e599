"""`dusty ui` on the machine of the rig, for tests: its address, and what it tells a page."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from machine import CLEAN_PATH

ROOT = Path(__file__).resolve().parents[2]
PORT = 8911


@contextmanager
def ui_served(rig: Any) -> Iterator[str]:
    """The page's address; ^C at the end of the block, which has to end the server."""
    argv = [str(ROOT / "dusty"), "ui", "--no-open", "--port", str(PORT)]
    env = {"DUSTY_HOME": str(rig.home), "PATH": CLEAN_PATH, "HOME": "/root", "LANG": "C.UTF-8"}
    server = subprocess.Popen(rig.machine.argv(argv), env=env, stdout=subprocess.PIPE, text=True)
    try:
        url = server.stdout.readline().strip() if server.stdout else ""
        assert url.startswith(f"http://dusty.localhost:{PORT}/#")
        yield url
    finally:
        server.send_signal(signal.SIGINT)
        end = time.monotonic() + 20
        while server.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        server.kill()
        server.wait()


def told_by(rig: Any, url: str, is_enough: Callable[[dict[str, list[Any]]], object]) -> dict[str, list[Any]]:
    """What the server tells a page, by kind, until that is enough or 40 seconds are over."""
    address, _, token = url.partition("#")
    argv = ["curl", "-sN", "-m", "40", "-H", f"X-Dusty-Token: {token}", f"{address}api/events"]
    told: dict[str, list[Any]] = {}
    with subprocess.Popen(rig.machine.argv(argv), stdout=subprocess.PIPE, text=True) as curl:
        for line in curl.stdout or ():
            if line.startswith("data: "):
                for kind, values in json.loads(line[6:]).items():
                    told.setdefault(kind, []).extend(values)
                if is_enough(told):
                    break
        curl.kill()
    return told
