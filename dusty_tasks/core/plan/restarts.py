"""Why a container that is kept is started or restarted. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dusty_tasks.core.code.bind_sources import lost_sources, replaced_sources
from dusty_tasks.core.code.reloading import Owed, owed_for
from dusty_tasks.core.plan.change import (
    AWAIT,
    CREATE,
    RECREATE,
    RELOAD_CODE,
    RESTART,
    START,
    UNPAUSE,
    Change,
    Kind,
    PlaceOf,
)
from dusty_tasks.core.plan.container_state import CREATED, FINISHED, PAUSED, RUNNING, State
from dusty_tasks.core.plan.found import (
    Found,
    FoundContainer,
    Sources,
    asset_digests,
)
from dusty_tasks.core.plan.started import owed_until
from dusty_tasks.core.plan.wanted import WantedContainer
from dusty_tasks.core.specs.reload import NONE, RUN, SIGNAL
from dusty_tasks.core.specs.reload import RESTART as BY_RESTART
from dusty_tasks.core.specs.repo_ids import shown_names
from dusty_tasks.core.text.paths import ASSETS_THERE, SPEC_FILES
from dusty_tasks.core.text.safe import printable

if TYPE_CHECKING:
    from dusty_tasks.core.plan.started import StartedRecord


def by_sharing(wanted: WantedContainer, decided: dict[str, Kind], kinds: tuple[Kind, ...], what: str) -> str:
    """A container lives on in the network (or volumes) of another: it follows that one's recreation or restart."""
    for name in shared_with(wanted):
        if decided.get(name) in kinds:
            return f"it shares with {name}, which {what}"
    return ""


def shared_with(wanted: WantedContainer) -> list[str]:
    """The containers whose network, process ids, memory or volumes it uses."""
    modes = [str(wanted.mapping.get(key, "")) for key in ("network_mode", "pid", "ipc")]
    names = [
        wanted.shares_network_of,
        *(mode.removeprefix("service:") for mode in modes if mode.startswith("service:")),
    ]
    names += [
        str(source).partition(":")[0]
        for source in wanted.mapping.get("volumes_from") or []
        if not str(source).startswith("container:")
    ]
    return [name for name in dict.fromkeys(names) if name]


def restart(
    wanted: WantedContainer, state: State, sources: Sources, found: Found, decided: dict[str, Kind], place_of: PlaceOf
) -> Change | None:
    container = found.containers.get(wanted.name)
    if container is None:
        return None
    record = found.started.get(wanted.container_name) or {}
    causes = list(restart_causes(wanted, record, sources, found))
    shared = (
        by_sharing(wanted, decided, (CREATE, RECREATE, RESTART, START), "was restarted") if container.is_running else ""
    )
    if shared:
        causes.append(shared)
    if (
        container.is_stoppable
        and wanted.name not in found.sees_what_is_there
        and (replaced := _replaced(wanted, record, found, is_explained=bool(causes)))
    ):
        more = f" and {len(replaced) - 1} more" if len(replaced) > 1 else ""
        causes.append(
            f"{printable(replaced[0])}{more} was replaced after it started, and it still sees the old content"
        )
    if (
        container.is_stoppable
        and wanted.kind == "proxy"
        and (lost := lost_sources(wanted.mapping, record, found.inodes))
    ):
        causes.append(f"{printable(lost[0])} was lost, and it still sees the old content")
    if causes:
        place = place_of(wanted.name, ("commands", "always")) if causes[0] == ALWAYS else ""
        return Change(RESTART, wanted.name, "; ".join(causes), place)
    started = _start(wanted, container, state)
    if (started is None or started.kind == AWAIT) and container.state == "running":
        weak = [(cause, owed) for cause, owed in code_causes(wanted, record, found) if owed.kind in (SIGNAL, RUN)]
        if weak:
            return Change(RELOAD_CODE, wanted.name, "; ".join(cause for cause, _owed in weak))
    return started


def _replaced(wanted: WantedContainer, record: StartedRecord, found: Found, *, is_explained: bool) -> list[str]:
    """What it mounts and was replaced. With another cause, what was pushed for that one (files of the specs, assets) is not told again."""
    replaced = replaced_sources(wanted.mapping, record.get("inodes", {}), found.inodes)
    pushed = (f"/{SPEC_FILES}/", f"/{ASSETS_THERE}/") if is_explained else ()
    return [path for path in replaced if not any(folder in path for folder in pushed)]


ALWAYS = "`always` changed"


def restart_causes(wanted: WantedContainer, record: StartedRecord, sources: Sources, found: Found) -> Iterator[str]:
    if record.get("restart_owed"):
        yield "the run that should have restarted it did not finish"
    if wanted.always_digest != record.get("always", wanted.always_digest):
        yield ALWAYS
    for cause, owed in code_causes(wanted, record, found):
        if owed.kind == BY_RESTART:
            yield cause
    now, before = asset_digests(wanted.asset_keys, sources.assets), record.get("assets") or {}
    lost = [
        *(["command files"] if wanted.name in sources.command_files and not found.command_files else []),
        *(["assets"] if before and not found.assets else []),
    ]
    if lost:
        # A running container would go on seeing the folders that are gone.
        yield f"its {' and '.join(lost)} were lost on the Docker host"
    files = record.get("files") or {}
    for path in wanted.spec_files:
        if sources.spec_files.get(path) != files.get(path, sources.spec_files.get(path)):
            yield f"{printable(path)} changed in the specs"
    gone = sorted(before.keys() - now.keys())
    changed = [key for key in sorted(now) if now[key] != before.get(key)]
    for keys, word in ((changed, "changed"), (gone, "is unset")):
        if keys:
            yield f"asset {', '.join(keys)} {word}"


def code_causes(wanted: WantedContainer, record: StartedRecord, found: Found) -> Iterator[tuple[str, Owed]]:
    """Changed code of a container, in words, with what it calls for there (`reload` of the specs); what calls for nothing is left out."""
    shown = shown_names(wanted.repo_ids)
    for repo_id in wanted.repo_ids:
        receipt = found.receipts.get(repo_id) or {}
        lies_there = owed_until(record, repo_id, str(receipt.get("fingerprint")))
        if repo_id in found.stale_repos:
            cause = f"repo {shown[repo_id]}: {found.stale_repos[repo_id]}"
            owed = lies_there.plus(owed_for(found.changed_paths.get(repo_id), wanted.reload.get(repo_id)))
        elif receipt and lies_there.kind != NONE:
            done = "edited" if receipt.get("is_bound") else "synced"
            reason = found.sent_because.get(repo_id)
            cause = f"repo {shown[repo_id]}{f': {reason}' if reason else f' was {done} after it started'}"
            owed = lies_there
        elif _is_another_copy(repo_id, record, found):
            cause, owed = f"the copy of repo {shown[repo_id]} was recreated after it started", Owed(BY_RESTART)
        else:
            continue
        if owed.kind != NONE:
            yield cause, owed


def owed_in(wanted: WantedContainer, record: StartedRecord, found: Found) -> Owed:
    """All that changed code calls for in a container."""
    total = Owed()
    for _cause, owed in code_causes(wanted, record, found):
        total = total.plus(owed)
    return total


def _is_another_copy(repo_id: str, record: StartedRecord, found: Found) -> bool:
    """True if what it was started with lay in another copy: what `once` and installs made there is not in this one."""
    before, now = (record.get("copies") or {}).get(repo_id), found.receipts.get(repo_id, {}).get("copy")
    return bool(before and now and before != now)


def _start(wanted: WantedContainer, container: FoundContainer, state: State) -> Change | None:
    """What a container that is as it should be needs in the state that it is in."""
    if state.name in (FINISHED, RUNNING):
        return None
    if state.name == PAUSED:
        return Change(UNPAUSE, wanted.name, "it is paused")
    if not container.is_running:
        cause = "it was created and never started" if state.name == CREATED else f"it {state.what}"
        return Change(START, wanted.name, cause)
    return Change(AWAIT, wanted.name, f"it {state.what}")
