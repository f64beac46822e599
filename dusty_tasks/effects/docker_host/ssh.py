"""One multiplexed ssh connection to the Docker host, for our commands, for rsync and for the docker client alike.

All of them start the program `ssh` that lies in a folder of ours, first on their PATH: a script of three lines which calls the user's
own ssh with our options before its words. Host keys are checked as the user's configuration says; nothing is ever asked.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import stat
from contextlib import suppress

from dusty_tasks.core.text.paths import Paths
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.doors.files import read_bytes, write_if_changed

LONGEST_SOCKET_PATH = 80
"""A unix socket's path ends at 104 bytes (macOS), of which ssh takes 17 for a temporary name."""
OPTIONS = (
    "BatchMode=yes",
    "ControlMaster=auto",
    "ControlPersist=120",
    "ConnectTimeout=10",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "ForwardX11=no",
    "LogLevel=ERROR",
)


def split_target(target: str) -> tuple[str, int]:
    """`[user@]name[:port]` -> (`[user@]name`, port or 0)."""
    name, colon, port = target.rpartition(":")
    return (name, int(port)) if colon and port.isdigit() else (target, 0)


def program_folder(home: str, target: str, config_path: str = "") -> str:
    """A folder holding the program `ssh` for `target`; made if it is not there. Raises ToolFailed without ssh."""
    folder = os.path.join(Paths(home).ssh, short_digest(target))
    ssh = own_ssh(folder)
    _, port = split_target(target)
    words = [ssh, *(["-F", config_path] if config_path else []), *(["-p", str(port)] if port else [])]
    for option in (*OPTIONS, f"ControlPath={control_path(home, target)}"):
        words += ["-o", option]
    write_if_changed(
        os.path.join(folder, "ssh"),
        f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n'.encode("utf-8", "surrogateescape"),
        mode=0o755,
    )
    return folder


def own_ssh(folder: str) -> str:
    """The user's ssh: the first on PATH that is not ours. Raises ToolFailed."""
    path = os.pathsep.join(part for part in os.get_exec_path() if part != folder)
    found = shutil.which("ssh", path=path)
    if not found:
        raise ToolFailed(["ssh"], 127, "ssh is not installed, or not on PATH")
    return os.path.abspath(found)


def short_digest(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:12]


def control_path(home: str, target: str) -> str:
    """Where the shared connection's socket lies: below DUSTY_HOME, or in a private folder if ssh cannot take that path.

    Raises Failure if the private folder belongs to somebody else.
    """
    name = short_digest(f"{home}\0{target}")
    folder = Paths(home).ssh
    if not _can_be_taken(folder):
        runtime = os.environ.get("XDG_RUNTIME_DIR") or ""
        private = f"dusty-{os.getuid()}"
        is_usable = (
            os.path.isdir(runtime)
            and os.access(runtime, os.W_OK | os.X_OK)
            and _can_be_taken(os.path.join(runtime, private))
        )
        folder = os.path.join(runtime if is_usable else "/tmp", private)
    with suppress(FileExistsError):
        os.makedirs(folder, mode=0o700)
    found = os.lstat(folder)
    if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
        raise Failure(
            f"{folder} belongs to another user or is not a folder, so the ssh connection cannot be shared there",
            "set XDG_RUNTIME_DIR to a folder of your own with a short path",
        )
    os.chmod(folder, 0o700)
    return os.path.join(folder, name)


def _can_be_taken(folder: str) -> bool:
    """True if a socket in it can be named in ssh's configuration, where quotes, blanks, `%` and `$` mean something, and in a socket address."""
    return len(folder) <= LONGEST_SOCKET_PATH - 13 and re.fullmatch(r"/[\w./@+,:=-]*", folder, re.ASCII) is not None


def write_config(home: str, target: str, printed: str) -> str:
    """Keep the configuration that a VM tool printed, the user's own after it; the file's path."""
    path = os.path.join(Paths(home).ssh, f"{short_digest(target)}.config")
    text = f"{printed.rstrip()}\n\nHost *\n    Include ~/.ssh/config\n    Include /etc/ssh/ssh_config\n"
    write_if_changed(path, text.encode(), mode=0o600)
    return path


def kept_config(home: str, target: str) -> str:
    """The path of a configuration kept by write_config, '' if there is none."""
    path = os.path.join(Paths(home).ssh, f"{short_digest(target)}.config")
    return path if read_bytes(path) is not None else ""
