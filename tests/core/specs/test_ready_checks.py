"""`ready` of an app: the health check that it becomes, run by a real shell."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dusty_tasks.core.specs.ready import healthcheck_of


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/it's/up" else 500)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        pass


@pytest.mark.parametrize("tool", ["wget", "curl", "python3"])
def test_each_tool_tells_a_good_answer_from_a_bad_one_and_from_none(tool: str, tmp_path: Path) -> None:
    # The python3 on a PATH may be a program that looks for one, and finds none on the PATH of this test.
    found = sys.executable if tool == "python3" else shutil.which(tool)
    if not found:
        pytest.skip(f"no {tool} on this machine")
    (tmp_path / tool).symlink_to(found)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def status(path: str, port: int) -> int:
        check = healthcheck_of({"http": path}, [port])
        assert check
        argv = ["/bin/sh", "-c", check["test"][1]]
        return subprocess.run(argv, env={"PATH": str(tmp_path)}, capture_output=True, check=False).returncode

    port = server.server_address[1]
    assert status("/it's/up", port) == 0 and status("it's/up", port) == 0
    assert status("/broken", port) != 0
    server.shutdown()
    server.server_close()
    assert status("/it's/up", port) != 0


def test_without_a_tool_the_check_says_what_to_write() -> None:
    check = healthcheck_of({"http": "/", "port": 1}, [])
    assert check
    done = subprocess.run(
        ["/bin/sh", "-c", check["test"][1]], env={"PATH": "/nowhere"}, capture_output=True, check=False
    )
    assert done.returncode == 1 and b"write ready: {command: ...}" in done.stderr


def test_what_is_missing_is_filled_in() -> None:
    assert healthcheck_of({"command": "test -e /up", "within": "2m"}, []) == {
        "test": ["CMD-SHELL", "test -e /up"],
        "interval": "2s",
        "timeout": "5s",
        "retries": 3,
        "start_period": "2m",
    }
    assert healthcheck_of({"http": "/"}, []) is None and healthcheck_of(None, [80]) is None
