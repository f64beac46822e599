"""What a change of the specs does to those who work with them: the planner of `up`, with the former specs' stack as what is found. Pure.

Each bundle is looked at alone, and all of them together, as `compile --all-bundles` does: nobody knows here what is active where.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from dusty_tasks.core.plan.as_running import as_running
from dusty_tasks.core.plan.batches import in_order_of_doing
from dusty_tasks.core.plan.change import PULL, REMOVE, Change, PlaceOf, Plan
from dusty_tasks.core.plan.found import Sources
from dusty_tasks.core.plan.plan import plan
from dusty_tasks.core.plan.wanted import Wanted
from dusty_tasks.core.powers.model import Power, from_json, held_against
from dusty_tasks.core.specs.model import App, Lib, Service, Specs
from dusty_tasks.core.text.namespace import STACK
from dusty_tasks.core.text.problems import Place

CHANGED, UNCHANGED, NEW, GONE = "changed", "unchanged", "new", "removed"


class Side(NamedTuple):
    """A stack as one commit of the specs compiles it."""

    wanted: Wanted
    sources: Sources
    hosts: bytes
    """The hosts section."""
    names: frozenset[str]
    """Host names with their ports: `web.test:80`."""
    place_of: PlaceOf


class Impact(NamedTuple):
    """What becomes of those who have certain bundles active."""

    title: str
    """The bundle, or what all of them together are called."""
    status: str
    """CHANGED, UNCHANGED, NEW or GONE."""
    plan: Plan = Plan()
    """What their next `up` does."""
    names: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    """Host names that appear, and that go."""
    ports: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
    """Ports of the proxy on their machines that appear, and that go."""
    needs_root: bool = False
    """Their hosts file changes."""
    powers: tuple[Power, ...] = ()
    """What `up` asks them to allow first."""
    assets: tuple[str, ...] = ()
    """Assets that `up` requires and did not before."""
    is_sum: bool = False
    """Of all bundles together."""

    @property
    def images(self) -> list[str]:
        """The images to pull."""
        return [change.name for change in self.plan.of(PULL)]


class Declared(NamedTuple):
    """What one commit of the specs declares, and personal settings can name."""

    specs: Specs
    variables: Mapping[str, Place] = {}
    """Variables, with their places in vars.yml."""


class Unfitting(NamedTuple):
    """A personal setting that can name what is no longer there."""

    setting: str
    """As `config list` shows it, or a file of DUSTY_HOME: `bundles`, `env.web`, `repos.overrides`, `overrides/apps/web.yml`."""
    what: str
    """A sentence."""
    place: str
    """Its place in the specs of the base."""


def impact_of(title: str, base: Side | None, head: Side | None) -> Impact:
    """What those see who have these bundles active; `base` or `head` is None if one of the two has no such bundle."""
    if head is None:
        return Impact(title, GONE)
    if base is None:
        return _news(title, NEW, Side(Wanted(()), Sources(), b"", frozenset(), head.place_of), head)
    found = _news(title, CHANGED, base, head)
    return found if _is_news(found) else found._replace(status=UNCHANGED)


def _is_news(impact: Impact) -> bool:
    return any((impact.plan.changes, *impact.names, *impact.ports, impact.needs_root, impact.powers, impact.assets))


def _news(title: str, status: str, base: Side, head: Side) -> Impact:
    return Impact(
        title,
        status,
        _plan(base, head),
        _come_and_gone(base.names, head.names),
        _come_and_gone(base.wanted.host_ports, head.wanted.host_ports),
        base.hosts != head.hosts,
        held_against(from_json(head.wanted.powers), [power.identity for power in from_json(base.wanted.powers)]).new,
        tuple(sorted({*_required(head.wanted)} - {*_required(base.wanted)})),
    )


def _plan(base: Side, head: Side) -> Plan:
    found = as_running(base.wanted, base.sources, STACK)
    known = {entry.id for entry in base.wanted.repos}
    found = found._replace(
        stale_repos={entry.id: "not on the Docker host yet" for entry in head.wanted.repos if entry.id not in known},
        hosts_section_is_in_place=base.hosts == head.hosts,
    )
    planned = in_order_of_doing(plan(head.wanted, head.sources, found, place_of=head.place_of), head.wanted)
    return Plan(tuple(_seen_from(base, change) for change in planned.changes))


def _seen_from(base: Side, change: Change) -> Change:
    """The change with a cause and a place that fit a comparison: a container that goes stands in the former specs alone."""
    if change.kind == REMOVE:
        return change._replace(place=base.place_of(change.name, ()))
    return change._replace(cause="the base does not use it") if change.kind == PULL else change


def _required(wanted: Wanted) -> list[str]:
    return [key for key, use in wanted.assets.items() if use.get("required_by")]


def _come_and_gone(before: Iterable[Any], now: Iterable[Any]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    before, now = {*before}, {*now}
    return tuple(sorted(now - before)), tuple(sorted(before - now))


def unfitting_settings(base: Declared, head: Declared) -> list[Unfitting]:
    """What of people's own settings would lead nowhere, in the order of the settings."""
    before, now = base.specs, head.specs
    return [
        *_bundles_gone(before, now),
        *_containers_gone(before, now),
        *_overridden_gone("apps", before.apps, now.apps),
        *_overridden_gone("services", before.services, now.services),
        *_repos_and_assets_gone(before, now),
        *_variables_gone(base.variables, head.variables),
    ]


def _bundles_gone(base: Specs, head: Specs) -> Iterator[Unfitting]:
    for name, bundle in sorted(base.bundles.items()):
        if name not in head.bundles:
            yield Unfitting(
                "bundles",
                f"bundle {name} is gone: anyone who has it active must deactivate it",
                _top_of(bundle.file),
            )


def _containers_gone(base: Specs, head: Specs) -> Iterator[Unfitting]:
    before: dict[str, App | Service] = {**base.apps, **base.services}
    for name, spec in sorted(before.items()):
        if name not in head.apps and name not in head.services:
            yield Unfitting(f"env.{name}", f"{name} is gone: variables set for it have no effect", _top_of(spec.file))


def _overridden_gone(folder: str, before: Mapping[str, App | Service], now: Collection[str]) -> Iterator[Unfitting]:
    """An override is merged over the spec of its kind and name: it idles as well where an app becomes a service."""
    for name, spec in sorted(before.items()):
        if name not in now:
            file = f"overrides/{folder}/{name}.yml"
            yield Unfitting(file, f"{spec.file} is gone: an override of it has no effect", _top_of(spec.file))


def _variables_gone(before: Mapping[str, Place], now: Collection[str]) -> Iterator[Unfitting]:
    for name, place in sorted(before.items()):
        if name not in now:
            what = f"variable {name} is gone: a value set for it has no effect, also in overrides/vars.yml"
            yield Unfitting(f"vars.{name}", what, str(place))


def _repos_and_assets_gone(base: Specs, head: Specs) -> Iterator[Unfitting]:
    before, now = _holders(base), _holders(head)
    repos = {holder.repo.id: holder.file for holder in before if holder.repo}
    for repo_id in sorted(repos.keys() - {holder.repo.id for holder in now if holder.repo}):
        what = f"no spec names repo {repo_id} any more: an override of it has no effect"
        yield Unfitting("repos.overrides", what, _top_of(repos[repo_id]))
    assets = {asset.key: holder.file for holder in before for asset in holder.assets}
    for key in sorted(assets.keys() - {asset.key for holder in now for asset in holder.assets}):
        yield Unfitting("assets", f"nothing uses asset {key} any more: it can be unset", _top_of(assets[key]))


def _holders(specs: Specs) -> list[App | Lib]:
    """Apps and libs, the first file last, so that a mapping made of them names the first."""
    holders: list[App | Lib] = [*specs.apps.values(), *specs.libs.values()]
    return sorted(holders, key=lambda holder: holder.file, reverse=True)


def _top_of(file: str) -> str:
    return str(Place(file))


def to_json(impact: Impact) -> dict[str, Any]:
    """For machines, in a stable form."""
    return {
        "bundles": impact.title,
        "status": impact.status,
        "changes": [change._asdict() for change in impact.plan.changes],
        "names": {"new": list(impact.names[0]), "gone": list(impact.names[1])},
        "ports": {"new": list(impact.ports[0]), "gone": list(impact.ports[1])},
        "images": impact.images,
        "needs_root": impact.needs_root,
        "powers": [power.to_json() for power in impact.powers],
        "assets": list(impact.assets),
    }
