"""What may be read without consent: folders of this machine, variables, and the names of images."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from urllib.parse import unquote

from dusty_tasks.core.settings.model import ContainerSettings
from dusty_tasks.core.specs.repo_ids import Repo
from dusty_tasks.core.text.paths import PERSIST

SYSTEM_FOLDERS = (
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/proc",
    "/run",
    "/sbin",
    "/sys",
    "/var/lib",
    "/var/log",
    "/var/run",
    "/var/spool",
)
HOMES = ("/root", "/home", "/Users", "/var", "/usr")
"""Fine above a checkout, but not the checkout itself."""
PLAIN_VARIABLES = frozenset("TERM COLORTERM TZ LANG LANGUAGE USER UID GID COLUMNS LINES".split())
"""Variables that tell nothing worth keeping from a container."""


def moving_image(image: str) -> bool:
    """True for an image without a tag or digest, or with one that is made to move (`latest`, `edge` …)."""
    if "@" in image:
        return False
    _, colon, tag = image.rpartition("/")[2].partition(":")
    return not colon or tag in ("latest", "edge", "main", "master", "nightly", "dev", "stable")


def whole_image_name(image: str) -> str:
    """The one spelling of an image's name: without the registry that goes without saying, with a tag."""
    name = image.removeprefix("docker.io/").removeprefix("index.docker.io/").removeprefix("library/")
    return name if "@" in name or ":" in name.rpartition("/")[2] else f"{name}:latest"


def is_plain_variable(name: str) -> bool:
    """True for a variable that tells nothing worth keeping."""
    return name in PLAIN_VARIABLES or name.startswith("LC_")


def local_folder_of(repo: Repo) -> str:
    """The folder of this machine that a repo is, or is cloned from; '' for one elsewhere."""
    if repo.url.lower().startswith("file://"):
        return posixpath.normpath(f"/{unquote(repo.url[len('file://') :].partition('/')[2])}")
    return repo.local_path


def private_folder(path: str, home: str) -> str:
    """Why `path` looks like no checkout that specs would name: '' if it does not. `home` is DUSTY_HOME."""
    if is_within(path, [home]):
        return ""
    if any(part.startswith(".") for part in path.split("/")):
        return "it is, or is in, a hidden folder"
    if posixpath.normpath(path) in HOMES or is_within(path, SYSTEM_FOLDERS):
        return "it belongs to the system"
    return ""


def readable_folders(settings: ContainerSettings, specs_root: str, repos: Iterable[tuple[str, str]]) -> list[str]:
    """What a stack may read on this machine without consent; `repos` are ids with local paths ('' for none)."""
    return [
        specs_root,
        settings.paths.assets,
        settings.paths.example,
        f"{settings.host.root}/{PERSIST}",
        *(settings.path_of(repo_id, local_path) for repo_id, local_path in repos),
    ]


def is_within(path: str, folders: Iterable[str]) -> bool:
    """True for one of `folders` or anything below one; by names alone, links are not followed."""
    path = posixpath.normpath(path)
    return any(
        path == folder or path.startswith(folder.rstrip("/") + "/") for folder in map(posixpath.normpath, folders)
    )
