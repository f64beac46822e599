"""Why a container is made anew rather than kept: what it was made from is not what is wanted. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dusty_tasks.core.plan.change import (
    CREATE,
    RECREATE,
    Change,
    Kind,
    PlaceOf,
)
from dusty_tasks.core.plan.container_state import FINISHED, State
from dusty_tasks.core.plan.differences import NOT_IN_THE_CONTAINER, ONCE, Difference, KeyPath, mapping_differences
from dusty_tasks.core.plan.found import (
    GOING,
    Found,
    FoundContainer,
    Sources,
)
from dusty_tasks.core.plan.given_values import ENV_FILE, without_file
from dusty_tasks.core.plan.image_changes import changed_context, image_of
from dusty_tasks.core.plan.image_names import is_same_image
from dusty_tasks.core.plan.restarts import by_sharing, code_causes, restart_causes
from dusty_tasks.core.plan.wanted import WantedContainer
from dusty_tasks.core.specs.reload import RECREATE as BY_RECREATION
from dusty_tasks.core.text.paths import COPIES

if TYPE_CHECKING:
    from dusty_tasks.core.plan.started import StartedRecord


def recreation(
    wanted: WantedContainer, state: State, sources: Sources, found: Found, decided: dict[str, Kind], place_of: PlaceOf
) -> Change | None:
    container = found.containers.get(wanted.name)
    if container is None:
        return Change(CREATE, wanted.name, "it has no container yet", place_of(wanted.name, ()))
    record = found.started.get(wanted.container_name)
    if record is None or record.get("container_id") != container.id:
        return Change(
            RECREATE,
            wanted.name,
            "there is no record of what it was started with"
            if record is None
            else "it is not the container that the last up created",
        )
    if container.state in GOING:
        return Change(RECREATE, wanted.name, f"its container is {container.state}")
    if container.container_name != wanted.container_name:
        return Change(RECREATE, wanted.name, f"its container was renamed to {container.container_name}")
    differences = container_differences(wanted, record, sources.environment.get(wanted.name, {}))
    if differences:
        words = "; ".join(difference.what for difference in differences[:3])
        more = f" and {len(differences) - 3} more" if len(differences) > 3 else ""
        return Change(
            RECREATE,
            wanted.name,
            words + more,
            place_of(wanted.name, _path_behind(differences[0].path, wanted, record, sources)),
        )
    cause = (
        _other_image(wanted, container, sources, found)
        or _other_environment(wanted, record, sources)
        or _lost_network(wanted, container, state, record, sources, found)
        or next((cause for cause, owed in code_causes(wanted, record, found) if owed.kind == BY_RECREATION), "")
        or by_sharing(wanted, decided, (CREATE, RECREATE), "was recreated")
    )
    return Change(RECREATE, wanted.name, cause) if cause else None


def _path_behind(path: KeyPath, wanted: WantedContainer, record: StartedRecord, sources: Sources) -> KeyPath:
    """What put a differing key there: a setting, as ("settings", its key), where it is none of the specs' doing; else the key itself."""
    before = record.get("mapping") or {}
    if path[0] == "environment" and len(path) > 1 and path[1] in wanted.secrets:
        return ("env_file", len(wanted.mapping.get("env_file") or ()) - 1)
    if (
        path[0] == "environment"
        and len(path) > 1
        and path[1] in {**(record.get("environment") or {}), **sources.environment.get(wanted.name, {})}
    ):
        return ("settings", f"env.{wanted.name}.{path[1]}")
    if path[0] == "volumes":
        old, new = ([str(item) for item in mapping.get("volumes") or ()] for mapping in (before, wanted.mapping))
        gone, come = [item for item in old if item not in new], [item for item in new if item not in old]
        if gone and come and any(f"/{COPIES}/" in item for item in gone) != any(f"/{COPIES}/" in item for item in come):
            return ("settings", "sync.mode")
    return path


NEW_INIT = "apps now have an init process, so that they stop at once (compose: {init: false} keeps it out)"
"""No spec asked for it: a version of Dusty brought it. Only containers of before have none."""


COMMANDS_IN, ASSETS_IN = "/command_files", "/dusty_assets"
"""Where an app's container has what Dusty mounts before the app's own code."""


def container_differences(
    wanted: WantedContainer, record: StartedRecord, outside: Mapping[str, str] = {}
) -> list[Difference]:
    """What calls for a new container. Aliases of the proxy do not: it is reconnected under the new ones.

    `outside` are the digests of what Compose fills in from outside (Sources.environment).
    """
    ignored = NOT_IN_THE_CONTAINER | ({"networks"} if wanted.kind == "proxy" else frozenset())
    before = _with_given(record.get("mapping") or {}, wanted.name, record.get("environment") or {})
    differences = mapping_differences(before, _with_given(wanted.mapping, wanted.name, outside), ignored)
    if wanted.kind == "app" and "init" not in (record.get("mapping") or {}):
        differences = [
            difference._replace(what=NEW_INIT) if difference.path == ("init",) else difference
            for difference in differences
        ]
    if _starts_at_its_mount(wanted, record):
        differences = [difference for difference in differences if difference.path != ("working_dir",)]
    return [
        each
        for difference in differences
        for each in (_once_differences(wanted, record) or [difference] if difference.path == ONCE else [difference])
    ]


def _starts_at_its_mount(wanted: WantedContainer, record: StartedRecord) -> bool:
    """True for an app of a version that said no working_dir, where it is the app's mount now: start.sh goes there anyway, so nothing in it is
    other, and an upgrade recreates nothing for it.
    """
    targets = [str(volume).split(":")[1] for volume in wanted.mapping.get("volumes") or () if ":" in str(volume)]
    behind = targets[targets.index(COMMANDS_IN) + 1 :] if COMMANDS_IN in targets else []
    own = next((target for target in behind if target != ASSETS_IN), "")
    return "working_dir" not in (record.get("mapping") or {}) and wanted.mapping.get("working_dir") == own != ""


def _with_given(mapping: dict[str, Any], name: str, outside: Mapping[str, str]) -> dict[str, Any]:
    """A mapping as if its `environment` held the values of `dusty env`, of which there are digests."""
    environment = mapping.get("environment")
    variables = environment if isinstance(environment, dict) else {}
    given = {
        variable: f"digest {digest}"
        for variable, digest in outside.items()
        if not variable.startswith(ENV_FILE) and not (variable in variables and variables[variable] is None)
    }
    plain = without_file(mapping, name)
    return {**plain, "environment": {**variables, **given}} if given else plain


def _once_differences(wanted: WantedContainer, record: StartedRecord) -> list[Difference]:
    """Which of `once` and the install lines changed; [] for a record that does not know."""
    before, now = record.get("once") or {}, wanted.once_digests
    changed = [
        name
        for name in [*now, *(name for name in before if name not in now)]
        if before and now.get(name) != before.get(name)
    ]
    return [
        Difference(("libs", name, "install"), f"`install` of lib {name} changed")
        if name
        else Difference(ONCE, "`once` changed")
        for name in changed
    ]


def _other_image(wanted: WantedContainer, container: FoundContainer, sources: Sources, found: Found) -> str:
    other_context = changed_context(wanted, container.labels, sources) if wanted.build_context else ""
    name = image_of(wanted, found.namespace)
    return other_context or ("" if is_same_image(container.image, name) else f"the name {name} now means another image")


def _other_environment(wanted: WantedContainer, record: StartedRecord, sources: Sources) -> str:
    """Of what is no part of the mapping as `_with_given` has it: variables of the caller, and files."""
    before, now = record.get("environment") or {}, sources.environment.get(wanted.name, {})
    names = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    return f"new value of {', '.join(names)}" if names else ""


def _lost_network(
    wanted: WantedContainer,
    container: FoundContainer,
    state: State,
    record: StartedRecord,
    sources: Sources,
    found: Found,
) -> str:
    """A container keeps the network that it was created in, by its id: without that it cannot be started."""
    is_left_alone = state.name == FINISHED and not any(restart_causes(wanted, record, sources, found))
    if wanted.mapping.get("network_mode") or container.networks is None or is_left_alone:
        return ""
    if found.namespace.network not in container.networks:
        return "it was taken off the project's network"
    is_known = found.network_id is not None and not container.is_running
    return (
        "the network that it was created in is gone"
        if is_known and container.networks[found.namespace.network] not in ("", found.network_id)
        else ""
    )
