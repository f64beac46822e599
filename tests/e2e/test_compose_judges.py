"""What Compose would refuse, the checks refuse: mutations of keys before the real program, which needs no engine for this."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from machine import compose_program

from dusty_tasks.core.artifacts.rendering import compile_all
from dusty_tasks.core.artifacts.table import Whole
from dusty_tasks.core.check.assembled import assemble_with_ports
from dusty_tasks.core.text.problems import errors
from dusty_tasks.effects.home.settings import settings_from
from dusty_tasks.effects.specs.schemas import read_schema, read_templates
from tests.core.spec_text import checked

VALUES = (
    'x', '"1"', '-1', '1.5', '"1.5"', 'true', '[]', '[x]', '[1]', '[{a: b}]', '{}', '{x: y}', '{x: 1}', '{x: {y: z}}',
    '{x: [y]}', '[a=b]', '[[x]]', '""', '10s', '1d', '64m', '12x', '{x: null}', '{retries: 3}', 'service:other', '"a \'b"',
)  # fmt: skip
OTHERWISE = {"image", "build", "image_requires_login", "container_name", "host_forwarding", "assets", "extends"}
"""Keys that mean something of Dusty's, or that Dusty sets."""
TOO_NEW = {
    *("use_api_socket", "gpus", "models", "provider", "post_start", "pre_stop", "pull_refresh_after", "label_file"),
    *("provenance", "sbom", "interface_name", "gw_priority", "recursive", "image", "include", "initial_sync", "exec", "labels"),
}  # fmt: skip
"""Keys, at any depth, that the oldest Compose we support does not know yet."""
OTHER = "services:\n  other: {image: busybox}\n"
SAMPLE = 300


def keys_of(schema: dict[str, Any], path: str = "%s") -> Iterator[str]:
    """Texts with a gap, one for each key at each depth of a schema."""
    for key, below in schema.get("properties", {}).items():
        if key in TOO_NEW or (path == "%s" and key in OTHERWISE - {"build"}):
            continue
        here = path % (f"{key}: %s" if path == "%s" else f"{{{key}: %s}}")
        yield here
        yield from keys_of(below, here)
        yield from keys_of(below.get("items", {}), here % "[%s]")
        if isinstance(below.get("additionalProperties"), dict):
            yield from keys_of(below["additionalProperties"], here % "{default: %s}")


def mutations() -> list[str]:
    """Each key with each value, and keys that nobody knows."""
    schema = read_schema("compose")
    found = [key % value for key in keys_of(schema) for value in VALUES]
    return [*dict.fromkeys([*found, "zzz: 1", "x-note: 1", "Image: x", "healthcheck: {zzz: 1}", "build: {zzz: 1}"])]


def compiled(text: str) -> bytes | None:
    """The Compose file of a service with this key, None if the checks refuse it."""
    base = "" if text.startswith("build") else "image: busybox\n"
    specs, problems = checked(
        {"services/it.yml": f"{base}{text}\n", "services/other.yml": "image: busybox\n", "bundles/b.yml": "services: [it, other]\n"}
    )  # fmt: skip
    if errors(problems):
        return None
    settings, _ = settings_from(b"", "/dusty-home")
    made = assemble_with_ports(specs, ["b"], settings, {})
    if errors(made.problems):
        return None
    return compile_all(specs, made.ports, Whole(made.stack, settings, "/specs"), read_templates())["docker-compose.yml"]


def refusal(data: bytes) -> str:
    """What Compose says of a file that it refuses, '' for one that it takes."""
    argv = [compose_program(), "-f", "-", "config", "-q"]
    done = subprocess.run(argv, input=data, capture_output=True, cwd="/", check=False)
    return done.stderr.decode() or "refused" if done.returncode else ""


def misses(texts: list[str]) -> list[str]:
    """Those that pass the checks, and that Compose refuses for another reason than its age or a file that is missing."""
    found = []
    for text in texts:
        data = compiled(text)
        said = refusal(data) if data else ""
        if said and "not found" not in said and "no such file" not in said:
            found.append(f"{text}: {said.strip()}")
    return found


def test_a_sample_of_mutations_that_pass_the_checks_passes_compose() -> None:
    texts = mutations()
    assert len(texts) > 2000
    assert misses(random.Random(17).sample(texts, SAMPLE)) == []


@pytest.mark.long
def test_all_mutations_that_pass_the_checks_pass_compose() -> None:
    assert misses(mutations()) == []


@pytest.mark.parametrize(
    "text",
    [
        "healthcheck: {test: [CMD, true], interval: 1m30s, retries: 3, start_period: 0s}",
        "deploy: {resources: {limits: {cpus: '0.5', memory: 50M, pids: 5}, reservations: {devices: [{capabilities: [gpu], count: 1}]}}}",
        "deploy: {restart_policy: {condition: on-failure, delay: 5s, max_attempts: 3, window: 120s}}",
        "build: {context: ., args: {A: null, B: 1}, target: x, ssh: [default, a=b], cache_from: [a], ulimits: {nofile: 5}}",
        "build: {context: ., additional_contexts: {a: b}, extra_hosts: ['a:1.1.1.1'], platforms: [linux/amd64], shm_size: 64m}",
        "develop: {watch: [{path: src, action: sync, target: /x, ignore: [a]}]}",
        "ulimits: {nofile: {soft: 1, hard: 2}, nproc: 5}",
        "blkio_config: {weight: 300, device_read_bps: [{path: /dev/sda, rate: 12mb}]}",
        "networks: {default: {aliases: [a, b], priority: 5}}",
        "memswap_limit: -1",
        "extra_hosts: {a: 1.2.3.4}",
        "command: a \"b c\" 'd'",
        "volumes: [{type: tmpfs, target: /x, tmpfs: {size: 64m, mode: 0755}}]",
        "pull_policy: if_not_present",
        "depends_on: {other: {condition: service_started}}",
        "depends_on: {other: {restart: true}}",
    ],
)
def test_what_compose_takes_passes_the_checks(text: str) -> None:
    data = compiled(text)
    assert data is not None
    assert refusal(data) == ""
