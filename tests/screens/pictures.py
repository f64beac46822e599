"""The pictures in docs/ui.md: the page of `dusty ui` in Chromium, fed by the tests' own server, by day and by night.

.venv/bin/python tests/screens/pictures.py      draws them into build/pictures/ (they are not kept in the repo)
.venv/bin/python -m mkdocs build                 shows those that are drawn (mkdocs.yml names this file as a hook)
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from browser import Browser
    from test_ui_server import Served

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build/pictures"


class Screen(NamedTuple):
    """A picture: what it shows, and the size of its window."""

    name: str
    shows: str
    width: int
    height: int


SCREENS = (
    Screen("nothing", "Nothing runs yet", 1280, 720),
    Screen("hundred", "A hundred parts, three of them broken", 1440, 900),
    Screen("one", "One part: why it failed, and its timeline", 1440, 1240),
    Screen("phone", "On a phone", 390, 844),
)


def feed(screen: Screen, served: Served) -> None:
    """Tell the page what this screen shows."""
    import test_ui_page as fed

    if screen.name == "nothing":
        served.feed.tell("state", fed.state([]))
        return
    served.commands.answer = fed.WHY
    parts = fed.HUNDRED if screen.name != "phone" else [*fed.HUNDRED[:8], *fed.BROKEN.values()]
    served.feed.tell("state", fed.state(parts))
    for item in fed.ITEMS:
        served.feed.tell_item(item)


def arrange(screen: Screen, page: Browser, served: Served) -> None:
    """Wait until it is drawn, with the part selected that it is about."""
    import test_ui_page as fed

    if screen.name == "nothing":
        page.wait("document.getElementById('parts').innerText.includes('nothing is active')")
        return
    page.wait("document.querySelectorAll('#parts li').length > 5 && document.querySelectorAll('#lines div').length > 5")
    if screen.name == "one":
        page.click("[...document.querySelectorAll('#parts button')].find((e) => e.dataset.key === 'worker')")
        page.wait("document.getElementById('about').innerText.includes('exited with status 1')")
        for cpu in (0.5, 2.5, 9.5, 7, 8.5, 3, 1.5):
            used = {"cpu_percent": cpu, "memory_bytes": int(40 + cpu) << 20}
            served.feed.tell("state", fed.state([{**each, "stats": used} for each in fed.HUNDRED]))
            page.wait(f"document.getElementById('about').innerText.includes('CPU {cpu:.1f} %')")


def draw(folder: Path, look: Callable[[Browser], Any] = lambda _page: None) -> list[Path]:
    """Draw every screen in both colours, and `look` at each page before its picture is taken; the pictures."""
    from browser import browser
    from test_ui_page import url
    from test_ui_server import Served

    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for screen in SCREENS:
        with Served.running() as served, browser() as page:
            feed(screen, served)
            for colours in ("light", "dark"):
                page.open(url(served), screen.width, screen.height, dark=colours == "dark")
                arrange(screen, page, served)
                look(page)
                drawn.append(folder / f"ui-{screen.name}-{colours}.png")
                page.picture(drawn[-1])
    return drawn


def on_files(files: Any, config: Any) -> Any:
    """A hook of mkdocs: what is drawn belongs to the site."""
    from mkdocs.structure.files import File

    for path in sorted(FOLDER.glob("ui-*.png")):
        files.append(File.generated(config, f"pictures/{path.name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """A hook of mkdocs: docs/ui.md ends in the pictures that are drawn."""
    return markdown + shown() if page.file.src_uri == "ui.md" else markdown


def shown(folder: Path = FOLDER) -> str:
    """The end of the page, "" without pictures; the theme shows the picture of its own colours."""
    parts = []
    for screen in SCREENS:
        names = [f"ui-{screen.name}-{colours}.png" for colours in ("light", "dark")]
        if all((folder / name).exists() for name in names):
            light, dark = (f"![{screen.shows}](pictures/{name}#only-{name[:-4].rpartition('-')[2]})" for name in names)
            parts.append(f"**{screen.shows}**\n\n{light}{dark}\n")
    return "\n\n## Pictures\n\n" + "\n".join(parts) if parts else ""


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), *(str(ROOT / "tests" / each) for each in ("operations/ui", "rig"))]
    print(*draw(FOLDER), sep="\n")
