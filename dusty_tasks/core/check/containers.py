"""Keys of one spec that are fine alone and wrong together: where it builds, the network it is in, and what its streams limit."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from posixpath import normpath

from dusty_tasks.core.specs.build import at, mappings
from dusty_tasks.core.specs.compose_keys.networks import has_no_network_of_its_own, owner_hint
from dusty_tasks.core.specs.compose_keys.translation import Translated
from dusty_tasks.core.specs.compose_values import local_folder
from dusty_tasks.core.specs.documents import Document
from dusty_tasks.core.specs.rules import Wrong, check_asset_key
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import KeyPath
from dusty_tasks.core.text.problems import Problem
from dusty_tasks.core.text.safe import shown


def check_container(document: Document, main: Translated, names: Collection[str]) -> Iterator[Problem]:
    """Problems of one app, lib or service; `main` is its translated Compose mapping, `names` are those of all apps and services."""
    if document.kind in ("app", "lib"):
        yield from _check_build(document, ("build",))
        yield from _check_build(document, ("test", "build"))
    if document.kind in ("app", "service"):
        yield from _check_secrets(document)
    is_container = document.kind in ("app", "service")
    if is_container and has_no_network_of_its_own(main.network) and at(document.value, "host_forwarding"):
        problem = document.problem(
            ("host_forwarding",),
            Code.JOINED_NETWORK,
            f"nothing can be forwarded with network_mode {main.network}",
            forwarding_hint(main.network, names),
        )
        yield problem._replace(place=document.key_place(("host_forwarding",)))
    if is_container:
        yield from check_life(document)
        for path, item in mappings(document.value, "host_forwarding"):
            kind = item.get("type")
            if kind in ("stream", "tls") and "max_upload" in item:
                yield document.problem(
                    (*path, "max_upload"),
                    Code.UPLOAD_OF_STREAM,
                    f"a {'stream' if kind == 'stream' else 'tls stream'} has no uploads to limit",
                    "remove max_upload",
                )
            if kind == "tls" and "timeout" in item:
                what = "the timeout of a tls stream cannot be changed: all names of its port share one"
                yield document.problem((*path, "timeout"), Code.UNSUPPORTED_KEY, what, "remove timeout")


def check_life(document: Document) -> Iterator[Problem]:
    """Keys that say how long a container lives, and when it is ready."""
    value = document.value
    compose = at(value, "compose") if document.kind == "app" else value
    ready = value.get("ready") if document.kind == "app" else None
    if value.get("job") is True:
        restart = str(at(compose, "restart") or "no")
        if restart in ("always", "unless-stopped"):
            where: KeyPath = ("compose", "restart") if document.kind == "app" else ("restart",)
            what = f"a job ends, and restart: {restart} would start it again"
            yield document.problem(where, Code.UNSUPPORTED_KEY, what, "on-failure, or leave it out")
        for key in ("host_forwarding", "ready"):
            if value.get(key) and (key != "ready" or ready):
                what = f"a job ends, so it cannot have {key}"
                yield document.problem((key,), Code.UNSUPPORTED_KEY, what, "remove it, or job")
    if not isinstance(ready, dict):
        return
    if ("http" in ready) == ("command" in ready):
        code = Code.BOTH_GIVEN if "http" in ready else Code.NEITHER_GIVEN
        what = "http and command are both given" if "http" in ready else "http or command is required"
        yield document.problem(("ready",), code, what, "for example ready: {http: /health, within: 90s}")
    elif "http" in ready and "port" not in ready and not value.get("host_forwarding"):
        yield document.problem(("ready",), Code.NEEDS_ANOTHER_KEY, "http needs port", "the port in the container")
    if at(compose, "healthcheck"):
        what = "ready and compose.healthcheck are both given"
        yield document.problem(("ready",), Code.BOTH_GIVEN, what, "keep one of them")


def _check_secrets(document: Document) -> Iterator[Problem]:
    """`build.secrets` names assets, by themselves or as the `source` of Compose's long form."""
    secrets = at(document.value, "build", "secrets")
    for index, item in enumerate(secrets if isinstance(secrets, list) else ()):
        path: KeyPath = ("build", "secrets", index)
        key = item.get("source") if isinstance(item, dict) else item
        try:
            check_asset_key(key)
            if not isinstance(key, str):
                raise Wrong(
                    Code.PART_NAME,
                    "it names no asset",
                    f"source: <asset>, a file that each person sets with `{DUSTY} assets set`",
                )
        except Wrong as wrong:
            yield document.problem(path, wrong.code, wrong.what, wrong.hint)


def forwarding_hint(network: str, names: Collection[str]) -> str:
    """Where host_forwarding may stand instead: on the app or service whose network it is."""
    name = network.partition(":")[2]
    if name in names:
        return owner_hint(network)
    return (
        "remove network_mode: the app then has a network of its own, and reaches the other container by its name"
        if name
        else "remove network_mode"
    )


def _check_build(document: Document, path: tuple[str, ...]) -> Iterator[Problem]:
    """A relative `build` is joined to the repo, and must stay inside it."""
    build = at(document.value, *path)
    key: KeyPath = path
    if isinstance(build, dict):
        if "dockerfile" in build and "dockerfile_inline" in build:
            what = "dockerfile and dockerfile_inline are both given"
            yield document.problem((*path, "dockerfile_inline"), Code.BOTH_GIVEN, what, "keep one of them")
        build, key = build.get("context", "."), (*path, "context")
    if not isinstance(build, str) or build.startswith(("/", "~")) or not local_folder(build):
        return
    if "repo" not in document.value:
        yield document.problem(
            key, Code.BUILD, f"{shown(build)} is relative and needs repo", "repo and mount, or an absolute path"
        )
    elif normpath(build).split("/")[0] == "..":
        yield document.problem(
            key, Code.BUILD, f"{shown(build)} points outside the repo", "a folder inside the repo, or an absolute path"
        )
