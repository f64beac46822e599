"""`dusty ui` with a real engine and a real browser: what is seen there is so, and what is clicked happens."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from machine import CLEAN_PATH
from stacks import SERVE, SmallStack

pytest.importorskip("uvicorn", reason="requirements-ui.txt is not installed")
from browser import browser

ROOT = Path(__file__).resolve().parents[2]
PORT = 8911


def test_a_click_restarts_a_container_and_the_page_sees_it(rig, tmp_path):
    stack = SmallStack(tmp_path, rig.home, config="repos: {pull: never}\nhosts: {mode: 'off'}\n")
    stack.app("web", always=f"echo started with $DB_PASSWORD; {SERVE}", services="[cache]")
    rig.dusty("env", "set", "web", "DB_PASSWORD", "hunter2-hunter2")
    rig.dusty("up")
    before = rig.container_ids()
    argv = [str(ROOT / "dusty"), "ui", "--no-open", "--port", str(PORT)]
    env = {"DUSTY_HOME": str(rig.home), "PATH": CLEAN_PATH, "HOME": "/root", "LANG": "C.UTF-8"}
    server = subprocess.Popen(rig.machine.argv(argv), env=env, stdout=subprocess.PIPE, text=True)
    try:
        url = server.stdout.readline().strip()
        assert url.startswith(f"http://dusty.localhost:{PORT}/#")
        with browser(tuple(rig.machine.argv([]))) as page:
            page.open(url)
            page.wait("document.querySelectorAll('#parts li').length >= 3", 40)
            page.wait("document.getElementById('lines').innerText.includes('started with <redacted>')", 40)
            page.click("[...document.querySelectorAll('#parts button')].find((e) => e.dataset.key === 'web')")
            restart = "[...document.querySelectorAll('#about button')].find((e) => e.textContent === 'Restart')"
            page.wait(f"Boolean({restart})")
            page.click(restart)
            page.wait("document.getElementById('lines').innerText.includes('restart web: exited with status 0')", 90)
            page.wait("document.getElementById('lines').innerText.split('started with').length >= 3", 40)
            page.wait("document.querySelectorAll('svg.plot').length === 2", 40)
            rig.run(["docker", "kill", "dusty_web_1"])
            page.wait("document.getElementById('about').innerText.match(/137|killed/)", 40)
            page.click("[...document.querySelectorAll('#stack-buttons button')].find((e) => e.textContent === 'Plan')")
            page.wait("document.getElementById('dialog-text').textContent.includes('web')", 40)
            assert "hunter2" not in page.value("document.body.innerText") and page.complaints() == []
            if folder := os.environ.get("DUSTY_UI_PICTURES"):
                page.picture(Path(folder) / "real.png")
        after = rig.container_ids(state="")
        assert before["dusty_web_1"] != after["dusty_web_1"] and before["dusty_cache_1"] == after["dusty_cache_1"]
    finally:
        server.send_signal(subprocess.signal.SIGINT)
        end = time.monotonic() + 20
        while server.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        server.kill()
