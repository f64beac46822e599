"""Mount points below the copies of repos: where a container sees something else than the copy. A sync leaves them in place, since
the kernel takes a mount away from a running container when the folder or file below it is removed or replaced. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from dusty_tasks.core.artifacts.commands import visible_assets
from dusty_tasks.core.code.copies import MountPoint
from dusty_tasks.core.specs.model import App, Lib, Service, code_mounts
from dusty_tasks.core.specs.rules import normal_path
from dusty_tasks.core.stack.model import Stack, containers_of
from dusty_tasks.core.text.namespace import IN_SPECS, Namespace
from dusty_tasks.core.text.paths import COPIES

if TYPE_CHECKING:
    from dusty_tasks.core.plan.started import StartedRecord

REPOS = f"/{COPIES}"
"""Where specs find the copies."""
MOST_LINKS = 40
"""So many links on one way are followed, as the kernel does."""


MountPoints = dict[str, tuple[MountPoint, ...]]
"""By repo id, sorted."""


class _View(NamedTuple):
    """What a container mounts."""

    name: str
    copies: tuple[tuple[str, str, str], ...]
    """(repo id, folder in its copy, path in the container)."""
    targets: tuple[tuple[str, str], ...]
    """(path in the container, key of the asset there or '')."""
    shares_with: tuple[str, ...] = ()
    """The containers whose volumes it uses as well."""


def of_stack(stack: Stack) -> MountPoints:
    """Those of every container of the stack, and of the containers that its tests run in."""
    views = []
    for spec in containers_of(stack):
        libs = [stack.libs[name] for name in stack.lib_order[spec.name]] if isinstance(spec, App) else []
        views.append(_view(spec.name, spec, libs, [spec.compose], stack.repos))
    holders: list[tuple[App | Lib, str]] = [
        *((app, app.name) for app in stack.apps.values()),
        *((lib, f"lib/{lib.name}") for lib in stack.libs.values()),
    ]
    for holder, key in holders:
        if holder.tests:
            views.append(_tests_of(holder, [stack.libs[name] for name in stack.lib_order[key]]))
    return _below(views)


def of_test_target(spec: App | Lib, libs: Iterable[Lib]) -> MountPoints:
    """Those of the containers that the suites of an app or lib run in; `libs` are those that it depends on."""
    return _below([_tests_of(spec, list(libs))])


def _tests_of(spec: App | Lib, libs: list[Lib]) -> _View:
    """What the containers of its suites mount, taken together."""
    return _view(
        f"tests of {spec.name}", spec, libs, [suite.compose for suite in spec.tests.suites] if spec.tests else [], ()
    )


def of_records(
    started: Mapping[str, StartedRecord], copies: str, repo_ids: Iterable[str], namespace: Namespace
) -> MountPoints:
    """Those of the containers as they were started, by their records (persist/.dusty/started.json).

    `copies` is the folder of all copies as containers mount them, `repo_ids` are the repos that are asked about. What is no
    record is left out.
    """
    views, ids = [], list(repo_ids)
    for container_name, record in started.items():
        if not isinstance(record, dict) or not isinstance(record.get("mapping"), dict):
            continue
        mapping = record["mapping"]
        volumes = [*_pairs(mapping), *((source, target) for target, source in _strings(record.get("mounts")).items())]
        volumes = [(source.replace("$$", "$"), target.replace("$$", "$")) for source, target in volumes]
        views.append(
            _View(
                namespace.part(container_name),
                tuple(_copies(volumes, copies, ids)),
                tuple((target, "") for _, target in volumes),
                tuple(_sharing(mapping, namespace)),
            )
        )
    return _below(views)


def _strings(value: Any) -> dict[str, str]:
    return {str(key): str(item) for key, item in value.items()} if isinstance(value, dict) else {}


def _view(
    name: str, spec: App | Lib | Service, libs: list[Lib], composes: list[dict[str, Any]], repo_ids: Iterable[str]
) -> _View:
    holders: list[App | Lib] = [] if isinstance(spec, Service) else [spec, *libs]
    own = [
        (holder.repo.id, mount.folder, normal_path(mount.path))
        for holder in holders
        for mount in code_mounts(holder)
        if holder.repo
    ]
    volumes = [pair for compose in composes for pair in _pairs(compose)]
    assets = [(normal_path(asset.path), asset.key) for asset in visible_assets(spec, libs)]
    targets = [*((mount, "") for _, _, mount in own), *((target, "") for _, target in volumes), *assets]
    return _View(
        name,
        (*own, *_copies(volumes, REPOS, repo_ids)),
        tuple(targets),
        tuple(name for compose in composes for name in _sharing(compose, IN_SPECS)),
    )


def _pairs(compose: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(source, target) of the volumes and tmpfs of a container, which are known to be well written."""
    for entry in compose.get("volumes") or ():
        if isinstance(entry, dict):
            yield str(entry.get("source", "")), normal_path(str(entry.get("target", "")))
        else:
            source, colon, rest = str(entry).partition(":")
            yield (source, normal_path(rest.partition(":")[0])) if colon else ("", normal_path(source))
    tmpfs = compose.get("tmpfs") or ()
    for entry in [tmpfs] if isinstance(tmpfs, str) else tmpfs:
        yield "", normal_path(str(entry).partition(":")[0])


def _sharing(compose: Mapping[str, Any], namespace: Namespace) -> list[str]:
    """The containers whose volumes one uses as well."""
    return [
        namespace.part(str(entry).removeprefix("container:").partition(":")[0])
        for entry in compose.get("volumes_from") or ()
    ]


def _copies(volumes: Iterable[tuple[str, str]], copies: str, repo_ids: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """The volumes that are copies of repos, or folders in them."""
    ids = list(repo_ids)
    for source, target in volumes:
        for repo_id in ids:
            top = f"{copies}/{repo_id}"
            if source == top or source.startswith(f"{top}/"):
                yield repo_id, source[len(top) + 1 :].strip("/"), target


def _below(views: Iterable[_View]) -> MountPoints:
    by_name: dict[str, list[_View]] = {}
    for view in views:
        by_name.setdefault(view.name, []).append(view)
    found: dict[str, set[MountPoint]] = {}
    for name, own in by_name.items():
        seen = [*own, *_shared(own, by_name)]
        for repo_id, folder, mount in (copy for view in seen for copy in view.copies):
            for target, key in (target for view in seen for target in view.targets):
                if target.startswith(f"{mount}/"):
                    path = f"{folder}/{target[len(mount) + 1 :]}".strip("/")
                    found.setdefault(repo_id, set()).add(MountPoint(path, name, key))
    return {repo_id: tuple(sorted(points)) for repo_id, points in found.items()}


def _shared(own: list[_View], by_name: Mapping[str, list[_View]]) -> list[_View]:
    """The views of all whose volumes these use, directly or not."""
    seen: dict[str, list[_View]] = {}
    waiting = [name for view in own for name in view.shares_with]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen[name] = by_name.get(name, [])
            waiting += [other for view in seen[name] for other in view.shares_with]
    return [view for views in seen.values() for view in views if view not in own]


def of_working_trees(
    mappings: Mapping[str, Mapping[str, Any]], trees: Iterable[str]
) -> dict[str, list[tuple[str, str]]]:
    """Working tree -> (path below it, what is mounted there: a path of the Docker host, or '') where containers mount the trees themselves.

    `mappings` is container -> its entry in the Compose file, `trees` are absolute paths.
    """
    ids = [tree.strip("/") for tree in trees]
    points = of_records({name: {"mapping": dict(mapping)} for name, mapping in mappings.items()}, "", ids, IN_SPECS)
    sources: dict[str, str] = {}
    for mapping in mappings.values():
        pairs = [(source.replace("$$", "$"), target) for source, target in _pairs(mapping)]
        for mount in [target for source, target in pairs if source.strip("/") in ids]:
            sources.update(
                {target[len(mount) + 1 :]: source for source, target in pairs if target.startswith(f"{mount}/")}
            )
    return {
        f"/{tree}": sorted({(point.path, sources.get(point.path, "")) for point in found})
        for tree, found in points.items()
    }


def merged(*several: Iterable[MountPoint]) -> tuple[MountPoint, ...]:
    """All of them, sorted, each path of an asset or of a mount once."""
    found: dict[tuple[str, bool], MountPoint] = {}
    for point in sorted(point for points in several for point in points):
        found.setdefault((point.path, bool(point.asset)), point)
    return tuple(found.values())


def through_links(path: bytes, link_at: Callable[[bytes], bytes | None]) -> bytes:
    """Where a mount point lies whose way leads through links of the source, which the engine follows in the container.

    `link_at` gives the target of a link by its path below the copy. A way that leads out of the copy, or in circles, is left as it is.
    """
    done: list[bytes] = []
    todo, turns = path.split(b"/"), 0
    while todo:
        part = todo.pop(0)
        if part == b".." and not done:
            return path
        target = link_at(b"/".join([*done, part])) if part not in (b"", b".", b"..") else None
        if target is not None:
            turns += 1
            if target.startswith(b"/") or turns > MOST_LINKS:
                return path
            todo = [*target.split(b"/"), *todo]
        elif part == b"..":
            done.pop()
        elif part not in (b"", b"."):
            done.append(part)
    return b"/".join(done)
