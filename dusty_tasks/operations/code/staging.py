"""Files on their way to the Docker host: a folder for the time of one push, for its owner's eyes, and gone afterwards."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

PREFIX = "staged-"


@contextmanager
def staged(files: Mapping[str, bytes], state: str) -> Iterator[str]:
    """A folder below `state` that holds `files`; those of pushes that were killed go first: there may be secrets in them."""
    os.makedirs(state, exist_ok=True)
    remove_leftovers(state)
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-", dir=state) as folder:
        for name, data in files.items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                file.write(data)
        yield folder


def remove_leftovers(state: str) -> None:
    """Remove the folders of pushes that were killed."""
    for name in os.listdir(state) if os.path.isdir(state) else ():
        number = name.removeprefix(PREFIX).partition("-")[0]
        if name.startswith(PREFIX) and number.isdigit() and not _is_alive(int(number)):
            shutil.rmtree(os.path.join(state, name), ignore_errors=True)


def _is_alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
