"""A headless Chromium driven over a pipe (Chrome DevTools Protocol): pages are opened, asked and clicked as a person would."""

from __future__ import annotations

import base64
import itertools
import json
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-extensions",
    "--disable-background-networking",
    "--remote-debugging-pipe",
)


class Browser:
    """One page in a browser."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._out, self._in, self._numbers, self._rest = to_browser, from_browser, itertools.count(1), b""
        self._session = ""
        self.told: list[dict[str, Any]] = []
        """What was printed to the console, exceptions and refused requests among it."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **words: Any) -> Any:
        """A command and its result. AssertionError for one that failed, or is not answered within a minute."""
        number = next(self._numbers)
        asked = {
            "id": number,
            "method": method,
            "params": words,
            **({"sessionId": self._session} if self._session else {}),
        }
        os.write(self._out, json.dumps(asked).encode() + b"\0")
        while True:
            message = self._message(60)
            if message.get("id") == number:
                assert "error" not in message, message["error"]
                return message["result"]
            self.told.append(message)

    def _message(self, seconds: float) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while b"\0" not in self._rest:
            assert select.select([self._in], [], [], max(0.0, end - time.monotonic()))[0], "the browser is silent"
            piece = os.read(self._in, 1 << 20)
            assert piece, "the browser has ended"
            self._rest += piece
        first, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(first)
        return found

    def open(self, url: str, width: int = 1280, height: int = 800, *, dark: bool = False) -> None:
        self.resize(width, height)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)
        self.call("Page.navigate", url="about:blank")  # Another fragment alone would load nothing.
        self.call("Page.navigate", url=url)
        self.wait(f"location.href.startsWith({url.partition('#')[0]!r}) && document.readyState === 'complete'")

    def resize(self, width: int, height: int) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def value(self, script: str) -> Any:
        """What an expression of JavaScript is, a promise among them. AssertionError if it throws."""
        done = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def wait(self, script: str, seconds: float = 20) -> Any:
        """Its value as soon as that is true."""
        end = time.monotonic() + seconds
        while not (found := self.value(script)):
            assert time.monotonic() < end, (
                f"not true within {seconds} s: {script}\n{self.value('document.body?.innerText')}"
            )
            time.sleep(0.05)
        return found

    def click(self, script: str) -> None:
        """Click in the middle of an element with the mouse."""
        place = self.value(
            f"(() => {{const e = {script}; e.scrollIntoView({{block: 'center'}}); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]}})()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def press(self, key: str) -> None:
        text = {"Enter": "\r"}.get(key, "")
        code = {"Tab": 9, "Enter": 13}[key]
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if text and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **more)

    def picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def complaints(self) -> list[str]:
        """Exceptions, errors on the console, and what the page's policy refused."""
        return [
            json.dumps(message)
            for message in self.told
            if message.get("method") == "Runtime.exceptionThrown"
            or (message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error")
            or (message.get("method") == "Runtime.consoleAPICalled" and message["params"]["type"] == "error")
        ]

    def requested(self) -> set[str]:
        """The hosts that were asked for anything."""
        return {
            message["params"]["request"]["url"].split("/")[2]
            for message in self.told
            if message.get("method") == "Network.requestWillBeSent"
        }


@contextmanager
def browser(enter: tuple[str, ...] = ()) -> Iterator[Browser]:
    """A browser with one page; `enter` is what leads into the machine where it runs. It ends with the block."""
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # The browser's ends are its file descriptors 3 and 4.
        script = f'exec "$@" 3<&{to_read} 4>&{from_write}'
        argv = [*enter, "bash", "-c", script, "bash", "chromium", *FLAGS, f"--user-data-dir={profile}"]
        process = subprocess.Popen(
            argv,
            pass_fds=(to_read, from_write),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(from_write)
        try:
            yield Browser(to_write, from_read)
        finally:
            process.terminate()
            process.wait(20)
            os.close(to_write)
            os.close(from_read)
