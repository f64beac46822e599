"""What is to be pushed to the Docker host: command files, assets, the proxy's config. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dusty_tasks.core.plan.change import (
    ASSETS,
    CERTIFICATES,
    COMMAND_FILES,
    CREATE,
    NGINX,
    RECONNECT,
    RECREATE,
    RELOAD,
    SPEC_FILES,
    STARTING,
    Change,
)
from dusty_tasks.core.plan.found import (
    DUE,
    Found,
    Sources,
    asset_digests,
)
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.text.namespace import PROXY
from dusty_tasks.core.text.paths import AUTHORITY_FILE, BUNDLE_FILE

if TYPE_CHECKING:
    from dusty_tasks.core.plan.started import StartedRecord


BELIEVED = (AUTHORITY_FILE, BUNDLE_FILE)
"""What containers are to believe, beside certificates."""


def plan_pushes(wanted: Wanted, sources: Sources, found: Found) -> Iterator[Change]:
    differing = _differing(sources.command_files, found.command_files)
    if differing:
        yield Change(COMMAND_FILES, "", _those_of(differing, found.command_files))
    differing = _differing(sources.spec_files, found.spec_files)
    if differing:
        yield Change(SPEC_FILES, "", _those_of(differing, found.spec_files).removeprefix("those of "))
    differing = _differing(assets_by_app(wanted, sources), _assets_to_compare(wanted, sources, found))
    if differing:
        yield Change(ASSETS, "", _those_of(differing, found.assets))
    if causes := certificate_causes(wanted, sources, found):
        yield Change(CERTIFICATES, "", "; ".join(causes))


def certificate_causes(wanted: Wanted, sources: Sources, found: Found) -> list[str]:
    """Why certificates are to be made or pushed."""
    if wanted.https is None:
        return []
    now, there = sources.certificates, found.certificates
    due = dict.fromkeys(text.removeprefix(DUE) for text in now.values() if text.startswith(DUE))
    others = [name for name, text in now.items() if not text.startswith(DUE) and there.get(name) != text]
    if not others:
        return list(due)
    return [*due, "they differ from those on the Docker host" if there else "they are not on the Docker host yet"]


def unused_certificates(wanted: Wanted, found: Found) -> list[str]:
    """Ids of the certificates that were pushed for names that the stack no longer has."""
    return [id for id in found.certificates if id not in (wanted.https or {}) and id not in BELIEVED]


def assets_by_app(wanted: Wanted, sources: Sources) -> dict[str, str]:
    """App or service -> one digest over the set assets that it sees; those that see none are left out."""
    seen = (
        (
            container.name,
            {
                **(dict.fromkeys(container.asset_keys, "") if container.mounts_assets else {}),
                **asset_digests(container.asset_keys, sources.assets),
            },
        )
        for container in wanted.containers
    )
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


UNLOADED = "it has not loaded its config yet"


def plan_nginx(
    wanted: Wanted, sources: Sources, found: Found, containers: list[Change]
) -> tuple[list[Change], list[Change]]:
    """The proxy's config: before its container when that is (re)started, else pushed last, tested and reloaded; and its names on the network."""
    proxy = next((container for container in wanted.containers if container.kind == "proxy"), None)
    if proxy is None:
        return [], []
    record = found.started.get(proxy.container_name) or {}
    news = names_news(proxy, record)
    cause = "; ".join(news) or (
        "it differs from the compiled one" if found.nginx_digest else "it is not on the Docker host"
    )
    pushes = [Change(NGINX, "", cause)] if sources.nginx_digest != found.nginx_digest else []
    kinds = {change.kind for change in containers if change.name == PROXY}
    is_renamed = not kinds & {CREATE, RECREATE} and aliases_of(proxy.mapping) != aliases_of(record.get("mapping") or {})
    # The engine gives names to a container when it connects it, and at no other time.
    late = [Change(RECONNECT, PROXY, "; ".join([*news, "ends open connections"]))] if is_renamed else []
    if kinds & STARTING:
        return pushes, late
    is_loaded = record.get("nginx") == sources.nginx_digest
    if pushes or not is_loaded or certificate_causes(wanted, sources, found):
        cause = "its config changed" if pushes else "its certificates changed" if is_loaded else UNLOADED
        late += [*pushes, Change(RELOAD, "", cause)]
    return [], late


def aliases_of(mapping: dict[str, Any]) -> list[str]:
    """The names that the proxy has on the project's network."""
    networks = mapping.get("networks")
    default = networks.get("default") if isinstance(networks, dict) else None
    return list((default or {}).get("aliases") or [])


def names_news(proxy: WantedContainer, record: StartedRecord) -> list[str]:
    now, before = aliases_of(proxy.mapping), aliases_of(record.get("mapping") or {})
    if not record:
        return []
    return [
        *(f"{name} is new" for name in now if name not in before),
        *(f"{name} is gone" for name in before if name not in now),
    ]
