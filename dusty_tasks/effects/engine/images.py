"""Images: pulled, or, where no registry answers, stood in for by roots made from Debian's packages.

All stand-ins have one root with nginx, Python and Redis, and each runs the server that it stands for. It is unpacked from packages that apt downloads into a private folder:
no root rights, no chroot, and nothing of this machine's package state is touched. It carries the label STAND_IN_LABEL.

More than 300 lines: pulls and stand-ins share what is known of a registry that is silent.
"""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from dusty_tasks.core.artifacts.stand_ins import Server, server_of
from dusty_tasks.core.settings.model import NGINX_IMAGE
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.namespace import STAND_IN_LABEL
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.doors.once import Lasting

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


def write_root_archive(folder: Path, packages: Iterable[str]) -> Path:
    """A tar of a root file system with `packages` and all that they depend on, made below `folder`. Raises Failure, ToolFailed."""
    for program in ("apt-get", "dpkg-deb", "tar"):
        if not shutil.which(program):
            raise Failure(
                f"a stand-in image is built from Debian's packages, and there is no {program} here",
                "check your network connection to the registry, or load the image by hand with `docker load`",
            )
    root, archive = folder / "root", folder / "root.tar"
    root.mkdir()
    for package in _download(folder, packages):
        process.run(["dpkg-deb", "-x", str(package), str(root)], check=True)
    _merge_usr(root)
    _finish(root)
    process.run(
        [
            "tar",
            "-C",
            str(root),
            "--numeric-owner",
            "--owner=0",
            "--group=0",
            "--exclude=./usr/share/doc/*",
            "--exclude=./usr/share/man/*",
            "--exclude=./usr/share/locale/*",
            "-cf",
            str(archive),
            ".",
        ],
        check=True,
    )
    return archive


def _download(folder: Path, packages: Iterable[str]) -> list[Path]:
    """The .deb files of `packages` and their dependencies, by an apt that believes nothing is installed yet.

    The machine's own package lists are read; where there are none (a slim container), lists are fetched into `folder`.
    """
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    settings = {
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "Debug::NoLocking": 1,
        "APT::Sandbox::User": "root",
        "APT::Install-Recommends": 0,
        "APT::Install-Suggests": 0,
    }
    fetch = ["-y", "-qq", "--download-only", "install", *packages]
    if _apt_get(settings, fetch).code:
        settings["Dir::State::Lists"] = folder / "lists"
        _apt_get(settings, ["-qq", "update"])
        done = _apt_get(settings, fetch)
        if done.code:
            raise ToolFailed(["apt-get", *fetch], done.code, done.err or done.out)
    return sorted((folder / "cache/archives").glob("*.deb"))


def _apt_get(settings: dict[str, object], words: list[str]) -> process.Finished:
    options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    return process.run(["apt-get", *options, *words], env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def _merge_usr(root: Path) -> None:
    """Unpacking leaves /bin, /lib and the like as folders of their own; Debian's installer makes them links into /usr."""
    for name in ("bin", "sbin", "lib", "lib64", "lib32", "libx32"):
        if (root / name).is_dir() and not (root / name).is_symlink():
            shutil.copytree(root / name, root / "usr" / name, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(root / name)
        if (root / "usr" / name).is_dir() and not (root / name).exists():
            (root / name).symlink_to(f"usr/{name}")


def _finish(root: Path) -> None:
    """What the packages' own scripts would have done, as far as a container needs it."""
    accounts = root / "usr/share/base-passwd"
    for name in ("passwd", "group"):
        if (accounts / f"{name}.master").exists():
            shutil.copy(accounts / f"{name}.master", root / "etc" / name)
    modules = root / "usr/share/nginx/modules-available"
    for module in modules.glob("*.conf"):
        (root / "etc/nginx/modules-enabled").mkdir(parents=True, exist_ok=True)
        (root / "etc/nginx/modules-enabled" / f"50-{module.name}").symlink_to(
            f"/usr/share/nginx/modules-available/{module.name}"
        )
    for name in ("access", "error"):
        # As in nginx's own image: what it logs is what `docker logs` shows.
        (root / f"var/log/nginx/{name}.log").unlink(missing_ok=True)
        (root / f"var/log/nginx/{name}.log").symlink_to("/dev/stdout" if name == "access" else "/dev/stderr")
    if (root / "usr/bin/mawk").exists() and not (root / "usr/bin/awk").exists():
        (root / "usr/bin/awk").symlink_to("mawk")
