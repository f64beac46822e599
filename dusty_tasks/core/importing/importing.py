"""An import as a whole: read, convert, leave out what Dusty refuses, prove. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from dusty_tasks.core.importing.compiled import Readers, compiled
from dusty_tasks.core.importing.own_output import WHY, without_own
from dusty_tasks.core.importing.proof import differences, unexplained, wrong_bundles
from dusty_tasks.core.importing.reading import Project
from dusty_tasks.core.importing.report import Outcome, Row
from dusty_tasks.core.importing.spec import Spec
from dusty_tasks.core.importing.stack import Imported, bundles_of, copies_of, files_of, imported
from dusty_tasks.core.importing.surroundings import Surroundings
from dusty_tasks.core.importing.variables import Declared
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.problems import Problem

MOST_ROUNDS = 100
_ITEM = re.compile(r"[^.\[\]]+")
_STANDS_FOR = {
    "host_forwarding": ("labels", "environment"),
    "assets": ("secrets", "configs", "volumes"),
    "depends": ("depends_on", "links"),
    "conditional_links": ("depends_on",),
    "mount": ("volumes", "build"),
    "repo": ("volumes", "build"),
    "networks": ("networks", "container_name"),
    "environment": ("environment", "env_file"),
    "volumes": ("volumes", "configs"),
    "deploy": ("deploy", "scale"),
}
"""Key of a spec -> the keys of the Compose file that it may come from."""


class Outcomes(NamedTuple):
    """What an import writes and tells."""

    files: dict[str, bytes]
    """Path below the specs -> bytes."""
    copies: dict[str, str]
    """Path below the specs -> the absolute path that the file is copied from."""
    rows: list[Row]
    variables: dict[str, Declared]
    assets: dict[str, str]
    bundles: list[str]
    unproven: list[str]
    """What the proof found that nobody was told; a bug of ours."""


def import_project(project: Project, around: Surroundings, readers: Readers) -> Outcomes:
    """The specs of a Compose project, the report, and what the proof says. Raises Refused."""
    project, own = without_own(project)
    made = imported(project, around)
    for service, key, node in own:
        made.report.begin(service, key, node.place)
        made.report.say(service, key, Outcome.OWN_WAY, "own output", WHY)
    unproven: list[str] = []
    for _ in range(MOST_ROUNDS):
        files = files_of(made, has_templates=False)
        result = compiled(files, readers, made.variables.given(), around.specs)
        if not result.problems:
            break
        if not _leave_out(made, result.problems):
            unproven += [str(problem) for problem in result.problems]
            break
        made = made._replace(bundles=bundles_of(project, made.variables, made.specs))
    files = files_of(made)
    if not unproven:
        result = compiled(files, readers, made.variables.given(), around.specs)
        unproven += [str(problem) for problem in result.problems]
    if not unproven:
        unproven = [*unexplained(made, differences(made, result, files)), *wrong_bundles(made, result)]
    return Outcomes(
        files, copies_of(made), made.report.rows(), made.variables.declared, made.assets, list(made.bundles), unproven
    )


def _leave_out(made: Imported, problems: Sequence[Problem]) -> bool:
    """Take out of the specs what Dusty refuses, and call it lost; False if nothing of it can be taken out."""
    by_file = {f"{spec.kind}s/{spec.name}.yml": spec for spec in made.specs.values()}
    done = False
    seen: set[str] = set()
    for problem in problems:
        spec = by_file.get(problem.place.file)
        if spec is None or f"{spec.name} {problem.path}" in seen or spec.source not in made.specs:
            continue
        seen.add(f"{spec.name} {problem.path}")
        if not any(one.startswith(f"{spec.name} ") for one in seen - {f"{spec.name} {problem.path}"}):
            done = _take_out(made, spec, problem) or done
    return done


def _take_out(made: Imported, spec: Spec, problem: Problem) -> bool:
    path = _ITEM.findall(problem.path)
    if path[:1] == ["compose"]:
        path = path[1:]
    if not path or path[0] in ("image", "build", "repo"):
        return _drop(made, spec, problem)
    key = path[0]
    holder = spec.top if key in spec.top else spec.compose
    if key == "networks" and spec.aliases:
        spec.aliases.clear()
    elif key not in holder:
        return _drop(made, spec, problem)
    elif len(path) > 1 and _take_item(holder[key], path[1]):
        pass
    else:
        del holder[key]
    told = [one for one in _STANDS_FOR.get(key, (key,)) if made.report.outcome(spec.source, one) is not None]
    made.report.say(spec.source, told[0] if told else key, Outcome.LOST, "", _reason(problem), _hint(problem))
    return True


def _take_item(value: Any, name: str) -> bool:
    if isinstance(value, list) and name.isdigit() and int(name) < len(value):
        del value[int(name)]
        return True
    if isinstance(value, dict) and name in value:
        del value[name]
        return True
    return False


def _drop(made: Imported, spec: Spec, problem: Problem) -> bool:
    """Leave out a whole service."""
    del made.specs[spec.source]
    for key in made.project.services[spec.source].value:
        made.report.say(
            spec.source, key, Outcome.LOST, "", f"the service is left out: {_reason(problem)}", _hint(problem)
        )
    for other in made.specs.values():
        _forget(other, spec.name)
    return True


def _forget(spec: Spec, name: str) -> None:
    """Take a service that is gone out of what others depend on."""
    depends = spec.compose.get("depends_on")
    if isinstance(depends, dict):
        depends.pop(name, None)
    elif isinstance(depends, list) and name in depends:
        depends.remove(name)
    if isinstance(spec.compose.get("links"), list):
        spec.compose["links"] = [link for link in spec.compose["links"] if link.partition(":")[0] != name]
    for key in ("depends", "conditional_links"):
        for names in (spec.top.get(key) or {}).values():
            names[:] = [one for one in names if one != name and not (isinstance(one, dict) and one.get("name") == name)]


def _hint(problem: Problem) -> str:
    return problem.hint or f"`{DUSTY} explain {problem.code.value}`"


def _reason(problem: Problem) -> str:
    return f"{problem.path}: {problem.what}" if problem.path else problem.what
