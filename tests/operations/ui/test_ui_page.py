"""The page of `dusty ui` in a real browser, fed by a server without an engine (with one: tests/e2e/test_ui.py)."""

from __future__ import annotations

import importlib.util
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pictures
import pytest
from browser import Browser, browser
from test_ui_server import TOKEN, Served

from dusty_tasks.effects.machine.browser import _leading_to

pytestmark = [
    pytest.mark.skipif(not shutil.which("chromium"), reason="there is no chromium"),
    pytest.mark.slow,
]
AT = "2026-11-28T10:00:00.000+00:00"


def part(name: str, condition: str = "running", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "type": "app",
        "condition": condition,
        "state": condition,
        "why": "",
        "since": "3 hours",
        "image": "python:3.12-slim",
        "routes": [f"http://{name}.test/"],
        "ports": [],
        "code": "92c058489c",
        "repos": [f"github.com/acme/{name}"],
        "last": "created: it had no container",
        "pending": "",
        "stats": {"cpu_percent": 1.5, "memory_bytes": 50 << 20},
        **more,
    }


def state(parts: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    names = [each["name"] for each in parts]
    return {
        "bundles": ["shop"],
        "docker_host": {"name": "this machine", "answers": True},
        "stack": parts,
        "repos": [],
        "needs": {name: names[number // 3 : number // 3 + 1] if number else [] for number, name in enumerate(names)},
        "named": {"shop": names[-2:]},
        "scripts": {"web": ["reset"]},
        "suites": {"web": ["unit"]},
        "called": "dusty",
        "running": "",
        "trouble": "",
        **more,
    }


BROKEN = {
    "worker": part("worker", "failed", state="failed (exited 1)", why="exited with status 1"),
    "mailer": part("mailer", "not answering", why="does not answer at http://mailer.test/"),
    "search": part("search", "unhealthy", why="its health check fails"),
}
HUNDRED = [part("web", code="0ab1c2d3e4"), *(part(f"app{number:02}") for number in range(96)), *BROKEN.values()]


WHY = {
    "name": "worker",
    "now": "failed 2 minutes ago, with status 1",
    "died": {"what": "it exited with status 1: its command failed", "place": "apps/worker.yml:9:3"},
    "what": "restarted",
    "cause": "its code changed",
    "place": "apps/worker.yml:4:5",
    "printed": [
        "worker: connecting to queue:5672",
        "Traceback (most recent call last):",
        '  File "/code/worker.py", line 41, in <module>',
        "ConnectionRefusedError: [Errno 111] Connection refused",
    ],
    "history": [
        {"at": f"2026-11-28T09:{minute:02}:07.000+00:00", "text": text}
        for minute, text in (
            (2, "worker was created: it had no container"),
            (2, "worker started"),
            (41, "worker was restarted: its code changed, apps/worker.yml:4:5"),
            (41, "worker exited with status 1"),
        )
    ],
}
ITEMS = [
    {
        "what": "line",
        "name": ("web", "app03", "app17", "worker")[number % 4],
        "at": f"2026-11-28T10:00:{number:02}.000+00:00",
        "text": ("GET /basket 200 in 12 ms", "took order 4711", "GET /health 200", "connecting to queue:5672")[
            number % 4
        ],
        "stream": "stderr" if number % 8 == 3 else "stdout",
    }
    for number in range(40)
] + [{"what": "die", "name": "worker", "at": "2026-11-28T10:00:41.000+00:00", "text": "worker exited with status 1"}]


@pytest.fixture
def served() -> Iterator[Served]:
    with Served.running() as made:
        yield made


@pytest.fixture
def page() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


def url(served: Served) -> str:
    return f"http://dusty.localhost:{served.port}/#{TOKEN}"


UNNAMED = """[...document.querySelectorAll('button, input, select, a, [role=button], svg[role]')].filter((e) =>
  !(e.textContent.trim() || e.getAttribute('aria-label') || (e.labels && e.labels.length) || e.title)).map((e) => e.outerHTML)"""
AXES = [
    Path(found.origin).with_name("axe.min.js")
    for name in ("axe_core_python", "axe_playwright_python")
    if (found := importlib.util.find_spec(name)) and found.origin
]
"""Packages that bring axe-core along: the first is in requirements-dev.txt; the second has a newer one, and drags playwright in."""


def violations(page: Browser) -> list[str]:
    """What axe-core finds wrong."""
    found: list[str] = []
    for axe in AXES:
        page.value(axe.read_text() + "; 1")
        found += page.value(
            "axe.run().then((found) => found.violations.map((each) => `${each.id}: ${each.help}: ${each.nodes.map((n) => n.html + ' ' + n.failureSummary).slice(0, 3)}`))"
        )
    return found


CONTRAST = """(() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  return [...document.querySelectorAll('body *')].filter((e) => e.offsetParent && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) && !e.disabled).map((e) => {
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    return [(a + 0.05) / (b + 0.05), e.outerHTML.slice(0, 120)];
  }).filter(([ratio]) => ratio < 4.5);
})()"""
"""Texts with a contrast below that of WCAG 2.2, 1.4.3."""


def test_a_person_finds_what_is_broken_and_acts(served: Served, page: Browser) -> None:
    served.feed.tell("state", state([]))
    page.open(url(served))
    page.wait("document.getElementById('parts').innerText.includes('nothing is active')")
    assert page.value("location.hash") == "" and page.value("sessionStorage.getItem('dusty-token')") == TOKEN
    assert page.value("document.cookie") == ""
    served.feed.tell("state", state(HUNDRED))
    page.wait("document.querySelectorAll('#parts li').length === 100")
    first = page.value("[...document.querySelectorAll('#parts .name')].slice(0, 3).map((e) => e.textContent)")
    assert set(first) == set(BROKEN), "what is broken stands first"
    # A part, its button, and the command that the button names.
    served.commands.answer = {
        "name": "web",
        "now": "is running",
        "printed": ["boom"],
        "history": [{"at": AT, "text": "web was restarted"}],
    }
    page.click("[...document.querySelectorAll('#parts button')].find((e) => e.dataset.key === 'web')")
    page.wait("document.getElementById('about').innerText.includes('web was restarted')")
    restart = "[...document.querySelectorAll('#about button')].find((e) => e.textContent === 'Restart')"
    assert page.value(f"{restart}.title") == "dusty restart web"
    page.click(restart)
    page.wait("document.getElementById('said').textContent === 'running: dusty restart web'")
    assert served.commands.ran == [["restart", "web"]]
    assert violations(page) == []
    # By keyboard alone: to the next button, and press it.
    page.value(f"{restart}.focus()")
    page.press("Tab")
    assert page.value("document.activeElement.title") == "dusty up web"
    page.press("Enter")
    page.wait("document.getElementById('said').textContent === 'running: dusty up web'")
    # What an app prints is text, whatever it looks like, and finds its way to nobody else.
    served.feed.tell_item(
        {"what": "line", "name": "web", "at": AT, "text": "<img src=x onerror=document.title=1><script>1</script>"}
    )
    page.wait("document.getElementById('lines').innerText.includes('<img src=x')")
    assert (
        page.value("document.querySelectorAll('#lines img, #lines script').length") == 0
        and page.value("document.title") == "Dusty"
    )
    page.click("document.getElementById('view')")
    page.wait("document.querySelectorAll('#graph g').length === 101")
    assert violations(page) == []
    page.click("[...document.querySelectorAll('#stack-buttons button')].find((e) => e.textContent === 'Plan')")
    served.commands.answer = {"changes": []}
    page.wait("document.getElementById('dialog').open")
    page.click("document.getElementById('close')")
    assert page.value(UNNAMED) == [] and page.complaints() == []
    assert page.requested() <= {f"dusty.localhost:{served.port}"}


def test_the_page_is_about_the_base_or_a_world(served: Served, page: Browser) -> None:
    served.feed.tell("state", state([part("web")], shown="base", worlds=[]))
    page.open(url(served))
    page.wait("document.querySelectorAll('#parts li').length === 1")
    assert page.value("document.getElementById('world').hidden"), "without worlds there is nothing to choose"
    served.feed.tell("state", state([part("web"), part("quotes")], shown="base", worlds=["fix", "other"]))
    page.wait("!document.getElementById('world').hidden")
    assert page.value("[...document.getElementById('world').options].map((e) => e.text)") == [
        "base",
        "world fix",
        "world other",
    ]
    page.value("window.isOld = true; document.getElementById('world').value = 'fix'")
    served.feed.clear()
    page.value("document.getElementById('world').dispatchEvent(new Event('change')); 1")
    page.wait("!window.isOld && document.readyState === 'complete'")
    assert served.commands.shown == "fix"
    shared = part("quotes", state="running (shared)", shared=True, routes=[], repos=[])
    served.feed.tell("state", state([part("web"), shared], shown="fix", worlds=["fix", "other"]))
    page.wait("document.getElementById('world').value === 'fix' && document.querySelectorAll('#parts li').length === 2")
    page.click("[...document.querySelectorAll('#parts button')].find((e) => e.dataset.key === 'web')")
    page.wait("document.getElementById('details-title').textContent === 'web'")
    restart = "[...document.querySelectorAll('#about button')].find((e) => e.textContent === 'Restart')"
    assert page.value(f"{restart}.title") == "dusty restart --world fix web"
    page.click("[...document.querySelectorAll('#parts button')].find((e) => e.dataset.key === 'quotes')")
    page.wait("document.getElementById('details-title').textContent === 'quotes'")
    assert "running (shared)" in page.value("document.getElementById('about').innerText")
    assert page.value("document.querySelectorAll('#about .buttons [data-command]').length") == 0
    assert violations(page) == [] and page.value(UNNAMED) == [] and page.complaints() == []


def test_it_can_be_read_on_a_phone_and_a_wide_screen_by_day_and_by_night(served: Served, page: Browser) -> None:
    served.feed.tell("state", state([*HUNDRED[:8], *BROKEN.values()], problems="apps/web.yml:1:1: unknown key"))
    for number in range(30):
        served.feed.tell_item(
            {
                "what": "line",
                "name": f"app0{number % 4}",
                "at": AT,
                "text": f"GET / 200 {number}",
                "stream": "stderr" if number % 5 == 0 else "stdout",
            }
        )
    for width, height, dark in ((360, 740, False), (1920, 1080, True), (1280, 800, False)):
        page.open(f"{url(served)}", width, height, dark=dark)
        page.wait(
            "document.querySelectorAll('#parts li').length > 5 && document.querySelectorAll('#lines div').length > 20"
        )
        assert page.value("document.documentElement.scrollWidth <= innerWidth"), "nothing is cut off at the side"
        assert page.value(CONTRAST) == [], (width, dark)
        assert violations(page) == []


def test_the_pictures_of_the_docs_are_drawn_and_shown(tmp_path: Path) -> None:
    def look(page: Browser) -> None:
        assert page.value("document.documentElement.scrollWidth <= innerWidth") and page.complaints() == []
        assert page.value(CONTRAST) == [] and violations(page) == []

    assert pictures.shown(tmp_path) == ""
    drawn = pictures.draw(tmp_path, look)
    assert len(drawn) == 8 and all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)
    text = pictures.shown(tmp_path)
    assert all(f"(pictures/{path.name}#only-" in text for path in drawn)


def test_a_private_file_leads_to_the_page_without_its_token_in_an_argument(
    served: Served, page: Browser, tmp_path: Path
) -> None:
    served.feed.tell(
        "state", state([part("constructor"), part("__proto__"), part("web")], needs={"web": ["constructor"]})
    )
    page.call("Page.navigate", url=f"file://{_leading_to(url(served), str(tmp_path))}")
    page.wait("location.host.startsWith('dusty.localhost') && document.querySelectorAll('#parts li').length === 3")
    assert page.value("location.hash") == "" and page.value("sessionStorage.getItem('dusty-token')") == TOKEN
    # Names that JavaScript's own objects have are names of parts like others.
    page.click("document.getElementById('view')")
    page.wait("document.querySelectorAll('#graph g').length === 4")
    page.click("[...document.querySelectorAll('#graph g')].find((e) => e.textContent === 'constructor')")
    page.wait("document.getElementById('about').innerText.includes('web')")
    assert page.complaints() == []


def test_a_flood_leaves_the_page_usable_and_small(served: Served, page: Browser) -> None:
    served.feed.tell("state", state(HUNDRED))
    page.open(url(served))
    page.wait("document.querySelectorAll('#parts li').length === 100")
    is_over = threading.Event()

    def flood() -> None:
        number, began = 0, time.monotonic()
        while not is_over.is_set() and number < 6000:
            served.feed.tell_item(
                {"what": "line", "name": f"app{number % 90:02}", "at": AT, "text": f"line {number} " + "x" * 80}
            )
            number += 1
            if number % 100 == 0:
                is_over.wait(max(0.0, began + number / 1000 - time.monotonic()))

    flooding = threading.Thread(target=flood)
    flooding.start()
    try:
        page.wait("document.querySelectorAll('#lines div').length >= 1000")
        slowest = page.value(
            "new Promise((done) => { let last = performance.now(), most = 0, n = 0;"
            " const tick = () => { const now = performance.now(); most = Math.max(most, now - last); last = now;"
            " if (++n < 60) setTimeout(tick, 20); else done(most); }; tick(); })"
        )
        page.click("[...document.querySelectorAll('#parts button')].find((e) => e.dataset.key === 'app50')")
        page.wait("document.getElementById('details-title').textContent === 'app50'", 3)
        assert page.value("document.querySelectorAll('*').length") < 3000
        assert slowest < 1000, f"the page stood still for {slowest:.0f} ms"
    finally:
        is_over.set()
        flooding.join()
    assert page.value("document.querySelectorAll('#lines div').length") <= 1000
