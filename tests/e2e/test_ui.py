"""`dusty ui` with a real engine and a real browser: what is seen there is so, and what is clicked happens."""

from __future__ import annotations

import json

import pytest
from stacks import SERVE, SmallStack

pytest.importorskip("uvicorn", reason="requirements-ui.txt is not installed")
from browser import browser
from ui_served import ui_served


def test_a_click_restarts_a_container_and_the_page_sees_it(rig, tmp_path):
    stack = SmallStack(tmp_path, rig.home, config="repos: {pull: never}\nhosts: {mode: 'off'}\n")
    stack.app("web", always=f"echo started with $DB_PASSWORD; {SERVE}", services="[cache]")
    rig.dusty("env", "set", "web", "DB_PASSWORD", "hunter2-hunter2")
    rig.dusty("up")
    before = rig.container_ids()
    with ui_served(rig) as url, browser(tuple(rig.machine.argv([]))) as page:
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
        # A world of the same stack: its own part can be restarted there, and those of the base can not.
        page.click("document.getElementById('close')")
        rig.dusty("world", "new", "fix", "--own", "web")
        told = json.loads(rig.dusty("up", "--json", "--world", "fix").stdout)
        assert {"name": "web", "url": "http://fix.web.test:8080/"} in told["urls"], told
        base = rig.container_ids()
        page.wait("!document.getElementById('world').hidden", 40)
        page.value(
            "document.getElementById('world').value = 'fix'; document.getElementById('world').dispatchEvent(new Event('change')); 1"
        )
        page.wait("document.getElementById('parts')?.innerText.includes('running (shared)')", 40)
        page.wait("document.getElementById('lines').innerText.includes('started with')", 40)
        page.click("[...document.querySelectorAll('#parts button')].find((e) => e.dataset.key === 'web')")
        page.wait(f"{restart}?.title.endsWith('restart --world fix web')")
        page.click(restart)
        page.wait("document.getElementById('lines').innerText.includes('--world fix web: exited with status 0')", 90)
        of_world = rig.container_ids()
        assert {name for name in base if base[name] != of_world.get(name)} <= {"dusty-fix_web_1"}
        assert "hunter2" not in page.value("document.body.innerText") and page.complaints() == []
    after = rig.container_ids(state="")
    assert before["dusty_web_1"] != after["dusty_web_1"] and before["dusty_cache_1"] == after["dusty_cache_1"]
