"""A stack as one reading of reality would find it right after `up`, everything well: what a change of the specs is held against. Pure."""

from __future__ import annotations

from dusty_tasks.core.plan.change import CREATE, Change
from dusty_tasks.core.plan.found import Found, FoundContainer, Sources
from dusty_tasks.core.plan.image_changes import image_of
from dusty_tasks.core.plan.image_names import image_name
from dusty_tasks.core.plan.push_changes import assets_by_app
from dusty_tasks.core.plan.started import MadeOf, record_of, seen_ready
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.text.namespace import CONTEXT_LABEL, Namespace

FINGERPRINT = "as the stack was started with"
"""In place of the fingerprint of code that is not looked at: the same in every receipt and record, so it owes nobody a restart."""


def as_running(wanted: Wanted, sources: Sources, namespace: Namespace) -> Found:
    """All of `wanted` running, made of `sources`, its repos synced and its images at hand."""
    receipts = {entry.id: {"fingerprint": FINGERPRINT} for entry in wanted.repos}
    containers = {container.name: _running(container, sources, namespace) for container in wanted.containers}
    return Found(
        containers=containers,
        started={
            container.container_name: seen_ready(
                record_of(
                    container,
                    containers[container.name],
                    Change(CREATE, container.name, ""),
                    MadeOf(sources, receipts),
                    None,
                    "",
                )
            )
            for container in wanted.containers
        },
        receipts=receipts,
        command_files=sources.command_files,
        spec_files=sources.spec_files,
        assets=assets_by_app(wanted, sources),
        nginx_digest=sources.nginx_digest,
        images={
            image_name(image): containers[container.name].labels
            for container in wanted.containers
            if (image := image_of(container, namespace))
        },
        network_id=_NETWORK,
        namespace=namespace,
    )


_NETWORK = "network"


def _running(wanted: WantedContainer, sources: Sources, namespace: Namespace) -> FoundContainer:
    context = sources.contexts.get(wanted.name)
    return FoundContainer(
        name=wanted.name,
        container_name=wanted.container_name,
        id=f"container of {wanted.name}",
        state="running",
        image=image_of(wanted, namespace),
        labels={CONTEXT_LABEL: context} if context else {},
        networks=None if wanted.mapping.get("network_mode") else {namespace.network: _NETWORK},
    )
