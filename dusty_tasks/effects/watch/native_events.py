"""Events of systems other than Linux, through watchfiles: FSEvents on macOS. Not tried on macOS; its tests run on Linux.

FSEvents watches whole trees without a limit, so neither excludes nor new folders are of any concern here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import Any

from dusty_tasks.effects.watch.inotify import CannotWatch, Ignored


class NativeEvents:
    """The interface of effects/inotify.Inotify, for trees. Raises CannotWatch without watchfiles."""

    def __init__(self) -> None:
        try:
            from watchfiles._rust_notify import RustNotify
        except ImportError as error:
            raise CannotWatch(f"watchfiles cannot be used ({error})") from error
        self._make: Any = RustNotify
        self._paths: dict[str, str] = {}
        self._watcher: Any = None

    def cover(self, key: str, path: str, folders: Iterable[bytes], anew: bool) -> bool:
        """Watch the tree at `path`; True if it was not watched until now. Raises CannotWatch."""
        real = os.path.realpath(path)
        if self._paths.get(key) == real and not anew:
            return False
        self._paths[key] = real
        try:
            self._renew()
        except OSError as error:
            self.uncover(key)
            raise CannotWatch(f"the system does not watch it ({error})") from error
        return True

    def blind_for(self, path: str) -> str:
        """Nothing is known of file systems here."""
        return ""

    def uncover(self, key: str) -> None:
        if self._paths.pop(key, None):
            self._renew()

    def wait(self, seconds: float, is_ignored: Ignored) -> tuple[set[str], set[str]]:
        """(trees in which something happened, none): see Inotify.wait."""
        if self._watcher is None:
            time.sleep(max(0, seconds))
            return set(), set()
        found = self._watcher.watch(20, 10, max(1, int(seconds * 1000)), None)
        if found == "signal":
            raise KeyboardInterrupt
        woken = set()
        for _change, changed in found if isinstance(found, set) else ():
            for key, path in self._paths.items():
                below = os.fsencode(changed.removeprefix(path))
                if changed == path or (changed.startswith(f"{path}/") and not is_ignored(key, below, False)):
                    woken.add(key)
        return woken, set()

    def close(self) -> None:
        self._paths = {}
        self._renew()

    def _renew(self) -> None:
        """One watcher for all trees: its paths are fixed when it is made."""
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None
        if self._paths:
            self._watcher = self._make(sorted(set(self._paths.values())), False, False, 300, True, True)
