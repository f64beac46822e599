"""`dusty dump`: one archive for a bug report, without secrets."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import tarfile
import time
import traceback
from collections.abc import Callable, Iterator

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.of_verbs.redaction import without_values
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import HOSTS_FILE, PROXY_FILE
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import read_bytes, write_atomically
from dusty_tasks.effects.engine import reads
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.operations.redacting import read_compose_file, redactor
from dusty_tasks.verbs.shared.words import local_path, misuse

LINES = 200
"""Last lines of each container's log."""


def run(words: list[str]) -> int | None:
    """Collect what helps to understand a problem; what cannot be collected is in the archive as its reason."""
    if len(words) > 1:
        raise misuse("dump", f'dump takes one path, but got "{words[1]}" as well')
    path = archive_path(words[0]) if words else os.path.join(own_folder(), archive_name())
    texts = dict(collected())
    hidden = redactor()
    write_archive(path, {name: hidden.text(text) for name, text in texts.items()})
    say(
        f"wrote {path}: {len(texts)} files; values of variables, assets, passwords, tokens and the home folder were removed.\n"
        "Review it before you send it: app output may contain secrets."
    )
    return None


def own_folder() -> str:
    """Where archives lie that were given no path: in no repo, from where they would be synced into containers. Made if need be."""
    folder = session.paths().dumps
    os.makedirs(folder, mode=0o700, exist_ok=True)
    return folder


def archive_name() -> str:
    """With the time in it."""
    return f"dusty-dump-{time.strftime('%Y%m%d-%H%M%S')}.tar.gz"


def archive_path(word: str) -> str:
    """A folder gets a file of its own name; anything else is the file's own path, in a folder that exists. Raises Failure."""
    path = local_path(word)
    if os.path.isdir(path):
        return os.path.join(path, archive_name())
    if word.endswith("/") or not os.path.isdir(os.path.dirname(path)):
        raise Failure(
            f"{path if word.endswith('/') else os.path.dirname(path)}: no such folder",
            f"{DUSTY} dump <folder or file>; without a path it goes to {session.paths().dumps}",
        )
    return path


def collected() -> Iterator[tuple[str, str]]:
    """Name in the archive -> text, for each part; one that fails says why."""
    parts: dict[str, Callable[[], str]] = {
        "versions.txt": versions,
        "doctor.txt": doctor,
        "config.yml": config,
        "plan.txt": plan,
        "engine.json": engine,
        "containers.json": containers,
        "build/docker-compose.yml": compose,
        "build/hosts": lambda: build(HOSTS_FILE),
        "build/nginx.conf": lambda: build(PROXY_FILE),
        "validate.txt": problems,
        "journal.jsonl": journal,
    }
    for name, part in parts.items():
        yield name, attempted(part)
    yield from logs()
    yield from bugs()


def attempted(part: Callable[[], str]) -> str:
    """The text of a part, or why there is none."""
    try:
        return part()
    except Failure as failure:
        return f"not available: {failure.without_source()}\n"
    except (OSError, ValueError) as error:
        return f"not available: {error!r}\n"
    except Exception:
        # A bug of ours, in a report about what is broken: the other parts are wanted all the more, and where it is belongs to the report.
        return f"not available: {traceback.format_exc()}"


def versions() -> str:
    """Of Dusty, of its tools, and of this machine."""
    from dusty_tasks.effects.engine.versions import read_versions

    lines = [f"{name} {version or f'- ({why})'}" for name, version, why in read_versions(session.docker_host)]
    return "\n".join([*lines, f"system {platform.platform()}", ""])


def doctor() -> str:
    """All findings."""
    from dusty_tasks.operations.machine.doctor import examine

    return "".join(f"{finding}\n" for finding in examine())


def config() -> str:
    """config.yml without the values of variables."""
    import yaml

    from dusty_tasks.effects.home.config import read_config

    return str(yaml.safe_dump(without_values(read_config(session.home())), sort_keys=False, allow_unicode=True))


def plan() -> str:
    """What `up` would do."""
    from dusty_tasks.operations.look import look

    view = look(Engine(session.docker_host()))
    if view.engine_trouble:
        return f"unknown: {view.engine_trouble}\n"
    return "".join(f"{change}\n" for change in view.plan.changes) or "nothing to do\n"


def journal() -> str:
    """What Dusty and the engine did to the stack, as far as it was noted."""
    from dusty_tasks.core.history.journal import line_of
    from dusty_tasks.effects.engine.happened import read_journal

    return b"".join(line_of(event).lstrip() for event in read_journal(session.docker_host())).decode()


def problems() -> str:
    """The specs' own problems."""
    session.specs()
    return "specs are fine\n"


def engine() -> str:
    """What the engine says of itself."""
    info = reads.read_info(Engine(session.docker_host()))
    keys = (
        "ServerVersion",
        "OperatingSystem",
        "KernelVersion",
        "Architecture",
        "Driver",
        "NCPU",
        "MemTotal",
        "CgroupVersion",
        "SecurityOptions",
        "Containers",
        "ContainersRunning",
        "Images",
        "LoggingDriver",
        "SystemTime",
        "Warnings",
    )
    return json.dumps({key: info.get(key) for key in keys}, indent=1)


def containers() -> str:
    """Dusty's containers and their states."""
    found = reads.list_containers(session.docker_host())
    return json.dumps(
        [
            {
                "name": c.name,
                "kind": c.kind,
                "state": c.state,
                "exit_status": c.exit_status,
                "health": c.health,
                "image": c.image,
                "image_id": c.image_id,
                "published": c.published,
            }
            for c in found
        ],
        indent=1,
    )


def compose() -> str:
    """The Compose file without the values of variables."""
    import yaml

    return str(yaml.safe_dump(without_values(read_compose_file()), sort_keys=False, allow_unicode=True))


def build(name: str) -> str:
    """A compiled file. Raises Failure if there is none."""
    content = read_bytes(session.paths().artifact(name))
    if content is None:
        raise Failure("nothing is compiled yet")
    return content.decode("utf-8", "replace")


def logs() -> Iterator[tuple[str, str]]:
    """The last lines of each container."""
    try:
        asked = Engine(session.docker_host())
        found = list(reads.read_containers(asked).values())
    except Failure:
        return
    for container in found:

        def last(container_id: str = container.id) -> str:
            return reads.read_last_lines(asked, container_id, LINES) + "\n"

        yield f"logs/{container.name}.txt", attempted(last)


def bugs() -> Iterator[tuple[str, str]]:
    """The newest logs of our own bugs."""
    folder = session.paths().state
    names = (
        sorted(
            (name for name in os.listdir(folder) if name.startswith("bug-")),
            key=lambda name: os.path.getmtime(os.path.join(folder, name)),
        )
        if os.path.isdir(folder)
        else []
    )
    for name in names[-3:]:
        yield f"bugs/{name}", (read_bytes(os.path.join(folder, name)) or b"").decode("utf-8", "replace")


def write_archive(path: str, texts: dict[str, str]) -> None:
    """One .tar.gz with a manifest of checksums, mode 0600. Raises Failure."""
    data = {name: text.encode() for name, text in texts.items()}
    manifest = {
        "made": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in data.items()},
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in {"manifest.json": json.dumps(manifest, indent=1).encode(), **data}.items():
            member = tarfile.TarInfo(f"dusty-dump/{name}")
            member.size, member.mode, member.mtime = len(content), 0o644, int(time.time())
            archive.addfile(member, io.BytesIO(content))
    write_atomically(path, buffer.getvalue(), 0o600)
