"""`dusty compile` with options, `dusty trace`, and a specs repo's CI: in a process of its own, with its own two-line dodo.py."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import json_outputs
import pytest
import yaml

from tests.test_rooms import ROOT

WEB = """image: busybox
host_forwarding:
  - {host_name: local.web.test, host_port: 80, container_port: 5000}
commands:
  always:
    - run-web
"""
FORBIDDEN = (
    "docker",
    "docker-compose",
    "dockerd",
    "ssh",
    "scp",
    "sudo",
    "rsync",
    "git",
    "curl",
    "nginx",
    "systemctl",
    "limactl",
)


class SpecsRepo:
    """A specs repo with a dodo.py, and programs that fail loudly when anybody starts them."""

    def __init__(self, folder: Path) -> None:
        self.root, self.home, self.touched = folder / "specs", folder / "home", folder / "touched"
        for file, text in {
            "bundles/main.yml": "apps: [web]\n",
            "apps/web.yml": WEB,
            "dodo.py": "from dusty_tasks.dodo import *\n",
        }.items():
            self.write(file, text)
        self.programs = folder / "bin"
        self.programs.mkdir()
        for name in FORBIDDEN:
            program = self.programs / name
            program.write_text(f'#!/bin/sh\necho "$0 $*" >>{self.touched}\necho "do not touch me" >&2\nexit 99\n')
            program.chmod(0o755)

    def write(self, file: str, text: str) -> None:
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(
        self, *words: str, program: Sequence[str] = (sys.executable, "-m", "dusty_tasks")
    ) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "DUSTY_HOME": str(self.home),
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "DOCKER_HOST": "unix:///nonexistent/docker.sock",
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        ended = subprocess.run(
            [*program, *words], cwd=self.root, env=environment, capture_output=True, text=True, check=False
        )
        json_outputs.checked(words, ended.stdout)
        return ended

    def files(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in sorted(self.root.rglob("*")) if path.is_file()}


@pytest.fixture
def specs(tmp_path: Path) -> SpecsRepo:
    return SpecsRepo(tmp_path)


DOIT = (sys.executable, "-m", "doit")


@pytest.mark.parametrize("program", [DOIT, (sys.executable, "-m", "dusty_tasks")], ids=["doit", "dusty"])
def test_a_dry_run_in_a_specs_repo_needs_and_touches_nothing(specs: SpecsRepo, program: Sequence[str]) -> None:
    before = specs.files()
    for path in [*specs.root.rglob("*"), specs.root]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    ended = specs.run("compile", "--dry-run", program=program)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[0] == "specs are fine: 1 app, 0 libs, 0 services, 1 route; 6 files"
    assert not specs.touched.exists()
    assert specs.files() == before
    assert not (specs.home / "build").exists()
    for path in [specs.root, *specs.root.rglob("*")]:
        path.chmod(0o755)


@pytest.mark.parametrize("program", [DOIT, (sys.executable, "-m", "dusty_tasks")], ids=["doit", "dusty"])
def test_a_dry_run_names_every_problem_and_fails(specs: SpecsRepo, program: Sequence[str]) -> None:
    specs.write("apps/web.yml", WEB.replace("local.web.test", "my site").replace("always", "alwys"))
    ended = specs.run("compile", "--dry-run", program=program)
    assert ended.returncode == 1
    assert "apps/web.yml:3:17: host_forwarding[0].host_name:" in ended.stderr
    assert 'hint: did you mean "always"?' in ended.stderr
    assert ended.stderr.endswith("3 problems in 1 file\n")
    assert not specs.touched.exists()


def test_json_is_for_machines(specs: SpecsRepo) -> None:
    fine = json.loads(specs.run("compile", "--dry-run", "--json").stdout)
    assert fine["ok"] and fine["problems"] == [] and fine["compiled"][0]["routes"] == 1
    assert "docker-compose.yml" in fine["written"]
    specs.write("apps/web.yml", "image: busybox\ncommands: {once: [make]}\n")
    ended = specs.run("compile", "--dry-run", "--json")
    broken = json.loads(ended.stdout)
    assert ended.returncode == 1 and not broken["ok"]
    assert (broken["problems"][0]["file"], broken["problems"][0]["what"]) == (
        "apps/web.yml",
        "missing: commands.always",
    )


def test_all_bundles_finds_a_clash_that_no_bundle_alone_has(specs: SpecsRepo) -> None:
    specs.write("apps/shop.yml", WEB)
    specs.write("bundles/other.yml", "apps: [shop]\n")
    (specs.home).mkdir()
    (specs.home / "config.yml").write_text("bundles: [main]\n")
    assert specs.run("compile", "--dry-run").returncode == 0
    ended = specs.run("compile", "--dry-run", "--all-bundles")
    assert ended.returncode == 1
    assert "local.web.test:80 is already forwarded at apps/shop.yml:3:5" in ended.stderr
    assert ended.stderr.endswith("all together: 1 to fix\nmain and other clash\n") and "main:" not in ended.stderr
    assert json.loads(specs.run("compile", "--all-bundles", "--json").stdout)["clashes"] == [["main", "other"]]
    specs.write("apps/shop.yml", WEB.replace("local.web", "local.shop"))
    ended = specs.run("compile", "--all-bundles")
    assert (ended.returncode, [line.split() for line in ended.stdout.splitlines()][1:]) == (
        0,
        [["main", "1", "0", "0", "1"], ["other", "1", "0", "0", "1"], ["all", "together", "2", "0", "0", "2"]],
    )
    assert not (specs.home / "build").exists()


def test_all_bundles_names_two_bundles_for_each_clash(specs: SpecsRepo) -> None:
    specs.write("apps/shop.yml", WEB)
    specs.write("bundles/fine.yml", "services: [redis]\n")
    specs.write("services/redis.yml", "image: redis\n")
    specs.write("bundles/near.yml", "apps: [shop]\n")
    specs.write("bundles/other.yml", "apps: [shop]\n")
    specs.write("bundles/streams.yml", "apps: [stream]\n")
    specs.write("apps/stream.yml", WEB.replace("5000}", "22, type: stream}").replace("local.web", "local.other"))
    ended = specs.run("compile", "--all-bundles", "--json")
    assert (ended.returncode, json.loads(ended.stdout)["clashes"]) == (1, [["near", "streams"], ["main", "streams"]])


@pytest.mark.parametrize("bundles", ["[]", "[gone]"])
@pytest.mark.parametrize("options", [(), ("--dry-run",), ("--check",), ("--out", "../out")], ids=" ".join)
def test_nothing_active_is_said_and_fails(specs: SpecsRepo, bundles: str, options: Sequence[str]) -> None:
    (specs.root / "dodo.py").unlink()
    specs.home.mkdir()
    (specs.home / "config.yml").write_text(f"specs_repo: {specs.root}\nbundles: {bundles}\n")
    ended = specs.run("compile", *options)
    assert (ended.returncode, ended.stdout) == (1, "") and "No bundles are activated" in ended.stderr
    said = json.loads(specs.run("compile", *options, "--json").stdout)
    assert (said["ok"], any("No bundles are activated" in problem["what"] for problem in said["problems"])) == (
        False,
        True,
    )
    assert not (specs.root.parent / "out").exists() and not (specs.home / "build").exists()


def test_a_file_is_no_place_to_write_to(specs: SpecsRepo) -> None:
    ended = specs.run("compile", "--out", "apps/web.yml")
    assert (ended.returncode, ended.stderr) == (1, f"{specs.root}/apps/web.yml is not a folder\n")


def test_json_tells_what_was_written_and_removed(specs: SpecsRepo) -> None:
    assert "commands/web/start.sh" in json.loads(specs.run("compile", "--json").stdout)["written"]
    specs.write("bundles/main.yml", "services: [redis]\n")
    specs.write("services/redis.yml", "image: redis\n")
    said = json.loads(specs.run("compile", "--json").stdout)
    assert said["removed"] == ["commands/web/start.sh"] and "hosts" in said["written"]


def test_json_where_nothing_is_configured_is_that_of_the_examples(specs: SpecsRepo) -> None:
    (specs.root / "dodo.py").unlink()
    (specs.programs / "git").unlink()  # The examples' repos are real ones.
    said = json.loads(specs.run("compile", "--json").stdout)
    assert said["ok"] and said["compiled"][0]["bundles"] == "example"


def test_check_fails_as_long_as_something_would_change(specs: SpecsRepo) -> None:
    ended = specs.run("compile", "--check")
    assert ended.returncode == 1 and "would write build/hosts" in ended.stdout
    assert specs.run("compile").returncode == 0
    ended = specs.run("compile", "--check")
    assert ended.returncode == 0 and ended.stdout.endswith("up to date\n")
    specs.write("bundles/main.yml", "apps: [web]\nservices: [redis]\n")
    specs.write("services/redis.yml", "image: redis\n")
    ended = specs.run("compile", "--check")
    assert ended.returncode == 1 and "would write build/docker-compose.yml" in ended.stdout


def test_out_is_written_and_pruned_like_build(specs: SpecsRepo) -> None:
    assert specs.run("compile").returncode == 0
    ended = specs.run("compile", "--out", "../out")
    assert ended.returncode == 0 and "wrote hosts" in ended.stdout
    out, build = specs.root.parent / "out", specs.home / "build"

    def written(folder: Path) -> dict[str, bytes]:
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and ".written" not in path.parts
        }

    assert written(out) == written(build)
    assert specs.run("compile", "--out", "../out").stdout == "up to date\n"
    shutil.copytree(out / "commands/web", out / "commands/gone")
    assert specs.run("compile", "--out", "../out").returncode == 0
    assert not (out / "commands/gone/start.sh").exists()


def test_a_compiled_file_is_the_same_by_doit_and_by_dusty(specs: SpecsRepo) -> None:
    assert specs.run("compile", program=DOIT).returncode == 0
    assert specs.run("compile").stdout == "up to date\n"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("hosts:2", "apps/web.yml:3:17: host_forwarding[0].host_name"),
        ("build/hosts:1", "hosts:1 comes from no spec"),
        ("nginx/dustyNginx.conf:25", "apps/web.yml:3:5: host_forwarding[0]"),
        ("dustyNginx.conf:25", "apps/web.yml:3:5: host_forwarding[0]"),
        ("docker-compose.yml:services.web.image", "apps/web.yml:1:8: image"),
        ("commands/web/start.sh:LINE", "apps/web.yml:6:7: commands.always[0]"),
        ("docker-compose.yml:services.dustyInternalNginx.image", "config.yml: nginx_image"),
    ],
)
def test_trace_names_the_spec_line(specs: SpecsRepo, word: str, said: str) -> None:
    assert specs.run("compile").returncode == 0
    if "LINE" in word:
        lines = (specs.home / "build/commands/web/start.sh").read_text().splitlines()
        word = word.replace("LINE", str(1 + next(number for number, line in enumerate(lines) if line == "run-web")))
    ended = specs.run("trace", word)
    assert ended.returncode == 0 and ended.stdout.startswith(said), ended


@pytest.mark.parametrize("folder", ["", "../home/build/", "{home}/build/"])
def test_trace_takes_the_path_of_an_artifact(specs: SpecsRepo, folder: str) -> None:
    assert specs.run("compile").returncode == 0
    assert specs.run("trace", f"{folder.format(home=specs.home)}hosts:2").stdout.startswith("apps/web.yml:3:17")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("hosts:99", "hosts has no line 99"),
        ("hosts", '"hosts" names no line'),
        ("host:1", "no artifact named host has an origin"),
        ("/etc/hosts:1", "no artifact named /etc/hosts has an origin"),
        ("docker-compose.yml:services.nosuch", "docker-compose.yml has no key services.nosuch"),
        (
            "docker-compose.yml:services.web.imgae",
            'docker-compose.yml has no key services.web.imgae\n    hint: did you mean "services.web.image"?',
        ),
        (
            "docker-compose.yml:services.wbe.image",
            'docker-compose.yml has no key services.wbe.image\n    hint: did you mean "services.web"?',
        ),
        ("nginx/dustyNginx.conf:http", "nginx/dustyNginx.conf has no key http"),
    ],
)
def test_trace_says_what_it_cannot_find(specs: SpecsRepo, word: str, said: str) -> None:
    assert specs.run("compile").returncode == 0
    if "LINE" in word:
        lines = (specs.home / "build/commands/web/start.sh").read_text().splitlines()
        word = word.replace("LINE", str(1 + next(number for number, line in enumerate(lines) if line == "run-web")))
    ended = specs.run("trace", word)
    assert ended.returncode == 1 and ended.stderr.startswith(said), ended


def test_the_hooks_for_pre_commit_find_what_is_wrong(specs: SpecsRepo) -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    entries = {hook["id"]: hook["entry"].split() for hook in hooks}
    assert all(words[0] == "dusty" for words in entries.values())
    assert {name: specs.run(*words[1:]).returncode for name, words in entries.items()} == dict.fromkeys(entries, 0)
    specs.write("apps/web.yml", WEB.replace("always", "alwys"))
    assert {name: specs.run(*words[1:]).returncode for name, words in entries.items()} == dict.fromkeys(entries, 1)
    assert not specs.touched.exists()
