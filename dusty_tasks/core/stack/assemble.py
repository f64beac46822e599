"""Assembly: the specs closed under what the active bundles need (docs/specs.md). Pure."""

from __future__ import annotations

import heapq
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping

from dusty_tasks.core.specs.model import App, Bundle, Lib, Service, Specs
from dusty_tasks.core.specs.repo_ids import Repo
from dusty_tasks.core.stack.builds import build_secrets
from dusty_tasks.core.stack.bundle_env import with_bundle_env
from dusty_tasks.core.stack.model import AssetUse, Route, Stack
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import CONFIG_FILE
from dusty_tasks.core.text.problems import Place, Problem, did_you_mean
from dusty_tasks.core.text.safe import shown


def assemble(specs: Specs, bundle_names: Iterable[str]) -> tuple[Stack, list[Problem]]:
    """The stack of the named bundles, and a warning for each bundle that the specs no longer have.

    Names that the specs lack are left out; check_specs has said so. Ports are 0 until core/stack/ports gives them out.
    """
    bundles, warnings = _known_bundles(specs, bundle_names)
    active = set().union(*(activated(specs, specs.bundles[name]) for name in bundles))
    apps = {name: with_bundle_env(specs, bundles, specs.apps[name]) for name in sorted(active & specs.apps.keys())}
    lib_order = {name: lib_order_of(specs.libs, app.libs) for name, app in apps.items()}
    libs = {name: specs.libs[name] for name in sorted({lib for order in lib_order.values() for lib in order})}
    lib_order.update({f"lib/{name}": lib_order_of(specs.libs, lib.libs) for name, lib in libs.items()})
    services = {
        name: with_bundle_env(specs, bundles, specs.services[name]) for name in sorted(active & specs.services.keys())
    }
    holders: list[App | Lib] = [*libs.values(), *apps.values()]
    repos = {holder.repo.id: holder.repo for holder in holders if holder.repo}
    same = {name: _repo_ids(app.repo, (libs[lib] for lib in lib_order[name])) for name, app in apps.items()}
    stack = Stack(
        bundles=tuple(bundles),
        apps=apps,
        libs=libs,
        services=services,
        lib_order=lib_order,
        links={name: _links(app, apps, services) for name, app in apps.items()},
        routes=tuple(_routes([*apps.values(), *services.values()])),
        assets=_asset_uses(apps, libs, services),
        repos={repo_id: repos[repo_id] for repo_id in sorted({repo_id for ids in same.values() for repo_id in ids})},
        same_container_repos=same,
    )
    return stack, warnings


def _known_bundles(specs: Specs, bundle_names: Iterable[str]) -> tuple[list[str], list[Problem]]:
    wanted = dict.fromkeys(unicodedata.normalize("NFC", name) for name in bundle_names)
    warnings = [_gone(name, specs) for name in wanted if name not in specs.bundles]
    return sorted(name for name in wanted if name in specs.bundles), warnings


def _gone(name: str, specs: Specs) -> Problem:
    import shlex

    return Problem(
        Place(CONFIG_FILE),
        "bundles",
        Code.BUNDLE_GONE,
        f"the specs have no bundle {shown(name)} (any more)",
        f"{DUSTY} bundles deactivate {shlex.quote(name)}; {did_you_mean(name, specs.bundles)}",
        is_warning=True,
    )


def activated(specs: Specs, bundle: Bundle) -> set[str]:
    """The apps and services that run when the bundle is active: those that it names, and all that they need."""
    containers: dict[str, App | Service] = {**specs.services, **specs.apps}
    return closure([*bundle.apps, *bundle.services], lambda name: needs_of(containers[name]), containers)


def needs_of(spec: App | Service) -> list[str]:
    """The containers that one activates: an app's `depends`, a service's `depends_on` (and what means the same)."""
    if isinstance(spec, App):
        return [*spec.apps, *spec.services]
    needs = spec.compose.get("depends_on") or ()
    is_optional = {name for name in needs if isinstance(needs, dict) and needs[name].get("required") is False}
    return [name for name in needs if name not in is_optional]


def closure(seeds: Iterable[str], needs: Callable[[str], Iterable[str]], known: Mapping[str, object]) -> set[str]:
    """The known names among `seeds`, and all that they need, directly or not."""
    found: set[str] = set()
    waiting = [name for name in seeds if name in known]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [needed for needed in needs(name) if needed in known]
    return found


def ordered(names: Iterable[str], needs: Callable[[str], Iterable[str]]) -> list[str]:
    """`names`, what each needs (among them) before it, ties by name. What lies on a cycle comes last, by name."""
    left = set(names)
    missing = {name: {needed for needed in needs(name) if needed in left and needed != name} for name in left}
    users: dict[str, list[str]] = {}
    for name, needed_names in missing.items():
        for needed in needed_names:
            users.setdefault(needed, []).append(name)
    ready = sorted(name for name in left if not missing[name])
    order = []
    while ready:
        name = heapq.heappop(ready)
        order.append(name)
        for user in users.get(name, ()):
            missing[user].discard(name)
            if not missing[user]:
                heapq.heappush(ready, user)
    return order + sorted(left - set(order))


def lib_order_of(libs: Mapping[str, Lib], names: Iterable[str]) -> tuple[str, ...]:
    """The libs `names` and all that they need, dependencies first, ties by name (3.3)."""
    needed = closure(names, lambda name: libs[name].libs, libs)
    return tuple(ordered(needed, lambda name: libs[name].libs))


def _links(app: App, apps: Mapping[str, App], services: Mapping[str, object]) -> tuple[str, ...]:
    names = [*app.services, *app.apps, *app.linked_apps, *app.linked_services]
    return tuple(dict.fromkeys(name for name in names if name != app.name and (name in apps or name in services)))


def _routes(specs: Iterable[App | Service]) -> Iterator[Route]:
    for spec in specs:
        for index, forwarding in enumerate(spec.forwardings):
            host_name, host_port, container_port, kind, max_upload, timeout, https = forwarding
            yield Route(
                spec.name,
                index,
                host_name,
                host_port,
                container_port,
                kind,
                max_upload=max_upload,
                timeout=timeout,
                https=https,
            )


def _asset_uses(
    apps: Mapping[str, App], libs: Mapping[str, Lib], services: Mapping[str, Service]
) -> dict[str, AssetUse]:
    users: dict[str, list[str]] = {}
    requirers: dict[str, list[str]] = {}
    holders: list[App | Lib | Service] = [*apps.values(), *libs.values(), *services.values()]
    for holder in holders:
        for asset in holder.assets:
            users.setdefault(asset.key, []).append(holder.name)
            if asset.is_required:
                requirers.setdefault(asset.key, []).append(holder.name)
    builders: list[App | Service] = [*apps.values(), *services.values()]
    for builder in builders:
        for _, key in build_secrets(builder):
            users.setdefault(key, []).append(builder.name)
            requirers.setdefault(key, []).append(builder.name)
    return {
        key: AssetUse(key, tuple(dict.fromkeys(users[key])), tuple(dict.fromkeys(requirers.get(key, ()))))
        for key in sorted(users)
    }


def _repo_ids(own: Repo | None, libs: Iterable[Lib]) -> tuple[str, ...]:
    ids = [own.id] if own else []
    return tuple(dict.fromkeys([*ids, *(lib.repo.id for lib in libs)]))
