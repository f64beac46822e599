"""What a run of `up` looks at: what was found on the Docker host and on this machine, and whose it is. Values only; effects/observe fills them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from dusty_tasks.core.text.namespace import (
    CONFIG_LABEL,
    KIND_LABEL,
    NAME_LABEL,
    ONE_OFF_LABEL,
    SERVICE_LABEL,
    STACK,
    Namespace,
)
from dusty_tasks.core.text.paths import COMPOSE_FILE, Paths

if TYPE_CHECKING:
    from dusty_tasks.core.plan.started import StartedRecord

GOING = ("removing", "dead")
"""States of containers that are on their way out, or got stuck there."""


class FoundContainer(NamedTuple):
    """One container of the stack, as the engine lists it."""

    name: str
    """The spec's name: label `dusty.name`, else Compose's service name."""
    container_name: str
    id: str
    state: str
    """The engine's word: running, exited, created, restarting, paused, dead, removing."""
    image: str = ""
    """The image as its user named it, or its id once that name means another image."""
    image_id: str = ""
    labels: dict[str, str] = {}  # never changed, as all defaults here
    exit_status: int | None = None
    """Of an ended container."""
    health: str = ""
    """healthy, unhealthy, starting, or '' without a healthcheck."""
    published: tuple[tuple[str, int], ...] = ()
    """(address, port) pairs that it publishes while it runs."""
    since: str = ""
    """How long its state has lasted, in the engine's words: `3 minutes`, `2 hours ago`."""
    mounts: dict[str, str] = {}
    """Path in it -> what is mounted there, as the engine knows it: volumes of its image, too."""
    networks: dict[str, str] | None = None
    """Name -> id of the networks it was put on, the id '' before its first start; None where nobody read it."""
    leftovers: tuple[FoundContainer, ...] = ()
    """Further containers of the same spec: what a recreation that was broken off left behind."""

    @property
    def kind(self) -> str:
        """app, service or proxy."""
        return self.labels.get(KIND_LABEL, "service")

    @property
    def is_running(self) -> bool:
        return self.state in ("running", "restarting")

    @property
    def is_stoppable(self) -> bool:
        """True if there is something to stop: it runs, is paused, or is being started again."""
        return self.is_running or self.state == "paused"


class Found(NamedTuple):
    """One reading of reality."""

    containers: dict[str, FoundContainer] = {}
    """By spec name."""
    started: dict[str, StartedRecord] = {}
    """Container name -> the record of what it was started with (persist/.dusty/started.json)."""
    receipts: dict[str, dict[str, Any]] = {}
    """Repo id -> the receipt beside its copy."""
    stale_repos: dict[str, str] = {}
    """Repo id -> why its copy is not what the source is."""
    changed_paths: dict[str, frozenset[bytes]] = {}
    """Repo id -> the paths in which these two differ, as `a/b`, where that is known."""
    sent_because: dict[str, str] = {}
    """Repo id -> why it was synced by this run; its receipt is the new one."""
    command_files: dict[str, str] = {}
    """App or lib -> digest of the command files that were pushed."""
    spec_files: dict[str, str] = {}
    """Path in the specs repo -> digest of what was pushed of it."""
    assets: dict[str, str] = {}
    """App -> digest of the assets that were pushed for it."""
    certificates: dict[str, str] = {}
    """Id of a certificate, or name of a file that containers believe -> digest of what was pushed."""
    nginx_digest: str = ""
    """sha256 of the nginx config on the Docker host, '' for none."""
    hosts_section_is_in_place: bool = True
    hosts_conflicts: tuple[str, ...] = ()
    hosts_refused: str = ""
    """Why the section is not to be tried at each run, and how it is; '' where nothing was refused."""
    """Names that lines of the user's own lead elsewhere, as sentences: the section is in place without them."""
    images: dict[str, dict[str, str]] | None = None
    """Image name -> its labels; None while nobody has asked, which is enough for a run without changes."""
    network_id: str | None = None
    """Id of the project's network, '' if it is gone; None while nobody has asked: a container that runs has it."""
    finished: frozenset[str] = frozenset()
    """Containers without a health check that exited with status 0 by themselves, nobody having stopped them."""
    answers: dict[str, bool] = {}
    """Running containers with routes that nobody has seen ready since their last start -> whether they answer, asked just now."""
    looping: frozenset[str] = frozenset()
    """Running containers that the engine started again a moment ago, after they had ended."""
    owner: dict[str, str] | None = None
    """persist/.dusty/owner.json."""
    unfinished_restore: tuple[str, ...] = ()
    """What a broken-off `disk restore` left in persist/ (core/of_verbs/backup)."""
    inodes: dict[str, int] = {}
    """Path on the Docker host -> inode, of the files and folders that containers mount."""
    sees_what_is_there: frozenset[str] = frozenset()
    """Containers that the engine started again after another file or folder had been put where they mount one."""
    namespace: Namespace = STACK
    """Which stack was looked at."""


UNREADABLE = "unreadable: "
"""Stands in place of a digest, before the reason."""


DUE = "due: "
"""The same, of what is not there in a form that can be used."""


class Sources(NamedTuple):
    """What this machine holds beside the compiled stack: what the Docker host should have."""

    command_files: dict[str, str] = {}
    """App or lib -> digest of its folder in build/commands."""
    spec_files: dict[str, str] = {}
    """Path in the specs repo -> digest of what containers mount there."""
    assets: dict[str, str] = {}
    """Asset key -> digest of its bytes, for those that are set."""
    set_keys: frozenset[str] = frozenset()
    """The keys of all assets that are set, whether or not the stack knows them."""
    nginx_digest: str = ""
    certificates: dict[str, str] = {}
    """Id of a certificate, or name of a file that containers believe -> its digest, or DUE and why it is to be made (anew)."""
    contexts: dict[str, str] = {}
    """Container with `build:` -> digest of what its image is built from, or UNREADABLE and why that cannot be told."""
    environment: dict[str, dict[str, str]] = {}
    """Container -> digest by what Compose fills in from outside: a variable of the caller, or `env_file <path>`."""


def container_of(entry: dict[str, Any]) -> FoundContainer:
    """One entry of the engine's `GET /containers/json`."""
    labels = entry.get("Labels") or {}
    container_name = (entry.get("Names") or ["/?"])[0].lstrip("/")
    status = entry.get("Status") or ""
    return FoundContainer(
        name=labels.get(NAME_LABEL) or labels.get(SERVICE_LABEL) or container_name,
        container_name=container_name,
        id=entry["Id"],
        state=entry.get("State", ""),
        image=entry.get("Image", ""),
        image_id=entry.get("ImageID", ""),
        labels=labels,
        exit_status=_exit_status(status),
        health=_health(status),
        since=_since(status),
        networks=_networks(entry),
        mounts={
            mount["Destination"]: mount.get("Source") or ""
            for mount in entry.get("Mounts") or []
            if mount.get("Destination")
        },
        published=tuple(
            sorted(
                {
                    (port.get("IP", ""), port["PublicPort"])
                    for port in entry.get("Ports") or []
                    if port.get("PublicPort")
                }
            )
        ),
    )


def _networks(entry: dict[str, Any]) -> dict[str, str]:
    listed = (entry.get("NetworkSettings") or {}).get("Networks") or {}
    return {name: (network or {}).get("NetworkID") or "" for name, network in listed.items()}


def containers_of(listing: list[dict[str, Any]]) -> dict[str, FoundContainer]:
    """All containers of a listing (newest first) by spec name; one-off containers (`docker compose run`) are not ours to keep.

    Of several with one spec name the others are its leftovers. Compose recreates in steps: one of the two containers is
    called `<12 hex digits>_<name>` until the old one is gone, so a kill in between leaves both.
    """
    found: dict[str, list[FoundContainer]] = {}
    for entry in listing:
        if (entry.get("Labels") or {}).get(ONE_OFF_LABEL) != "True":
            container = container_of(entry)
            found.setdefault(container.name, []).append(container)
    ranked = {name: sorted(containers, key=_is_likely_a_leftover) for name, containers in found.items()}
    return {name: first._replace(leftovers=tuple(others)) for name, (first, *others) in ranked.items()}


def _is_likely_a_leftover(container: FoundContainer) -> tuple[bool, bool]:
    return container.state in GOING, re.match("[0-9a-f]{12}_", container.container_name) is not None


def asset_digests(keys: tuple[str, ...], set_assets: dict[str, str]) -> dict[str, str]:
    """The digests of those of `keys` that are set."""
    return {key: set_assets[key] for key in keys if key in set_assets}


def _exit_status(status: str) -> int | None:
    """`Exited (137) 2 seconds ago` -> 137."""
    if not status.startswith("Exited ("):
        return None
    number = status[len("Exited (") :].partition(")")[0]
    return int(number) if number.lstrip("-").isdigit() else None


def _since(status: str) -> str:
    """`Up 3 seconds (healthy)` -> `3 seconds`; `Exited (1) 2 hours ago` -> `2 hours ago`; else ''."""
    if status.startswith("Up "):
        return status[len("Up ") :].partition(" (")[0]
    return status.partition(") ")[2] if status.startswith("Exited (") else ""


def _health(status: str) -> str:
    """`Up 3 seconds (health: starting)`, `Up 3 seconds (healthy)` -> starting, healthy."""
    if not status.startswith("Up ") or not status.endswith(")"):
        return ""
    word = status[:-1].rpartition("(")[2].removeprefix("health: ")
    return word if word in ("healthy", "unhealthy", "starting") else ""


class Owner(NamedTuple):
    user: str
    home: str
    """DUSTY_HOME."""
    machine: str

    def __str__(self) -> str:
        return f"{self.user} on {self.machine} (DUSTY_HOME {self.home})"


def foreign_owner(found: Found, owner: Owner, compose_path: str) -> str:
    """Who else owns what was found, in words; '' if all of it is `owner`'s, or nobody's."""
    if found.owner and found.owner != owner._asdict():
        return str(Owner(*(str(found.owner.get(field, "somebody")) for field in Owner._fields)))
    files = {container.labels.get(CONFIG_LABEL, "").split(",")[0] for container in found.containers.values()}
    others = sorted(files - {compose_path, ""})
    return f"the DUSTY_HOME {others[0].removesuffix(Paths('').artifact(COMPOSE_FILE))}" if others else ""
