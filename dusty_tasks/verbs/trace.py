"""`dusty trace build/nginx/dustyNginx.conf:12`: which spec line put a line, or a key, into an artifact."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.artifacts.origins import keys_beside, source_at
from dusty_tasks.core.specs.sources import Source
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.problems import did_you_mean
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import read_bytes
from dusty_tasks.operations.places import read_origins
from dusty_tasks.verbs.shared.words import local_path, misuse, say_json
from dusty_tasks.verbs.vars import line_of, row_of

EXAMPLES = "for example nginx/dustyNginx.conf:12, or docker-compose.yml:services.web.image"


def run(words: list[str], json: bool = False) -> int:
    """Print the origin of `<artifact>:<line>` or `<artifact>:<key>`. Raises Failure for what is no artifact, line or key."""
    if len(words) != 1:
        raise misuse("trace", f"trace needs one artifact with a line or key, {EXAMPLES}")
    name, where = _split(words[0])
    origins = read_origins(session.settings())
    if not origins:
        raise Failure("nothing is compiled yet", f"{DUSTY} compile")
    artifact = _artifact(name, origins)
    if where.isdigit():
        source = source_at(origins, artifact, _line(artifact, int(where)))
    else:
        beside = keys_beside(origins, artifact, where)
        if beside is not None:
            raise Failure(f"{artifact} has no key {where}", did_you_mean(where, beside) or EXAMPLES)
        source = source_at(origins, artifact, where)
    _say(artifact, where, source, json)
    return 0


def _split(word: str) -> tuple[str, str]:
    name, _, where = word.rpartition(":")
    if not where.isdigit():
        name, _, where = word.partition(":")
    if not name or not where:
        raise Failure(f'"{word}" names no line', EXAMPLES)
    return name, where


def _artifact(name: str, known: Iterable[str]) -> str:
    """The artifact that `name` means: its path, below build/ or with it, or a file name that only one has."""
    artifacts = sorted(known)
    path, build = os.path.normpath(name), session.settings().build
    meant = [
        artifact
        for artifact in artifacts
        if path in (artifact, f"build/{artifact}") or local_path(name) == os.path.join(build, artifact)
    ]
    meant = meant or [artifact for artifact in artifacts if artifact.endswith(f"/{path}")]
    if len(meant) > 1 and path not in meant:
        raise Failure(f"{name} could be {', '.join(meant[:4])}{' …' if len(meant) > 4 else ''}", "name its folder, too")
    if not meant:
        raise Failure(f"no artifact named {name} has an origin", did_you_mean(name, artifacts))
    return max(meant, key=len)


def _line(artifact: str, number: int) -> int:
    count = (read_bytes(os.path.join(session.settings().build, artifact)) or b"").count(b"\n")
    if not 1 <= number <= count:
        raise Failure(f"{artifact} has no line {number}", f"it has {count} lines")
    return number


def _variables_of(source: Source | None) -> list[dict[str, Any]]:
    """The variables in the spec's value there, as `vars` lists them."""
    from dusty_tasks.effects.specs.read import read_uses

    names = read_uses(session.spec_files(), source.place) if source and source.place.count(":") >= 2 else []
    values = session.variables() if names else None
    return [row_of(values.declared[name], values) for name in names if values and name in values.declared]


def _say(artifact: str, where: str, source: Source | None, json: bool) -> None:
    variables = _variables_of(source)
    if json:
        say_json(
            {
                "variables": variables,
                "artifact": artifact,
                "at": where,
                "from": source.place if source else "",
                "key": source.key if source else "",
            }
        )
    elif source is None:
        say(f"{artifact}:{where} comes from no spec: Dusty always writes it")
    else:
        say("\n".join([str(source), *(f"    {line_of(row)}" for row in variables)]))
