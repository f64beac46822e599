"""Our reading of Compose files is Compose's: `docker compose config` says the same of the files as of what we made of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from rig.machine import COMPOSE

from dusty_tasks.core.importing.reading import evaluated_node, read_project, resolved
from dusty_tasks.effects.doors.files import read_bytes

pytestmark = pytest.mark.skipif(not COMPOSE.exists(), reason="needs docker compose")

BASE = """
services:
  web:
    image: web:${TAG:-${OTHER-1}}
    command: ["a", "$$HOME", "${LETTERS}"]
    environment: [A=1, "B=${B:?must}", C, 'D=${D+set}${E:+no}', "F=${F-}x"]
    env_file: [web.env, {path: absent.env, required: false}]
    labels: [one, two=2]
    ports: ["80", "8080:80", "127.0.0.1:9000-9001:9000-9001/udp", {target: 5, published: "6"}]
    volumes: ["data:/data", "./conf:/conf:ro", "../up:/up", /anonymous]
    depends_on: [db]
    build: .
    logging: {driver: json-file, options: {max-size: 1m}}
    dns: 1.1.1.1
    extra_hosts: ["one:1.2.3.4", "two=::1"]
    healthcheck: {test: curl -f localhost, interval: 90s}
    deploy: {resources: {limits: {cpus: 0.50, memory: 128M}}}
  db: &db
    image: db
    environment: {VERSION: 1.10, BIG: 1e6, YES: yes, OCTAL: 010, NOTHING: , EMPTY: ""}
    sysctls: [net.core.somaxconn=1024]
    tmpfs: /tmp
    profiles: [data]
  db2:
    <<: *db
    image: db2
  worker:
    extends: {service: web}
    command: work
    ports: !reset []
  far:
    extends: {file: sub/base.yml, service: far}
volumes: {data: , named: }
"""
OVER = """
services:
  web:
    environment: {A: 2, G: "${TAG:-g}"}
    ports: ["8080:80", "81:81"]
    volumes: ["other:/data", "./conf:/conf"]
    logging: {driver: syslog, options: {tag: x}}
    build: {context: sub, args: [X=1, Y]}
    dns: [2.2.2.2]
    command: over
    depends_on: {db: {condition: service_healthy}}
    labels: {two: 3}
  db:
    environment: !override {ONLY: 1}
    tmpfs: [/run]
volumes: {other: }
"""
SUB = """
services:
  far:
    build: {context: code, additional_contexts: [x=../y]}
    volumes: ["./here:/here", "named:/named"]
    env_file: far.env
volumes: {named: }
"""
INCLUDED = """
services:
  inner:
    image: inner:${INNER}
    volumes: ["./here:/here"]
    environment: {B: "${B}"}
"""
INCLUDING = """
include:
  - path: sub/included.yml
    env_file: sub/inner.env
services:
  outer: {image: outer, depends_on: [inner], volumes: ["named:/n"]}
volumes: {named: {name: "n-${B}"}}
"""
ENV = "B=b # note\nLETTERS=\"a b $B\"\nQUOTED='x$B'\nexport D=d\nE=\nINNER2=${B}x\n"


def config(folder: Path, files: list[str]) -> Any:
    """What Compose makes of files, without anything of this machine's environment."""
    words = [str(COMPOSE), *(word for file in files for word in ("-f", file))]
    run = subprocess.run(
        [*words, "--profile", "*", "config", "--format", "json"],
        cwd=folder,
        env={"HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def ours(folder: Path, files: list[str]) -> Any:
    """What Compose makes of what we read of the files."""
    project = read_project([str(folder / file) for file in files], str(folder), read_bytes)
    model = {
        "name": project.name,
        "services": {name: resolved(node, project.values) for name, node in project.services.items()},
        **{
            key: {name: evaluated_node(node, project.values) for name, node in things.items()}
            for key, things in project.named.items()
        },
    }
    (folder / "made.json").write_text(json.dumps(model).replace("$", "$$"))
    return config(folder, ["made.json"])


def without_notes(model: Any) -> Any:
    return {key: value for key, value in model.items() if not key.startswith("x-")}


def write(folder: Path, **files: str) -> None:
    (folder / "sub").mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", "/").replace("_", ".")).write_text(text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "Some_Stack"
    folder.mkdir()
    write(folder, base_yml=BASE, over_yml=OVER, sub__base_yml=SUB, _env=ENV, web_env="W=${B}w\nRAW=1 # note\n")
    write(
        folder, sub__far_env="FAR=1\n", sub__included_yml=INCLUDED, including_yml=INCLUDING, sub__inner_env="INNER=7\n"
    )
    return folder


@pytest.mark.parametrize("files", [["base.yml"], ["base.yml", "over.yml"], ["including.yml"]])
def test_files_are_read_as_compose_reads_them(folder: Path, files: list[str]) -> None:
    assert ours(folder, files) == without_notes(config(folder, files))
