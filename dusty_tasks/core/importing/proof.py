"""The proof of an import: what it wrote is compiled, both sides are put into canonical form, and compared. Pure.

Named rules (docs/import.md) say what is the same although it is written otherwise. What then still differs has to be what the
report calls bent or lost, and the other way round; anything else is a bug of ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from dusty_tasks.core.importing.compiled import Compiled
from dusty_tasks.core.importing.forms.original import original
from dusty_tasks.core.importing.forms.written import written
from dusty_tasks.core.importing.reading import resolved
from dusty_tasks.core.importing.report import Outcome
from dusty_tasks.core.importing.spec import Spec
from dusty_tasks.core.importing.stack import Imported, implied_by, needed
from dusty_tasks.core.specs.compose_keys.known import OWN_TARGETS
from dusty_tasks.core.stack.assemble import activated

_SOURCES = {
    "environment": ("environment", "env_file"),
    "files of variables": ("env_file",),
    "volumes": ("volumes", "configs", "secrets"),
    "networks": ("networks", "container_name", "links"),
    "depends_on": ("depends_on", "links"),
    "labels": ("labels",),
    "image": ("image", "build"),
    "containers": ("scale", "deploy"),
    "routes": ("labels", "environment"),
}
"""Key of the canonical form -> the keys of the Compose file that it is made of, where that is not the key itself."""


class Difference(NamedTuple):
    """One thing that is not the same on both sides."""

    service: str
    key: str
    """Of the canonical form."""
    before: Any
    after: Any


def differences(made: Imported, compiled: Compiled, files: Mapping[str, bytes]) -> list[Difference]:
    """What differs, by service, after the rules."""
    found: list[Difference] = []
    originals = {name: resolved(made.project.services[name], made.variables.values) for name in made.specs}
    for name, spec in made.specs.items():
        before = original(name, originals, made)
        after = written(spec, made, compiled, files)
        for key in sorted({*before, *after}):
            one, other = before.get(key), after.get(key)
            if key == "networks":
                one, other = _networks(one, other)
            if key == "depends_on":
                other = _explicit(one or {}, other or {}, originals[name])
                one = one or {}
            if key == "volumes":
                other = _without_own(one or {}, other or {}, spec)
                one = one or {}
            if one != other:
                found.append(Difference(name, key, one, other))
    return found


def unexplained(made: Imported, found: Iterable[Difference]) -> list[str]:
    """Sentences about what differs and is not told, and about what is told and does not differ; none if the proof holds."""
    said, told = [], set()
    for difference in found:
        keys = _SOURCES.get(difference.key, (difference.key,))
        worse = {key for key in keys if made.report.outcome(difference.service, key) in (Outcome.BENT, Outcome.LOST)}
        told |= {(difference.service, key) for key in worse}
        if not worse:
            said.append(f"{difference.service}.{difference.key}: {difference.before!r} became {difference.after!r}")
    for row in made.report.rows():
        is_kept = row.service in made.specs
        if row.outcome in (Outcome.BENT, Outcome.LOST) and is_kept and (row.service, row.key) not in told:
            said.append(f"{row.name} is called {row.outcome.value}, and is the same")
    return said


def wrong_bundles(made: Imported, compiled: Compiled) -> list[str]:
    """Sentences about bundles that start something else than their profile does."""
    said = []
    seen = {name: _without_told(name, made) for name in made.specs}
    by_spec = {spec.name: name for name, spec in made.specs.items()}
    for bundle, members in made.bundles.items():
        if bundle not in compiled.specs.bundles:
            said.append(f"the bundle {bundle} is missing")
            continue
        active = {by_spec.get(name, name) for name in activated(compiled.specs, compiled.specs.bundles[bundle])}
        wanted = {name for name in needed(members, seen) if name in made.specs}
        if not wanted <= active:
            said.append(f"the bundle {bundle} lacks {', '.join(sorted(wanted - active))}")
    return said


def _without_told(name: str, made: Imported) -> dict[str, Any]:
    """A service without the needs of which the report says that they are lost."""
    service = resolved(made.project.services[name], made.variables.values)
    if made.report.outcome(name, "depends_on") is Outcome.LOST:
        service["depends_on"] = {other: {"required": False} for other in service.get("depends_on") or ()}
    if made.report.outcome(name, "links") is Outcome.LOST:
        service.pop("links", None)
    return service


def _networks(before: Any, after: Any) -> tuple[Any, Any]:
    """Aliases may be more than before; the rest is as it is."""
    before = before or {"aliases": [], "options": {}, "apart": []}
    after = after or {"aliases": [], "options": {}, "apart": []}
    missing = sorted(set(before["aliases"]) - set(after["aliases"]))
    return {**before, "aliases": missing}, {**after, "aliases": []}


def _explicit(before: Mapping[str, Any], after: Mapping[str, Any], service: Mapping[str, Any]) -> dict[str, Any]:
    """What is waited for, without what links, volumes_from and shared namespaces imply."""
    implied = implied_by(service)
    found = {name: words for name, words in after.items() if name in before or name not in implied}
    # A conditional link is compiled only to what is active, as a dependency that is not required is.
    return {
        name: (words[0], before[name][1], words[2]) if name in before and before[name][1] == "false" else words
        for name, words in found.items()
    }


def _without_own(before: Mapping[str, Any], after: Mapping[str, Any], spec: Spec) -> dict[str, Any]:
    """The mounts, without Dusty's own; a copy may be written to where the original is read-only."""
    found = {}
    for target, volume in after.items():
        if target in OWN_TARGETS[spec.kind] and target not in before:
            continue
        volume = dict(volume)
        is_copy = volume.pop("is_copy", False)
        config = volume.pop("config", None)
        if target in before and is_copy:
            volume = {**before[target], "source": volume["source"]}
        if config and target in before and before[target].get("type") == "config":
            volume = {"type": "config", "source": config}
        if is_copy and target not in before:
            continue  # An app shows its code where the Compose file only builds from it.
        found[target] = volume
    return found
