"""A plan: the small operations that `up` does, each with its cause. Pure."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple

from dusty_tasks.core.plan.differences import KeyPath
from dusty_tasks.core.plan.past import past
from dusty_tasks.core.text.namespace import PROXY


class Kind(StrEnum):
    """What a change does: the word before it is done, which is its value in `--json` too; while it is done; and once it is."""

    doing: str
    """`recreating`."""
    done: str
    """`recreated`."""

    def __new__(cls, word: str, doing: str, done: str) -> Kind:
        kind = str.__new__(cls, word)
        kind._value_, kind.doing, kind.done = word, doing, done
        return kind

    PULL = "pull image", "pulling image", "pulled image"
    BUILD = "build image", "building image", "built image"
    SYNC = "sync", "syncing", "synced"
    COMMAND_FILES = "push command files", "pushing command files", "pushed command files"
    SPEC_FILES = "push files of the specs", "pushing files of the specs", "pushed files of the specs"
    ASSETS = "push assets", "pushing assets", "pushed assets"
    CERTIFICATES = "push certificates", "pushing certificates", "pushed certificates"
    HOSTS = "write hosts section", "writing hosts section", "wrote hosts section"
    CLEAR = "clear away", "clearing away", "cleared away"
    REMOVE = "remove", "removing", "removed"
    STOP = "stop", "stopping", "stopped"
    CREATE = "create", "creating", "created"
    RECREATE = "recreate", "recreating", "recreated"
    RESTART = "restart", "restarting", "restarted"
    START = "start", "starting", "started"
    UNPAUSE = "unpause", "unpausing", "unpaused"
    NGINX = "push nginx config", "pushing nginx config", "pushed nginx config"
    RELOAD = "reload nginx", "reloading nginx", "reloaded nginx"
    RELOAD_CODE = "reload code of", "reloading code of", "reloaded code of"
    """The container goes on running: it gets a signal, or a command is run in it (`reload` of a spec)."""
    RECONNECT = "reconnect", "reconnecting", "reconnected"
    AWAIT = "wait for", "waiting for", "waited for"
    """Nothing is changed: a running container that is not known to be ready is watched until it is, or has failed."""


PULL, BUILD, SYNC = Kind.PULL, Kind.BUILD, Kind.SYNC

COMMAND_FILES, SPEC_FILES, ASSETS, HOSTS = Kind.COMMAND_FILES, Kind.SPEC_FILES, Kind.ASSETS, Kind.HOSTS

CERTIFICATES = Kind.CERTIFICATES

CLEAR, REMOVE, STOP, CREATE, RECREATE = Kind.CLEAR, Kind.REMOVE, Kind.STOP, Kind.CREATE, Kind.RECREATE

RESTART, START, UNPAUSE, AWAIT = Kind.RESTART, Kind.START, Kind.UNPAUSE, Kind.AWAIT

NGINX, RELOAD, RECONNECT = Kind.NGINX, Kind.RELOAD, Kind.RECONNECT

RELOAD_CODE = Kind.RELOAD_CODE

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
        return f"{verb}{self.subject}: {self.cause}{', ' if self.place else ''}{self.place}"

    def __str__(self) -> str:
        return self.text(self.kind)

    @property
    def subject(self) -> str:
        """What is changed, with a blank before it; '' where the kind says it all."""
        return f" {self.shown or self.name}" if self.name else ""

    @property
    def why(self) -> str:
        """What was the case: ` (it had no container)`. Where the place is no more than where the container is described, it goes unsaid."""
        place = f", {self.place}" if self.place and self.kind != Kind.CREATE else ""
        return f" ({past(self.cause)}{place})" if self.cause else ""

    @property
    def done(self) -> str:
        """One line, afterwards: `recreated web (image busybox:1 -> busybox:2, apps/web.yml:3:8)`."""
        return f"{self.kind.done}{self.subject}{self.why}"


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
    names: tuple[str, ...] = ()
    """The containers that are asked for; none: all."""


PlaceOf = Callable[[str, KeyPath], str]
"""(name of a container, key path in its entry of the Compose file) -> `file:line:col`, or ''."""


def to_json(planned: Plan) -> dict[str, Any]:
    """The plan for machines: a stable list of changes, and what is pending."""
    return {
        "changes": [change._asdict() for change in planned.changes],
        "pending": [change._asdict() for change in planned.pending],
    }
