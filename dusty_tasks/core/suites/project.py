"""The Compose project of one test suite: its services and itself in one network, apart from the stack (docs/verbs.md, `test`)."""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dusty_tasks.core.artifacts.commands import visible_assets
from dusty_tasks.core.artifacts.compose import ROOT, service_build
from dusty_tasks.core.artifacts.compose_entry import env_files, spec_volume
from dusty_tasks.core.of_verbs.attaching import Size, sized
from dusty_tasks.core.plan.conditions import COMPLETED, HEALTHY, STARTED
from dusty_tasks.core.plan.container_state import has_healthcheck
from dusty_tasks.core.settings.model import HostSettings
from dusty_tasks.core.specs.compose_values import volume_of
from dusty_tasks.core.specs.model import Service, Suite
from dusty_tasks.core.specs.secret_values import with_secrets
from dusty_tasks.core.text.namespace import Namespace
from dusty_tasks.core.text.paths import ASSETS_OF_SUITES

HOLDER, TEST = "dusty-network", "dusty-test"
"""The container whose network all share, and the one that runs the suite. No spec's name: those have no second meaning here."""
HOLD = "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"
RESULTS = "/dusty_results"
"""Where a suite may leave JUnit files; $DUSTY_RESULTS names it."""

_NOT_IN_A_SHARED_NETWORK = (
    "ports",
    "expose",
    "networks",
    "network_mode",
    "links",
    "external_links",
    "hostname",
    "domainname",
    "dns",
    "dns_search",
    "dns_opt",
    "extra_hosts",
    "mac_address",
)
_NOT_IN_A_TEST = (
    "container_name",
    "restart",
    "depends_on",
    "volumes_from",
    "deploy",
    "labels",
    "label_file",
    "image_requires_login",
)


class SuiteRun(NamedTuple):
    """What one run of a suite needs beside its spec."""

    target_name: str
    image: str
    mounts: tuple[str, ...]
    arguments: tuple[str, ...]
    specs_root: str
    labels: dict[str, str]
    namespace: Namespace
    terminal: Size | None = None
    """That of whoever runs it and may type into it."""
    host_root: str = "/"
    secrets: Mapping[str, str] = {}  # never changed
    """Values of variables that are secrets: the file is for its owner alone, and gone after the run."""


def project_of(suite: Suite, services: Sequence[Service], run: SuiteRun) -> dict[str, Any]:
    """The Compose file of a suite, without its project's name. `$` is doubled: nothing is interpolated."""
    containers = {service.name: _service(service, services, run) for service in services}
    drivers = {name: driver for service in services for name, driver in _drivers(service).items()}
    test = _test(suite, run)
    if services:
        containers[HOLDER] = {
            "image": run.image,
            "user": ROOT,
            "entrypoint": [],
            "command": ["sh", "-c", HOLD],
            "init": True,
            "stop_grace_period": "1s",
            "labels": run.labels,
            "extra_hosts": _addresses(suite, services),
        }
        test["network_mode"] = f"service:{HOLDER}"
    containers[TEST] = test
    named = sorted(
        {
            volume.source
            for container in containers.values()
            for entry in container.get("volumes", ())
            if (volume := volume_of(entry)).is_named
        }
    )
    whole: dict[str, Any] = {"services": containers, "networks": {"default": {"labels": run.labels}}}
    if named:
        whole["volumes"] = {
            name: {"labels": run.labels, **({"driver": drivers[name]} if name in drivers else {})} for name in named
        }
    return _literal(whole)


def _test(suite: Suite, run: SuiteRun) -> dict[str, Any]:
    given = {key: value for key, value in suite.compose.items() if key not in (*_NOT_IN_A_TEST, "ports", "expose")}
    if suite.services:
        given = {key: value for key, value in given.items() if key not in _NOT_IN_A_SHARED_NETWORK}
    if "env_file" in given:
        given["env_file"] = env_files(given["env_file"], run.specs_root)
    environment = _environment(given.pop("environment", None), run)
    command = ["sh", f"/command_files/test/{suite.name}.sh", *run.arguments]
    return {
        **given,
        "image": run.image,
        "user": ROOT,
        "entrypoint": [],
        "command": sized(command, run.terminal) if run.terminal else command,
        "environment": {**environment, "DUSTY_RESULTS": RESULTS},
        "volumes": [*throw_away(given.get("volumes", ())), RESULTS, *run.mounts],
        "labels": run.labels,
        "stdin_open": run.terminal is not None,
        "tty": run.terminal is not None,
    }


def _service(service: Service, services: Sequence[Service], run: SuiteRun) -> dict[str, Any]:
    others = {other.name for other in services}
    mapping = {
        key: value for key, value in service.compose.items() if key not in (*_NOT_IN_A_SHARED_NETWORK, *_NOT_IN_A_TEST)
    }
    if "volumes" in mapping:
        mapping["volumes"] = [
            entry if isinstance(entry, str) and ":" not in entry else spec_file_volume(entry, run.host_root)
            for entry in throw_away(mapping["volumes"])
        ]
    if "environment" in mapping:
        mapping["environment"] = _environment(mapping["environment"], run)
    if assets := asset_mounts(service, run.host_root):
        mapping["volumes"] = [*mapping.get("volumes", ()), *assets]
    if "build" in mapping:
        mapping["build"] = service_build(service, run.specs_root)
        mapping.setdefault("image", run.namespace.test_service_image(service.name))
    if "env_file" in mapping:
        mapping["env_file"] = env_files(mapping["env_file"], run.specs_root)
    shared = [entry for entry in service.compose.get("volumes_from", ()) if str(entry).split(":")[0] in others]
    return {
        **mapping,
        **({"volumes_from": shared} if shared else {}),
        "network_mode": f"service:{HOLDER}",
        "depends_on": _depends_on(service, services),
        "labels": run.labels,
    }


def spec_file_volume(entry: Any, host_root: str) -> Any:
    """A volume of a suite's service, `./…` being the copy of what the specs repo has there."""
    return spec_volume(entry, HostSettings(root=host_root)) if volume_of(entry).spec_path else entry


def _environment(written: Any, run: SuiteRun) -> dict[str, Any]:
    """Variables with the values of secrets."""
    return {
        name: with_secrets(text, run.secrets) if isinstance(text, str) else text
        for name, text in (written or {}).items()
    }


def asset_mounts(service: Service, host_root: str) -> list[str]:
    """The volumes that show a suite's service its assets, each at its place."""
    folder = posixpath.join(host_root, ASSETS_OF_SUITES, service.name)
    return [f"{folder}/{asset.key}:{asset.path}:ro" for asset in visible_assets(service, ())]


def jobs_among(services: Sequence[Service]) -> list[str]:
    """The services that run to their end: those that say so, and those whose end another one waits for."""
    awaited = {name for service in services for name, how in _conditions(service).items() if how == COMPLETED}
    return [service.name for service in services if service.is_job or service.name in awaited]


def _conditions(service: Service) -> dict[str, str]:
    """Name -> the condition that the spec writes, '' for none."""
    written = service.compose.get("depends_on") or {}
    return {
        name: str((written[name] or {}).get("condition") or "") if isinstance(written, dict) else "" for name in written
    }


def _depends_on(service: Service, services: Sequence[Service]) -> dict[str, Any]:
    """Only on what is in the suite as well, and on the network's owner; as in the stack, a job must have ended and what has a healthcheck be healthy."""
    usual = {
        other.name: COMPLETED if other.is_job else HEALTHY if has_healthcheck(other.compose) else STARTED
        for other in services
    }
    written = service.compose.get("depends_on") or {}
    details = written if isinstance(written, dict) else {}
    return {
        HOLDER: {"condition": STARTED},
        **{name: {"condition": usual[name], **(details.get(name) or {})} for name in written if name in usual},
    }


def throw_away(entries: Sequence[Any]) -> list[Any]:
    """Volumes of a suite: those whose data is the stack's become anonymous ones: a test never touches that data."""
    return [
        volume.target
        if (volume := volume_of(entry)).source == "/persist" or volume.source.startswith("/persist/")
        else entry
        for entry in entries
    ]


def _drivers(service: Service) -> dict[str, str]:
    driver = getattr(service, "volume_driver", "")
    return {
        volume.source: driver
        for entry in service.compose.get("volumes", ())
        if driver and (volume := volume_of(entry)).is_named
    }


def _addresses(suite: Suite, services: Sequence[Service]) -> list[str]:
    """Each service's name is 127.0.0.1 as well; entries that specs add to the hosts file of their containers come along."""
    written = [
        suite.compose.get("extra_hosts") or [],
        *(service.compose.get("extra_hosts") or [] for service in services),
    ]
    extra = [
        entry if isinstance(entry, str) else str(entry)
        for hosts in written
        for entry in ([f"{name}:{address}" for name, address in hosts.items()] if isinstance(hosts, dict) else hosts)
    ]
    return list(dict.fromkeys([*(f"{service.name}:127.0.0.1" for service in services), *extra]))


def _literal(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {key: _literal(entry) for key, entry in value.items()}
    return [_literal(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def result_key(
    project: Mapping[str, Any], suite_text: str, image_ids: Mapping[str, str], fingerprints: Mapping[str, str]
) -> str:
    """What a suite's result depends on, as a digest: containers, start script, images, and the code as it was synced."""
    facts = json.dumps([project, suite_text, image_ids, fingerprints], sort_keys=True, default=str)
    return hashlib.sha256(facts.encode()).hexdigest()
