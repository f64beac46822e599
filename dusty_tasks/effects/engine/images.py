"""Images: pulled, or, where no registry answers, stood in for by roots made from Debian's packages.

All stand-ins have one root with nginx, Python and Redis, and each runs the server that it stands for. It carries the label STAND_IN_LABEL.
"""

from __future__ import annotations

import io
import tarfile
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from dusty_tasks.core.artifacts.stand_ins import Server, server_of
from dusty_tasks.core.settings.model import NGINX_IMAGE
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.namespace import STAND_IN_LABEL
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.doors.once import Lasting
from dusty_tasks.effects.engine.root_archives import write_root_archive

PYTHON_IMAGE, REDIS_IMAGE = "python:3.13-slim-bookworm", "redis:7.4-bookworm"
"""What the specs in examples/ name; a test holds them together."""

STANDING_IN_FOR = (NGINX_IMAGE, PYTHON_IMAGE, REDIS_IMAGE)
PACKAGES = (
    "base-files",
    "base-passwd",
    "bash",
    "coreutils",
    "dash",
    "findutils",
    "grep",
    "gzip",
    "hostname",
    "iproute2",
    "libc-bin",
    "mawk",
    "procps",
    "sed",
    "tar",
    "nginx",
    "libnginx-mod-stream",
    "python3",
    "redis-server",
)

FIRST_ANSWER = 8.0
"""Seconds within which a registry must say that it has the image; the download after that may take its time."""

REFUSALS = ("denied", "unauthorized", "manifest unknown", "no matching manifest", "does not exist", "toomanyrequests")
"""What an engine says when a registry did answer; everything else (no route, no name, a proxy's page) counts as silence."""

Say = Callable[[str], None]
Env = Mapping[str, str] | None
_pulls = threading.Lock()
_registry_is_silent = Lasting(threading.Event)
"""For as long as the run: the next one asks again."""


class StandInNeeded(Failure):
    """No registry answers, and a stand-in, for which this machine downloads packages, was not agreed to."""


def ensure_image(
    name: str, say: Say, *, env: Env = None, may_stand_in: bool | None = None, may_make: bool = True
) -> str:
    """Have the image `name` in the engine; how it got there: `here`, `pulled` or `stand-in`.

    `env` is what reaches the engine (DockerHost.engine_environment), by default this process's own. `may_stand_in` is for
    the proxy's image when the settings name another one; by default STANDING_IN_FOR decides. Without `may_make` only a root that was made
    before stands in. Raises StandInNeeded; ToolFailed with docker's last lines (and a hint) if it can neither be pulled nor stood in for.
    """
    if has_image(name, env):
        return "here"
    may_stand_in = name in STANDING_IN_FOR if may_stand_in is None else may_stand_in
    with _pulls:
        if may_stand_in and _registry_is_silent().is_set():
            _stand_in_if(may_make, name, say, env)
            return "stand-in"
        failure = pull(name, say, env)
        if failure is None:
            return "pulled"
        if not may_stand_in or not _registry_is_silent().is_set():
            raise failure
        _stand_in_if(may_make, name, say, env)
        return "stand-in"


def _stand_in_if(may_make: bool, name: str, say: Say, env: Env) -> None:
    if not may_make and not _stand_in_ids(env):
        raise StandInNeeded(
            "no image registry answers, and you have not agreed to a stand-in for this image",
            f"{DUSTY} up --yes builds one from Debian's packages; or load the image by hand with `docker load`",
        )
    stand_in(name, say, env)


def has_image(name: str, env: Env = None) -> bool:
    return process.run(["docker", "image", "inspect", "--format", "{{.Id}}", name], env=env).code == 0


def pull(name: str, say: Say, env: Env = None) -> ToolFailed | None:
    """Pull `name`; None when it is there, else why not. A registry that says nothing within FIRST_ANSWER counts as away."""
    seen: list[str] = []

    def follow(line: str) -> None:
        if "Pulling from" in line:
            say(f"pulling {name}")
        seen.append(line)

    done = process.run(["docker", "pull", name], timeout=FIRST_ANSWER, on_line=follow, env=env)
    has_answered = any("Pulling from" in line for line in seen)
    if done.code == 124 and has_answered:
        done = _pull_at_leisure(name, env)
    if done.code == 0:
        return None
    if not has_answered and not any(word in (done.err or done.out).lower() for word in REFUSALS):
        _registry_is_silent().set()
        return ToolFailed(
            ["docker", "pull", name],
            done.code,
            done.err or f"no registry answered within {FIRST_ANSWER:.0f} s",
            "check your network connection to the registry, or load the image by hand with `docker load`",
        )
    return ToolFailed(["docker", "pull", name], done.code, done.err or done.out)


def _pull_at_leisure(name: str, env: Env) -> process.Finished:
    """The rest of a long download, in silence: docker's own bars would stand between the lines of `up`."""
    return process.run(["docker", "pull", name], env=env)


def stand_in(name: str, say: Say, env: Env = None) -> None:
    """Have a stand-in named `name` that runs its server; the root is made now if the engine has none. Raises Failure where there is no apt."""
    found = _stand_in_ids(env)
    if not found:
        say(
            "no image registry answers: building a stand-in with nginx, Python and Redis from Debian's packages; "
            "it is replaced once a registry answers"
        )
        with tempfile.TemporaryDirectory(prefix="dusty-standin-") as folder:
            _import(write_root_archive(Path(folder), PACKAGES), name, env)
    _make_server(found[0] if found else name, name, env)
    say(f"{name}: a stand-in")


def is_stand_in(name: str, env: Env = None) -> bool:
    """True if the engine's image `name` is one of ours."""
    template = f'{{{{index .Config.Labels "{STAND_IN_LABEL}"}}}}'
    return process.run(["docker", "image", "inspect", "--format", template, name], env=env).out.strip() == "1"


def replace_stand_ins(say: Say, env: Env = None) -> list[str]:
    """Pull the real images in place of stand-ins, if a registry answers now; the names of those that were replaced.

    Where none answers it waits for the first alone, FIRST_ANSWER at most, and says nothing.
    """
    replaced: list[str] = []
    with _pulls:
        for name in _stand_in_names(env):
            if _registry_is_silent().is_set():
                break
            if pull(name, say, env) is None:
                say(f"pulled {name}, which replaces its stand-in")
                replaced.append(name)
    return replaced


def _stand_in_names(env: Env) -> list[str]:
    words = ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", f"label={STAND_IN_LABEL}=1"]
    return [name for name in process.run(words, env=env).out.split() if not name.startswith("<none>")]


def _stand_in_ids(env: Env) -> list[str]:
    return process.run(
        ["docker", "images", "-q", "--filter", f"label={STAND_IN_LABEL}=1"], check=True, env=env
    ).out.split()


def _import(archive: Path, name: str, env: Env) -> None:
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    changes = (f"LABEL {STAND_IN_LABEL}=1", f"ENV {path}", 'CMD ["bash"]')
    words = [word for change in changes for word in ("--change", change)]
    process.run(["docker", "import", *words, str(archive), name], check=True, env=env)


def _make_server(base: str, name: str, env: Env) -> None:
    """Name `name` an image with the root of the stand-in `base` that runs what an image of that name runs."""
    server = server_of(name)
    made = process.run(["docker", "create", "--entrypoint", "", base, "true"], check=True, env=env).out.strip()
    try:
        process.run(["docker", "cp", "-", f"{made}:/"], input=_tar_of(server), check=True, env=env)
        words = [word for change in server.changes for word in ("--change", change)]
        process.run(["docker", "commit", *words, made, name], check=True, env=env)
    finally:
        process.run(["docker", "rm", "--force", made], env=env)


def _tar_of(server: Server) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, text, mode in server.files:
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(text.encode()), mode
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()
