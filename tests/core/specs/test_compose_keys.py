"""Both dialects of Compose keys as today's Compose Specification: the table of docs/specs.md."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.spec_text import APP, checked, fine, said

SERVICES = {"services/redis.yml": "image: redis\n", "services/mongo.yml": "image: mongo\n"}


def service(text: str) -> dict[str, Any]:
    """The translated keys of a service, its image left out."""
    specs = fine({**SERVICES, "services/it.yml": f"image: it\n{text}\n"})
    return {key: value for key, value in specs.services["it"].compose.items() if key != "image"}


def app(text: str) -> dict[str, Any]:
    """The translated `compose:` of an app."""
    return fine({**SERVICES, "apps/it.yml": f"{APP}compose: {{{text}}}\n"}).apps["it"].compose


@pytest.mark.parametrize(
    ("written", "translated"),
    [
        ("net: bridge", {}),
        ("net: host", {"network_mode": "host"}),
        ("net: none", {"network_mode": "none"}),
        ("network_mode: bridge", {"network_mode": "bridge"}),
        ("network_mode: bridge\nports: ['1:1']", {"network_mode": "bridge", "ports": ["1:1"]}),
        ("links: [mongo:db]\nnet: host", {"depends_on": ["mongo"], "network_mode": "host"}),
        ("net: container:redis", {"network_mode": "service:redis", "depends_on": ["redis"]}),
        ("net: container:dusty_redis_1", {"network_mode": "service:redis", "depends_on": ["redis"]}),
        ("network_mode: container:redis", {"network_mode": "service:redis", "depends_on": ["redis"]}),
        ("network_mode: service:redis", {"network_mode": "service:redis", "depends_on": ["redis"]}),
        ("net: container:elsewhere", {"network_mode": "container:elsewhere"}),
        ("links: [redis, mongo]", {"depends_on": ["redis", "mongo"]}),
        ("links: [redis:cache, mongo, redis]", {"depends_on": ["redis", "mongo"], "links": ["redis:cache"]}),
        ("links: [redis:redis]", {"depends_on": ["redis"]}),
        (
            "links: [redis:a, redis, redis:a]\nvolumes_from: [mongo, mongo]",
            {"depends_on": ["redis", "mongo"], "links": ["redis:a"], "volumes_from": ["mongo"]},
        ),
        (
            "links: [mongo:db]\nnet: container:redis",
            {"depends_on": ["mongo", "redis"], "network_mode": "service:redis"},
        ),
        (
            "volumes_from: [redis:ro, mongo, container:n]",
            {"volumes_from": ["redis:ro", "mongo", "container:n"], "depends_on": ["redis", "mongo"]},
        ),
        ("external_links: [other:o]", {"external_links": ["other:o"]}),
        ("depends_on: [mongo]", {"depends_on": ["mongo"]}),
        (
            "links: [redis]\ndepends_on: {mongo: {condition: service_healthy}}",
            {"depends_on": {"redis": {"condition": "service_started"}, "mongo": {"condition": "service_healthy"}}},
        ),
        ("log_driver: syslog\nlog_opt: {tag: x}", {"logging": {"driver": "syslog", "options": {"tag": "x"}}}),
        ("build: dir", {"build": "dir"}),
        ("build: dir\ndockerfile: F", {"build": {"context": "dir", "dockerfile": "F"}}),
        ("build: {context: dir, target: t}", {"build": {"context": "dir", "target": "t"}}),
        ("environment: [A=1, B, C=, D=x=y]", {"environment": {"A": "1", "B": None, "C": "", "D": "x=y"}}),
        (
            "environment: {A: 1, B: , C: '', D: 1.10, E: yes, F: 'a b'}",
            {"environment": {"A": "1", "B": None, "C": "", "D": "1.10", "E": "yes", "F": "a b"}},
        ),
        ("labels: [a=1, b]", {"labels": {"a": "1", "b": ""}}),
        ("labels: {a: 1.0, b: }", {"labels": {"a": "1.0", "b": ""}}),
        ("extra_hosts: [a:1.2.3.4]", {"extra_hosts": ["a:1.2.3.4"]}),
        ("extra_hosts: {a: 1.2.3.4}", {"extra_hosts": {"a": "1.2.3.4"}}),
        ("sysctls: {net.core.somaxconn: 1024}", {"sysctls": {"net.core.somaxconn": "1024"}}),
        (
            "expose: 80\nports: 22:22\ndns: 8.8.8.8\ndns_search: a.test\ntmpfs: /run\nenv_file: common.env",
            {
                "expose": ["80"],
                "ports": ["22:22"],
                "dns": ["8.8.8.8"],
                "dns_search": ["a.test"],
                "tmpfs": ["/run"],
                "env_file": ["common.env"],
            },
        ),
        (
            "volumes: [{source: /a, target: /b}, {source: data, target: /c}, {type: tmpfs, target: /d, tmpfs: {mode: 01777, size: 1m}}]",
            {
                "volumes": [
                    {"type": "bind", "source": "/a", "target": "/b"},
                    {"type": "volume", "source": "data", "target": "/c"},
                    {"type": "tmpfs", "target": "/d", "tmpfs": {"mode": 0o1777, "size": "1m"}},
                ]
            },
        ),
        ("build: {}", {"build": {"context": "."}}),
        ("build: {target: dev}", {"build": {"target": "dev", "context": "."}}),
        (
            "ports: [{target: 80, published: 8080, protocol: tcp}]",
            {"ports": [{"target": 80, "published": "8080", "protocol": "tcp"}]},
        ),
        (
            "command: redis-server --port 1\nentrypoint: [a, b]",
            {"command": "redis-server --port 1", "entrypoint": ["a", "b"]},
        ),
        (
            "mem_limit: 512m\nmemswap_limit: 1g\ncpu_shares: 73\ncpuset: 0,1\nmem_swappiness: 60\nshm_size: 64M",
            {
                "mem_limit": "512m",
                "memswap_limit": "1g",
                "cpu_shares": 73,
                "cpuset": "0,1",
                "mem_swappiness": 60,
                "shm_size": "64M",
            },
        ),
        (
            "privileged: on\ntty: true\nstdin_open: no\nread_only: true",
            {"privileged": True, "tty": True, "stdin_open": False, "read_only": True},
        ),
        ("restart: no", {"restart": "no"}),
        (
            "ulimits: {nproc: 65535, nofile: {soft: 1, hard: 2}}",
            {"ulimits": {"nproc": 65535, "nofile": {"soft": 1, "hard": 2}}},
        ),
        ("scale: 1", {}),
        ("deploy: {replicas: 1}", {"deploy": {"replicas": 1}}),
        ("networks: [default]", {}),
        ("networks: {default: }", {}),
        ("networks: {default: {aliases: [x]}}", {"networks": {"default": {"aliases": ["x"]}}}),
        ("x-any: {a: [1, b]}", {"x-any": {"a": [1, "b"]}}),
        ("image_requires_login: yes", {}),
        (
            "volumes: [/persist/a:/a, data:/b:ro, /c, {type: tmpfs, target: /d}]",
            {"volumes": ["/persist/a:/a", "data:/b:ro", "/c", {"type": "tmpfs", "target": "/d"}]},
        ),
        (
            "healthcheck: {test: [CMD, x], interval: 5s, retries: 3}",
            {"healthcheck": {"test": ["CMD", "x"], "interval": "5s", "retries": 3}},
        ),
        ("user: $USER", {"user": "$USER"}),
    ],
)
def test_service(written: str, translated: dict[str, Any]) -> None:
    assert service(written) == translated
    assert list(service(written)) == list(service(written))


@pytest.mark.parametrize(
    ("written", "translated"),
    [
        (
            "container_name: x, image: x, build: x, entrypoint: x, command: x, user: x, links: [redis], depends_on: [redis]",
            {},
        ),
        ("volumes_from: [redis]", {"volumes_from": ["redis"], "depends_on": ["redis"]}),
        ("net: 'container:redis'", {"network_mode": "service:redis", "depends_on": ["redis"]}),
        ("working_dir: /x", {"working_dir": "/x"}),
    ],
)
def test_app(written: str, translated: dict[str, Any]) -> None:
    assert app(written) == translated


def test_dockerfile_joins_the_own_build_of_an_app() -> None:
    specs = fine({"apps/it.yml": "build: /src/it\ncommands: {always: []}\ncompose: {dockerfile: Dockerfile.dev}\n"})
    assert (specs.apps["it"].build, specs.apps["it"].compose) == (
        "/src/it",
        {"build": {"dockerfile": "Dockerfile.dev"}},
    )


def test_volume_driver_is_kept_for_the_named_volumes() -> None:
    specs = fine({"services/it.yml": "image: it\nvolumes: [data:/data]\nvolume_driver: nfs\n"})
    assert specs.services["it"].volume_driver == "nfs"
    assert "volume_driver" not in specs.services["it"].compose


def test_suites_keep_what_a_test_container_may_have() -> None:
    specs = fine(
        {
            **SERVICES,
            "apps/it.yml": APP + "test:\n  image: x\n  suites:\n    - name: unit\n      command: [x]\n"
            "      compose: {environment: [A=1], links: [redis], net: host, volumes: [/persist/x:/x],\n"
            "                dockerfile: F}\n",
        }
    )
    assert specs.apps["it"].tests is not None
    assert specs.apps["it"].tests.suites[0].compose == {"environment": {"A": "1"}, "volumes": ["/persist/x:/x"]}


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("container_name: x", "container_name: ignored: Dusty sets container_name itself"),
        ("volume_driver: nfs", "volume_driver: there is no named volume for this driver"),
    ],
)
def test_warnings(written: str, problem: str) -> None:
    _, problems = checked({"services/it.yml": f"image: it\n{written}\n"})
    warnings = [problem for problem in problems if problem.place.file == "services/it.yml"]
    assert [f"{found.path}: {found.what}" for found in warnings] == [problem]
    assert all(found.is_warning for found in warnings)


@pytest.mark.parametrize(
    "written",
    [
        "extends: {service: x}",
        "profiles: [x]",
        "scale: 2",
        "deploy: {replicas: '3'}",
        "secrets: [x]",
        "configs: [x]",
        "networks: [x]",
        "networks: {x: }",
        "log_driver: a\nlogging: {driver: b}",
        "net: host\nnetwork_mode: host",
        "net: host\nports: ['1:1']",
        "net: container:redis\nports: ['1:1']",
        "labels: {dusty.kind: x}",
        "labels: [dusty=x]",
        "dockerfile: F",
        "volumes: [../a:/b]",
        "volumes: [~/a:/b]",
        "volumes: [a/b:/c]",
        "volumes: ['${HOME}:/c']",
        "volumes: [/a:b]",
        "volumes: [/a:/b:/c:/d]",
        "volumes: [/a:/cp/x]",
        "volumes: [{type: bind, source: /a}]",
        "ports: [80:]",
        "ports: ['81-80:1']",
        "ports: ['70000:1']",
        "ports: ['99999']",
        "environment: ['A B=1']",
        "net: container:redis extra",
        "privileged: maybe",
        "image: ${X}",
        "links: redis",
        "environment: [=1]",
        "environment: {'': x}",
        "env_file: [{required: false}]",
        "volumes: [{type: tmpfs, target: /t, tmpfs: {mode: rwx}}]",
    ],
)
def test_refused(written: str) -> None:
    _, problems = checked(
        {**SERVICES, "services/it.yml": f"image: it\n{written}\n" if "image" not in written else written}
    )
    assert [problem for problem in problems if problem.place.file == "services/it.yml" and not problem.is_warning]


def test_read_only_is_refused_in_apps_alone() -> None:
    assert said({"apps/it.yml": APP + "compose: {read_only: true}\n"}) == [
        "apps/it.yml: compose.read_only: an app cannot be read_only: what `once` did could not be remembered"
    ]
