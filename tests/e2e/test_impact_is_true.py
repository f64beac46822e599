"""What `impact` says of a change equals what `plan` says, and `up` does, on a stack that runs the base: random edits of each kind."""

from __future__ import annotations

import copy
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Spec = dict[str, Any]
Specs = dict[str, Spec]
SERVE, WAIT = "exec httpd -f -p 80 -h /code", ["sh", "-c", "trap 'exit 0' TERM; sleep 100000 & wait"]
STARTED = {"create", "recreate", "restart", "start"}


def base(folder: Path) -> Specs:
    """Path in the specs repo -> content: three apps with a lib, four services, one of them built, two bundles."""

    def app(name: str, **more: Any) -> Spec:
        route = {"host_name": f"{name}.test", "host_port": 8080, "container_port": 80}
        return {
            "repo": f"{folder}/code/{name}",
            "mount": "/code",
            "image": "busybox:1",
            "commands": {"always": [SERVE]},
            "host_forwarding": [route],
            **more,
        }

    return {
        "bundles/shop.yml": {"apps": ["web"], "services": ["other"]},
        "bundles/back.yml": {"apps": ["worker"], "services": ["built"]},
        "apps/web.yml": app("web", depends={"apps": ["api"], "services": ["cache"], "libs": ["paper"]}),
        "apps/api.yml": app("api", depends={"services": ["cache"]}, scripts=[{"name": "hi", "command": ["echo hi"]}]),
        "apps/worker.yml": app("worker", depends={"libs": ["paper"]}),
        "libs/paper.yml": {"repo": f"{folder}/code/paper", "mount": "/paper", "install": ["true"]},
        "services/cache.yml": {"image": "busybox:1", "command": WAIT},
        "services/other.yml": {"image": "busybox:2", "command": WAIT, "volumes": ["kept:/data"]},
        "services/built.yml": {"build": "./built", "command": WAIT},
        "services/spare.yml": {"image": "busybox:1", "command": WAIT},
    }


def _image(specs: Specs, pick: random.Random) -> None:
    spec = specs[pick.choice(["apps/web.yml", "apps/api.yml", "services/cache.yml", "services/other.yml"])]
    spec["image"] = "busybox:2" if spec["image"] == "busybox:1" else "busybox:1"


def _variable(specs: Specs, pick: random.Random) -> None:
    file = pick.choice(["apps/web.yml", "services/cache.yml"])
    where = specs[file].setdefault("compose", {}) if file.startswith("apps") else specs[file]
    where.setdefault("environment", {})[pick.choice("AB")] = str(pick.randrange(9))


def _always(specs: Specs, pick: random.Random) -> None:
    specs[pick.choice(["apps/web.yml", "apps/worker.yml"])]["commands"]["always"] = [f"true {pick.randrange(9)}", SERVE]


def _once(specs: Specs, pick: random.Random) -> None:
    specs[pick.choice(["apps/web.yml", "apps/api.yml"])]["commands"]["once"] = [f"echo {pick.randrange(9)}"]


def _install(specs: Specs, pick: random.Random) -> None:
    specs["libs/paper.yml"]["install"] = [f"echo {pick.randrange(9)}"]


def _script(specs: Specs, pick: random.Random) -> None:
    specs["apps/api.yml"]["scripts"] = [{"name": pick.choice(["hi", "ho"]), "command": [f"echo {pick.randrange(9)}"]}]


def _name(specs: Specs, pick: random.Random) -> None:
    specs["apps/web.yml"]["host_forwarding"][0]["host_name"] = f"web{pick.randrange(3)}.test"


def _route(specs: Specs, pick: random.Random) -> None:
    route = {"host_name": f"more{pick.randrange(9)}.test", "host_port": pick.choice([8080, 8081]), "container_port": 80}
    specs[pick.choice(["apps/web.yml", "apps/api.yml"])]["host_forwarding"].append(route)


def _no_route(specs: Specs, pick: random.Random) -> None:
    specs[pick.choice(["apps/api.yml", "apps/worker.yml"])].pop("host_forwarding", None)


def _needs_less(specs: Specs, pick: random.Random) -> None:
    specs["apps/web.yml"]["depends"].pop(pick.choice(["apps", "services", "libs"]), None)


def _needs_more(specs: Specs, pick: random.Random) -> None:
    specs["apps/worker.yml"]["depends"]["services"] = [pick.choice(["spare", "cache"])]


def _bundle(specs: Specs, pick: random.Random) -> None:
    specs["bundles/shop.yml"]["services"] = pick.choice([["other", "spare"], [], ["spare"]])


def _no_app(specs: Specs, pick: random.Random) -> None:
    specs["bundles/back.yml"]["apps"] = []


def _mount(specs: Specs, pick: random.Random) -> None:
    file = pick.choice(["apps/worker.yml", "libs/paper.yml"])
    specs[file]["mount"] = pick.choice(["/srv", "/opt/it"])


def _published(specs: Specs, pick: random.Random) -> None:
    specs["services/cache.yml"]["ports"] = [f"127.0.0.1:{pick.randrange(7000, 7009)}:80"]


def _volume(specs: Specs, pick: random.Random) -> None:
    specs["services/other.yml"]["volumes"] = [pick.choice(["kept:/elsewhere", "/persist/other:/data"])]


def _health(specs: Specs, pick: random.Random) -> None:
    specs["services/cache.yml"]["healthcheck"] = {"test": ["CMD", "true"], "interval": f"{pick.randrange(1, 4)}s"}


def _arguments(specs: Specs, pick: random.Random) -> None:
    specs["services/built.yml"]["build"] = {"context": "./built", "args": {"A": str(pick.randrange(9))}}


def _dockerfile(specs: Specs, pick: random.Random) -> None:
    specs["built/Dockerfile"] = {"text": f"FROM busybox:1\nENV N={pick.randrange(9)}\n"}


def _comment(specs: Specs, pick: random.Random) -> None:
    specs["apps/web.yml"]["host_forwarding"] = [dict(route) for route in specs["apps/web.yml"]["host_forwarding"]]


KINDS: tuple[Callable[[Specs, random.Random], None], ...] = (
    _image, _variable, _always, _once, _install, _script, _name, _route, _no_route, _needs_less, _needs_more,
    _bundle, _no_app, _mount, _published, _volume, _health, _arguments, _dockerfile, _comment,
)  # fmt: skip


class Stack:
    """A specs repo whose first commit runs."""

    def __init__(self, rig: Any, folder: Path) -> None:
        self.rig, self.folder, self.root = rig, folder, folder / "specs"
        for name in ("web", "api", "worker", "paper"):
            (folder / "code" / name).mkdir(parents=True)
            (folder / "code" / name / "index.html").write_text(name)
        self.base = {**base(folder), "built/Dockerfile": {"text": "FROM busybox:1\n"}}
        rig.home.mkdir(parents=True, exist_ok=True)
        config = f"specs_repo: {self.root}\nbundles: [shop, back]\nhosts: {{mode: 'file'}}\n"
        (rig.home / "config.yml").write_text(config)
        self.write(self.base)
        self.git("init", "-q")
        self.git("add", "-A")
        self.git("-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "base")
        rig.dusty("up")

    def git(self, *words: str) -> None:
        self.rig.run(["git", "-C", str(self.root), *words])

    def write(self, specs: Specs) -> None:
        for path, spec in specs.items():
            at = self.root / path
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_text(spec["text"] if "text" in spec else yaml.safe_dump(spec, sort_keys=False))

    def told(self) -> list[dict[str, str]]:
        """The changes for those who have all bundles active."""
        return json.loads(self.rig.dusty("impact", "HEAD", "--json").stdout)["together"]["changes"]

    def planned(self) -> list[dict[str, str]]:
        return json.loads(self.rig.dusty("plan", "--json").stdout)["changes"]

    def done_by_up(self) -> set[str]:
        """The containers that `up` made or started anew."""
        before = self.rig.container_ids()
        self.rig.dusty("up")
        return {name for name, value in self.rig.container_ids().items() if before.get(name) != value}


def essence(changes: list[dict[str, str]]) -> list[tuple[str, str, str]]:
    """Kind, name and, of containers, the place: what must be equal. Causes name the folders of a machine."""
    return sorted((each["kind"], each["name"], each["place"] if each["kind"] in STARTED else "") for each in changes)


@pytest.mark.parametrize("rounds", [8, pytest.param(200, marks=pytest.mark.long)])
def test_impact_says_what_up_does(rig, tmp_path, rounds):
    stack = Stack(rig, tmp_path)
    assert stack.told() == stack.planned() == []
    pick = random.Random(int(os.environ.get("DUSTY_SEED", rounds)))
    for number in range(rounds):
        specs = copy.deepcopy(stack.base)
        chosen = [KINDS[number % len(KINDS)], *pick.sample(KINDS, pick.randrange(3))]
        for edit in chosen:
            edit(specs, pick)
        stack.write(specs)
        told, planned = stack.told(), stack.planned()
        assert essence(told) == essence(planned), [edit.__name__ for edit in chosen]
        if number % 20 == 7:
            started = {f"dusty_{each['name']}_1" for each in told if each["kind"] in STARTED}
            assert stack.done_by_up() == started, [edit.__name__ for edit in chosen]
            stack.write(stack.base)
            rig.dusty("up")
        else:
            stack.write(stack.base)
