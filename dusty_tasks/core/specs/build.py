"""Documents as typed specs. Tolerant: what is wrong in a document was said by the shape check, and is left out here."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from typing import Any

from dusty_tasks.core.specs.documents import Document
from dusty_tasks.core.specs.model import (
    KINDS_OF_ROUTES,
    App,
    Asset,
    Bundle,
    CodeMount,
    Forwarding,
    Lib,
    Script,
    Service,
    Suite,
    Tests,
)
from dusty_tasks.core.specs.ready import healthcheck_of
from dusty_tasks.core.specs.reload import rules_of
from dusty_tasks.core.specs.repo_ids import Repo, repo_of
from dusty_tasks.core.specs.rules import Wrong, check_host_name, check_port, check_size, check_timeout, normal_path
from dusty_tasks.core.text.key_path import KeyPath

UNTIL = {"started": "service_started", "ready": "service_healthy", "ended": "service_completed_successfully"}
"""The words of `until`, and what Compose calls them."""


def follows(rule: Callable[[Any], None], value: Any) -> bool:
    """True if `value` breaks no `rule` of core/specs/rules."""
    try:
        rule(value)
    except Wrong:
        return False
    return True


def at(value: Any, *path: str) -> Any:
    """The value below nested mappings, or None."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def strings(value: Any, *path: str) -> list[tuple[KeyPath, str]]:
    """The strings of the list at `path`, each with its whole key path, and the `name` of mappings in it; anything else is left out."""
    found = at(value, *path)
    if not isinstance(found, list):
        return []
    return [
        ((*path, index), name)
        for index, item in enumerate(found)
        if isinstance(name := item.get("name") if isinstance(item, dict) else item, str)
    ]


def mappings(value: Any, *path: str) -> list[tuple[KeyPath, dict[str, Any]]]:
    """The mappings of the list at `path`, each with its whole key path."""
    found = at(value, *path)
    if not isinstance(found, list):
        return []
    return [((*path, index), item) for index, item in enumerate(found) if isinstance(item, dict)]


def forwardings(value: Any) -> Iterator[tuple[int, Forwarding]]:
    """The usable items of `host_forwarding` with their index; host_names lowered."""
    for path, item in mappings(value, "host_forwarding"):
        host_name, kind = item.get("host_name"), item.get("type", "http")
        ports: tuple[Any, Any] = item.get("host_port"), item.get("container_port")
        is_usable = isinstance(host_name, str) and follows(check_host_name, host_name) and kind in KINDS_OF_ROUTES
        if is_usable and all(follows(check_port, port) for port in ports):
            assert isinstance(path[-1], int) and isinstance(host_name, str)
            size, timeout = item.get("max_upload"), item.get("timeout")
            yield (
                path[-1],
                Forwarding(
                    host_name.lower(),
                    ports[0],
                    ports[1],
                    kind,
                    str(size) if size is not None and follows(check_size, size) else "",
                    timeout if isinstance(timeout, str) and follows(check_timeout, timeout) else "",
                    item.get("https") is not False,
                ),
            )


def app_of(
    document: Document, compose: dict[str, Any], suite_compose: list[dict[str, Any]], volume_driver: str = ""
) -> App:
    """The app of a document; `compose` and those of its suites are already translated."""
    value = document.value
    mounts = _mounts(value)
    routes = tuple(forwarding for _, forwarding in forwardings(value))
    health = healthcheck_of(value.get("ready"), [route.container_port for route in routes])
    if health and "healthcheck" not in compose:
        compose = {**compose, "healthcheck": health}
    return App(
        name=document.name,
        file=document.file,
        always=_texts(value, "commands", "always"),
        once=_texts(value, "commands", "once"),
        repo=repo_in(value),
        mount=_path(value, "mount") or (mounts[0].path if mounts else None),
        mounts=mounts,
        image=_text(value, "image"),
        build=_context(value),
        build_options=_build_options(value),
        has_commands="commands" in value,
        image_requires_login=value.get("image_requires_login") is True,
        services=_names(value, "depends", "services"),
        apps=_names(value, "depends", "apps"),
        libs=_names(value, "depends", "libs"),
        linked_apps=_names(value, "conditional_links", "apps"),
        linked_services=_names(value, "conditional_links", "services"),
        forwardings=routes,
        scripts=tuple(
            Script(item["name"], _texts(item, "command"), _text(item, "description") or "")
            for _, item in mappings(value, "scripts")
            if _text(item, "name")
        ),
        assets=_assets(value),
        compose=compose,
        tests=_tests(value, suite_compose),
        volume_driver=volume_driver,
        reload=rules_of(value.get("reload")),
        is_job=value.get("job") is True,
        is_ready_by=health is not None,
        until=_conditions(value),
        world=_text(value, "world") or "",
    )


def _conditions(value: dict[str, Any]) -> dict[str, str]:
    """What an app needs -> until when it waits, where its spec says so."""
    return {
        item["name"]: UNTIL[item["until"]]
        for kind in ("services", "apps")
        for _, item in mappings(value, "depends", kind)
        if isinstance(item.get("name"), str) and item.get("until") in UNTIL
    }


def lib_of(document: Document, suite_compose: list[dict[str, Any]]) -> Lib | None:
    """The lib of a document; None while its repo or mount is missing or wrong."""
    value = document.value
    repo, mount = repo_in(value), _path(value, "mount")
    if repo is None or mount is None:
        return None
    return Lib(
        name=document.name,
        file=document.file,
        repo=repo,
        mount=mount,
        install=_texts(value, "install"),
        libs=_names(value, "depends", "libs"),
        assets=_assets(value),
        tests=_tests(value, suite_compose),
        reload=rules_of(value.get("reload")),
    )


def service_of(document: Document, compose: dict[str, Any], volume_driver: str = "") -> Service:
    """The service of a document; `compose` is its translated mapping."""
    return Service(
        document.name,
        document.file,
        compose,
        document.value.get("image_requires_login") is True,
        volume_driver,
        tuple(forwarding for _, forwarding in forwardings(document.value)),
        _assets(document.value),
        is_job=document.value.get("job") is True,
        before_copy=_texts(document.value, "data", "before"),
        after_copy=_texts(document.value, "data", "after"),
        world=_text(document.value, "world") or "",
    )


def bundle_of(document: Document) -> Bundle:
    """The bundle of a document."""
    value = document.value
    return Bundle(
        document.name,
        document.file,
        _text(value, "description") or "",
        _names(value, "apps"),
        _names(value, "services"),
        {name: dict(variables) for name, variables in _mapping(value, "env").items() if isinstance(variables, dict)},
        {name: text for name, text in _mapping(value, "vars").items() if isinstance(text, str)},
    )


def repo_in(value: dict[str, Any]) -> Repo | None:
    """The repo under the key `repo`, or None."""
    written = value.get("repo")
    try:
        return repo_of(written) if isinstance(written, str) else None
    except ValueError:
        return None


def _text(value: dict[str, Any], key: str) -> str | None:
    found = value.get(key)
    return found if isinstance(found, str) else None


def _mapping(value: dict[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _context(value: dict[str, Any]) -> str | None:
    """The folder of an app's `build`, in either form."""
    build = value.get("build")
    return _text(build, "context") or "." if isinstance(build, dict) else _text(value, "build")


def _build_options(value: dict[str, Any]) -> dict[str, Any]:
    build = value.get("build")
    return {key: part for key, part in build.items() if key != "context"} if isinstance(build, dict) else {}


def _path(value: dict[str, Any], key: str) -> str | None:
    found = _text(value, key)
    return normal_path(found) if found else None


def _mounts(value: dict[str, Any]) -> tuple[CodeMount, ...]:
    """Folders of the repo, where `mount` names some."""
    written = value.get("mount")
    pairs = written.items() if isinstance(written, dict) else ()
    return tuple(
        CodeMount("" if posixpath.normpath(folder) == "." else posixpath.normpath(folder).strip("/"), normal_path(path))
        for folder, path in pairs
        if isinstance(path, str) and path and folder
    )


def _texts(value: Any, *path: str) -> tuple[str, ...]:
    found = at(value, *path)
    return tuple([item for item in found if isinstance(item, str)]) if isinstance(found, list) else ()


def _names(value: Any, *path: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys([name for _, name in strings(value, *path)]))


def _assets(value: dict[str, Any]) -> tuple[Asset, ...]:
    return tuple(
        Asset(item["name"], normal_path(item["path"]), item.get("required") is not False)
        for _, item in mappings(value, "assets")
        if _text(item, "name") and _text(item, "path")
    )


def _tests(value: dict[str, Any], suite_compose: list[dict[str, Any]]) -> Tests | None:
    test = value.get("test")
    if not isinstance(test, dict) or not test:
        return None
    suites = [item for _, item in mappings(test, "suites")]
    return Tests(
        image=_text(test, "image"),
        build=_text(test, "build"),
        image_requires_login=test.get("image_requires_login") is True,
        once=_texts(test, "once"),
        inputs=_texts(test, "inputs"),
        suites=tuple(
            Suite(
                item["name"],
                _texts(item, "command"),
                _text(item, "description") or "",
                _text(item, "default_args") or "",
                _names(item, "services"),
                compose,
            )
            for item, compose in zip(suites, suite_compose, strict=True)
            if _text(item, "name")
        ),
    )
