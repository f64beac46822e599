"""wanted x found -> plan: the small operations that make reality what the specs say, each with its cause.

Pure: it asks nobody and prints nothing; the executor (pipelines/up) decides nothing. Rules: docs/architecture.md,
and docs/verbs.md on `up`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from dusty_tasks.core.code.bind_sources import lost_sources, replaced_sources
from dusty_tasks.core.plan.container_state import CREATED, FINISHED, PAUSED, RUNNING, State, states
from dusty_tasks.core.plan.differences import NOT_IN_THE_CONTAINER, ONCE, Difference, KeyPath, mapping_differences
from dusty_tasks.core.plan.found import (
    GOING,
    UNREADABLE,
    Found,
    FoundContainer,
    Sources,
    asset_digests,
)
from dusty_tasks.core.plan.given_values import ENV_FILE, without_file
from dusty_tasks.core.plan.image_names import image_name, is_same_image
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.specs.repo_ids import shown_names
from dusty_tasks.core.text.namespace import CONTEXT_LABEL, PROXY, Namespace
from dusty_tasks.core.text.paths import COPIES
from dusty_tasks.core.text.safe import printable

if TYPE_CHECKING:
    from dusty_tasks.core.plan.started import StartedRecord


class Kind(StrEnum):
    """What a change does: the word before it is done, which is its value in `--json` too, and the word once it is done."""

    done: str
    """`recreated`."""

    def __new__(cls, word: str, done: str) -> Kind:
        kind = str.__new__(cls, word)
        kind._value_, kind.done = word, done
        return kind

    PULL = "pull image", "pulled image"
    BUILD = "build image", "built image"
    SYNC = "sync", "synced"
    COMMAND_FILES = "push command files", "pushed command files"
    ASSETS = "push assets", "pushed assets"
    HOSTS = "write hosts section", "wrote hosts section"
    CLEAR = "clear away", "cleared away"
    REMOVE = "remove", "removed"
    STOP = "stop", "stopped"
    CREATE = "create", "created"
    RECREATE = "recreate", "recreated"
    RESTART = "restart", "restarted"
    START = "start", "started"
    UNPAUSE = "unpause", "unpaused"
    NGINX = "push nginx config", "pushed nginx config"
    RELOAD = "reload nginx", "reloaded nginx"
    RECONNECT = "reconnect", "reconnected"
    AWAIT = "wait for", "waited for"
    """Nothing is changed: a running container that is not known to be ready is watched until it is, or has failed."""


PULL, BUILD, SYNC = Kind.PULL, Kind.BUILD, Kind.SYNC
COMMAND_FILES, ASSETS, HOSTS = Kind.COMMAND_FILES, Kind.ASSETS, Kind.HOSTS
CLEAR, REMOVE, STOP, CREATE, RECREATE = Kind.CLEAR, Kind.REMOVE, Kind.STOP, Kind.CREATE, Kind.RECREATE
RESTART, START, UNPAUSE, AWAIT = Kind.RESTART, Kind.START, Kind.UNPAUSE, Kind.AWAIT
NGINX, RELOAD, RECONNECT = Kind.NGINX, Kind.RELOAD, Kind.RECONNECT
STARTING = frozenset({CREATE, RECREATE, RESTART, START, UNPAUSE})
"""After these a container must become ready."""


class Change(NamedTuple):
    kind: Kind
    name: str
    """Of the container, image or repo; '' where the kind says it all."""
    cause: str
    place: str = ""
    """`apps/web.yml:3:8`, or '' when the cause lies in no spec."""
    shown: str = ""
    """What people call it, where that is not its name: a repo's short name."""

    def text(self, verb: str) -> str:
        """One line: `recreate web: image busybox:1 -> busybox:2, apps/web.yml:3:8`."""
        return f"{verb}{' ' if self.name else ''}{self.shown or self.name}: {self.cause}{', ' if self.place else ''}{self.place}"

    def __str__(self) -> str:
        return self.text(self.kind)

    @property
    def done(self) -> str:
        return self.text(self.kind.done)


class Plan(NamedTuple):
    changes: tuple[Change, ...] = ()
    """In the order in which they are done."""
    pending: tuple[Change, ...] = ()
    """What `--no-recreate` leaves undone, and a hosts section that was refused."""

    def of(self, *kinds: Kind) -> list[Change]:
        """The changes of these kinds, in order."""
        return [change for change in self.changes if change.kind in kinds]

    def names(self, *kinds: Kind) -> set[str]:
        return {change.name for change in self.of(*kinds)}

    def without(self, name: str) -> Plan:
        """The plan with no change of this container, nor of what belongs to it alone (the proxy's config)."""
        kinds = (NGINX, RELOAD) if name == PROXY else ()
        return Plan(
            tuple(change for change in self.changes if change.name != name and change.kind not in kinds), self.pending
        )


class Options(NamedTuple):
    """What the caller of `up` asked for."""

    no_recreate: bool = False
    pull: bool = False
    build: bool = False


PlaceOf = Callable[[str, KeyPath], str]
"""(name of a container, key path in its entry of the Compose file) -> `file:line:col`, or ''."""


def plan(
    wanted: Wanted,
    sources: Sources,
    found: Found,
    options: Options = Options(),  # noqa: B008 - immutable
    place_of: PlaceOf = lambda _name, _path: "",
) -> Plan:
    """Everything to do, in order: what can fail first, then containers, the proxy's config, and the hosts section when all is up."""
    containers, pending = plan_containers(wanted, sources, found, options, place_of)
    early, late = _plan_nginx(wanted, sources, found, containers)
    return Plan(
        (
            *_plan_images(wanted, sources, found, options, containers, place_of),
            *_plan_pushes(wanted, sources, found),
            *_plan_syncs(wanted, found),
            *early,
            *containers,
            *late,
            *(() if found.hosts_refused else _plan_hosts(found)),
        ),
        (*pending, *(_plan_hosts(found) if found.hosts_refused else ())),
    )


def plan_here(found: Found) -> Plan:
    """What is to be done on this machine, where nobody can tell what is on the Docker host."""
    changes = tuple(_plan_hosts(found))
    return Plan((), changes) if found.hosts_refused else Plan(changes)


def _plan_hosts(found: Found) -> list[Change]:
    return (
        []
        if found.hosts_section_is_in_place
        else [Change(HOSTS, "", found.hosts_refused or "it differs from the compiled one")]
    )


def _plan_syncs(wanted: Wanted, found: Found) -> Iterator[Change]:
    shown = shown_names(entry.id for entry in wanted.repos)
    for repo_id, reason in sorted(found.stale_repos.items()):
        yield Change(SYNC, repo_id, reason, shown=shown.get(repo_id, ""))


def to_json(planned: Plan) -> dict[str, Any]:
    """The plan for machines: a stable list of changes, and what is pending."""
    return {
        "changes": [change._asdict() for change in planned.changes],
        "pending": [change._asdict() for change in planned.pending],
    }


def plan_containers(
    wanted: Wanted, sources: Sources, found: Found, options: Options, place_of: PlaceOf
) -> tuple[list[Change], list[Change]]:
    """Leftovers and removals first, then each wanted container that cannot be left alone, dependencies first; and what stays pending."""
    removals, pending = _plan_strangers(wanted, found, options)
    changes = [*_plan_leftovers(found), *removals]
    decided: dict[str, Kind] = {}
    told = states(wanted, found)
    for container in _proxy_last(wanted.containers):
        state = told[container.name]
        recreation = _recreation(container, state, sources, found, decided, place_of)
        if recreation and recreation.kind == RECREATE and options.no_recreate:
            pending.append(recreation)
            recreation = None
        change = recreation or _restart(container, state, sources, found, decided, place_of)
        if change:
            decided[container.name] = change.kind
            changes.append(change)
    return changes, pending


def _proxy_last(containers: Iterable[WantedContainer]) -> list[WantedContainer]:
    return sorted(containers, key=lambda container: container.kind == "proxy")


def _plan_leftovers(found: Found) -> Iterator[Change]:
    """Compose would trip over them: it takes the first of two for the container, and finds the name for the next one taken."""
    for _, container in sorted(found.containers.items()):
        for leftover in container.leftovers:
            yield Change(CLEAR, leftover.container_name, "a recreation that was broken off left it")


def _plan_strangers(wanted: Wanted, found: Found, options: Options) -> tuple[list[Change], list[Change]]:
    """Containers of Dusty's that the stack no longer has."""
    names = {container.name for container in wanted.containers}
    gone = [container for name, container in sorted(found.containers.items()) if name not in names]
    cause = "nothing that is active needs it"
    removals = [Change(REMOVE, container.name, cause) for container in gone]
    if not options.no_recreate:
        return removals, []
    return [Change(STOP, container.name, cause) for container in gone if container.is_running], removals


def _recreation(
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
            else "it is not the container that the last up made",
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
        or _by_sharing(wanted, decided, (CREATE, RECREATE), "was recreated")
    )
    return Change(RECREATE, wanted.name, cause) if cause else None


def _path_behind(path: KeyPath, wanted: WantedContainer, record: StartedRecord, sources: Sources) -> KeyPath:
    """What put a differing key there: a setting, as ("settings", its key), where it is none of the specs' doing; else the key itself."""
    before = record.get("mapping") or {}
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
    return [
        each
        for difference in differences
        for each in (_once_differences(wanted, record) or [difference] if difference.path == ONCE else [difference])
    ]


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
    changed_context = _changed_context(wanted, container.labels, sources) if wanted.build_context else ""
    name = image_of(wanted, found.namespace)
    return changed_context or (
        "" if is_same_image(container.image, name) else f"the name {name} now means another image"
    )


def _changed_context(wanted: WantedContainer, labels: dict[str, str], sources: Sources) -> str:
    digest = sources.contexts.get(wanted.name, "")
    if digest.startswith(UNREADABLE):
        return digest.removeprefix(UNREADABLE)
    return "" if not digest or labels.get(CONTEXT_LABEL) == digest else f"{wanted.build_context} changed"


def _other_environment(wanted: WantedContainer, record: StartedRecord, sources: Sources) -> str:
    """Of what is no part of the mapping as `_with_given` has it: variables of the caller, and files."""
    before, now = record.get("environment") or {}, sources.environment.get(wanted.name, {})
    names = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    return f"another value of {', '.join(names)}" if names else ""


def _lost_network(
    wanted: WantedContainer,
    container: FoundContainer,
    state: State,
    record: StartedRecord,
    sources: Sources,
    found: Found,
) -> str:
    """A container keeps the network that it was made in, by its id: without that it cannot be started."""
    is_left_alone = state.name == FINISHED and not any(_restart_causes(wanted, record, sources, found))
    if wanted.mapping.get("network_mode") or container.networks is None or is_left_alone:
        return ""
    if found.namespace.network not in container.networks:
        return "it was taken off the project's network"
    is_known = found.network_id is not None and not container.is_running
    return (
        "the network that it was made in is gone"
        if is_known and container.networks[found.namespace.network] not in ("", found.network_id)
        else ""
    )


def _by_sharing(wanted: WantedContainer, decided: dict[str, Kind], kinds: tuple[Kind, ...], what: str) -> str:
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


def _restart(
    wanted: WantedContainer, state: State, sources: Sources, found: Found, decided: dict[str, Kind], place_of: PlaceOf
) -> Change | None:
    container = found.containers.get(wanted.name)
    if container is None:
        return None
    record = found.started.get(wanted.container_name) or {}
    causes = list(_restart_causes(wanted, record, sources, found))
    shared = (
        _by_sharing(wanted, decided, (CREATE, RECREATE, RESTART, START), "was started anew")
        if container.is_running
        else ""
    )
    if shared:
        causes.append(shared)
    if (
        container.is_stoppable
        and wanted.name not in found.sees_what_is_there
        and (replaced := replaced_sources(wanted.mapping, record.get("inodes", {}), found.inodes))
    ):
        more = f" and {len(replaced) - 1} more" if len(replaced) > 1 else ""
        causes.append(
            f"{printable(replaced[0])}{more} was replaced after it started, and it still sees what was there before"
        )
    if (
        container.is_stoppable
        and wanted.kind == "proxy"
        and (lost := lost_sources(wanted.mapping, record, found.inodes))
    ):
        causes.append(f"{printable(lost[0])} was lost, and it still sees what was there before")
    if causes:
        place = place_of(wanted.name, ("commands", "always")) if causes[0] == ALWAYS else ""
        return Change(RESTART, wanted.name, "; ".join(causes), place)
    return _start(wanted, container, state)


ALWAYS = "`always` changed"


def _restart_causes(wanted: WantedContainer, record: StartedRecord, sources: Sources, found: Found) -> Iterator[str]:
    if record.get("restart_owed"):
        yield "the run that was to restart it did not finish"
    if wanted.always_digest != record.get("always", wanted.always_digest):
        yield ALWAYS
    started_repos = record.get("repos") or {}
    shown = shown_names(wanted.repo_ids)
    for repo_id in wanted.repo_ids:
        if repo_id in found.stale_repos:
            yield f"repo {shown[repo_id]}: {found.stale_repos[repo_id]}"
        elif repo_id in found.receipts and started_repos.get(repo_id) != found.receipts[repo_id].get("fingerprint"):
            yield f"repo {shown[repo_id]} was {'edited' if found.receipts[repo_id].get('is_bound') else 'synced'} after it started"
        elif _is_another_copy(repo_id, record, found):
            yield f"the copy of repo {shown[repo_id]} was made anew after it started"
    now, before = asset_digests(wanted.asset_keys, sources.assets), record.get("assets") or {}
    lost = [
        *(["command files"] if wanted.name in sources.command_files and not found.command_files else []),
        *(["assets"] if before and not found.assets else []),
    ]
    if lost:
        # A running container would go on seeing the folders that are gone.
        yield f"its {' and '.join(lost)} were lost on the Docker host"
    gone = sorted(before.keys() - now.keys())
    changed = [key for key in sorted(now) if now[key] != before.get(key)]
    for keys, word in ((changed, "changed"), (gone, "is unset")):
        if keys:
            yield f"asset {', '.join(keys)} {word}"


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


def _plan_images(
    wanted: Wanted, sources: Sources, found: Found, options: Options, containers: list[Change], place_of: PlaceOf
) -> Iterator[Change]:
    """Images that the containers to be made need, each once: pulls, then builds, each in container order."""
    found_changes = _image_changes(wanted, sources, found, options, containers, place_of)
    yield from sorted(found_changes, key=lambda change: change.kind == BUILD)


def _image_changes(
    wanted: Wanted, sources: Sources, found: Found, options: Options, containers: list[Change], place_of: PlaceOf
) -> Iterator[Change]:
    making = {change.name for change in containers if change.kind in (CREATE, RECREATE)}
    seen: set[str] = set()
    for container in wanted.containers:
        name = image_of(container, found.namespace)
        if not name or name in seen:
            continue
        labels = (found.images or {}).get(image_name(name))
        change = (
            _build(container, labels, found, sources, options, container.name in making)
            if container.build_context
            else _pull(name, labels, found, options, container.name in making)
        )
        if change:
            seen.add(name)
            yield Change(*change, place_of(container.name, ("build" if container.build_context else "image",)))


def image_of(wanted: WantedContainer, namespace: Namespace) -> str:
    """The image its container is made from: its own, or the name that Compose gives to what it builds."""
    return str(wanted.mapping.get("image") or (namespace.built_image(wanted.name) if wanted.build_context else ""))


def _pull(
    name: str, labels: dict[str, str] | None, found: Found, options: Options, is_made: bool
) -> tuple[Kind, str, str] | None:
    if options.pull:
        return PULL, name, "--pull asks whether its tag moved"
    return (
        (PULL, name, "it is not on the Docker host")
        if is_made and found.images is not None and labels is None
        else None
    )


def _build(
    container: WantedContainer,
    labels: dict[str, str] | None,
    found: Found,
    sources: Sources,
    options: Options,
    is_made: bool,
) -> tuple[Kind, str, str] | None:
    if options.build:
        return BUILD, container.name, "--build asks for it"
    if not is_made or found.images is None:
        return None
    if labels is None:
        return BUILD, container.name, "it was not built yet"
    cause = _changed_context(container, labels, sources) or _changed_build(container, found)
    return (BUILD, container.name, cause) if cause else None


def _changed_build(container: WantedContainer, found: Found) -> str:
    """A changed `build:` key (another Dockerfile, other arguments) of a container that was made before."""
    record = found.started.get(container.container_name)
    was = (record or {}).get("mapping", {}).get("build")
    return "its `build` key changed" if record and was != container.mapping.get("build") else ""


def _plan_pushes(wanted: Wanted, sources: Sources, found: Found) -> Iterator[Change]:
    differing = _differing(sources.command_files, found.command_files)
    if differing:
        yield Change(COMMAND_FILES, "", _those_of(differing, found.command_files))
    differing = _differing(assets_by_app(wanted, sources), _assets_to_compare(wanted, sources, found))
    if differing:
        yield Change(ASSETS, "", _those_of(differing, found.assets))


def assets_by_app(wanted: Wanted, sources: Sources) -> dict[str, str]:
    """App -> one digest over the set assets that it sees; apps that see none are left out."""
    seen = ((container.name, asset_digests(container.asset_keys, sources.assets)) for container in wanted.containers)
    return {name: digest_text(digests) for name, digests in seen if digests}


FOR_TESTS = "for tests: "
"""Before the digests of what `dusty test` pushed."""


def digest_text(digests: dict[str, str]) -> str:
    """Asset key -> digest, as one text."""
    return " ".join(f"{key}={digest}" for key, digest in sorted(digests.items()))


def _assets_to_compare(wanted: Wanted, sources: Sources, found: Found) -> dict[str, str]:
    """What was pushed, without that for tests of what is not in the stack: it may stay while all of its assets are set."""
    names = {container.name for container in wanted.containers}

    def may_stay(digest: str) -> bool:
        return digest.startswith(FOR_TESTS) and all(
            each.partition("=")[0] in sources.set_keys for each in digest.removeprefix(FOR_TESTS).split()
        )

    return {name: digest for name, digest in found.assets.items() if name in names or not may_stay(digest)}


def _differing(now: dict[str, str], before: dict[str, str]) -> list[str]:
    return [name for name in sorted({*now, *before}) if now.get(name) != before.get(name)]


def _those_of(names: list[str], there: dict[str, str]) -> str:
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    what = "differ on the Docker host" if any(name in there for name in names) else "are not on the Docker host yet"
    return f"those of {', '.join(names[:4])}{more} {what}"


def _plan_nginx(
    wanted: Wanted, sources: Sources, found: Found, containers: list[Change]
) -> tuple[list[Change], list[Change]]:
    """The proxy's config: before its container when that is (re)started, else pushed last, tested and reloaded; and its names on the network."""
    proxy = next((container for container in wanted.containers if container.kind == "proxy"), None)
    if proxy is None:
        return [], []
    record = found.started.get(proxy.container_name) or {}
    news = _names_news(proxy, record)
    cause = "; ".join(news) or (
        "it differs from the compiled one" if found.nginx_digest else "it is not on the Docker host"
    )
    pushes = [Change(NGINX, "", cause)] if sources.nginx_digest != found.nginx_digest else []
    kinds = {change.kind for change in containers if change.name == PROXY}
    is_renamed = not kinds & {CREATE, RECREATE} and aliases_of(proxy.mapping) != aliases_of(record.get("mapping") or {})
    late = [Change(RECONNECT, PROXY, "; ".join(news))] if is_renamed else []
    if kinds & STARTING:
        return pushes, late
    if pushes or record.get("nginx") != sources.nginx_digest:
        late += [*pushes, Change(RELOAD, "", "its config changed" if pushes else "it has not loaded its config yet")]
    return [], late


def aliases_of(mapping: dict[str, Any]) -> list[str]:
    """The names that the proxy has on the project's network."""
    networks = mapping.get("networks")
    default = networks.get("default") if isinstance(networks, dict) else None
    return list((default or {}).get("aliases") or [])


def _names_news(proxy: WantedContainer, record: StartedRecord) -> list[str]:
    now, before = aliases_of(proxy.mapping), aliases_of(record.get("mapping") or {})
    if not record:
        return []
    return [
        *(f"{name} is new" for name in now if name not in before),
        *(f"{name} is gone" for name in before if name not in now),
    ]
