"""Small stacks for tests of `up`: specs and code written out, and what runs read back."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dusty_tasks.core.plan.change import Kind

PORT = 8080
SERVE = "exec httpd -f -p 80 -h /code"


class SmallStack:
    """Specs with one http app `web`, its code, and a service that it depends on; more is added by a test."""

    def __init__(self, folder: Path, home: Path, *, config: str = "", is_agreed: bool = True) -> None:
        self.folder, self.home = folder, home
        for name in ("bundles", "apps", "libs", "services"):
            (folder / "specs" / name).mkdir(parents=True)
        self.code("web", "index.html", "hello from web\n")
        self.service("cache")
        self.app("web", services="[cache]")
        self.bundle("shop", apps="[web]")
        home.mkdir(parents=True, exist_ok=True)
        # Its user has agreed that the hosts file is written.
        hosts = "" if "hosts:" in config or not is_agreed else "hosts: {mode: file}\n"
        self.config = f"specs_repo: {folder}/specs\nbundles: [shop]\n{hosts}{config}"
        (home / "config.yml").write_text(self.config)

    def spec(self, path: str, text: str) -> Path:
        written = self.folder / "specs" / path
        written.write_text(text)
        return written

    def app(
        self,
        name: str,
        *,
        image: str = "busybox:1",
        always: str = SERVE,
        services: str = "[]",
        apps: str = "[]",
        more: str = "",
    ) -> Path:
        """An app with its code at /code and a route `<name>.test`."""
        if not (self.folder / "code" / name).exists():
            self.code(name, "index.html", f"hello from {name}\n")
        return self.spec(
            f"apps/{name}.yml",
            f"""\
repo: {self.folder}/code/{name}
mount: /code
image: {image}
commands: {{always: [{json.dumps(always)}]}}
depends: {{services: {services}, apps: {apps}}}
host_forwarding: [{{host_name: {name}.test, host_port: {PORT}, container_port: 80}}]
{more}""",
        )

    def service(
        self,
        name: str,
        *,
        image: str = "busybox:1",
        command: str = "trap 'exit 0' TERM; sleep 100000 & wait",
        more: str = "",
    ) -> Path:
        """A service that ends with status 0 when it is stopped, as databases do."""
        return self.spec(f"services/{name}.yml", f"image: {image}\ncommand: [sh, -c, {json.dumps(command)}]\n{more}")

    def bundle(self, name: str, *, apps: str = "[]", services: str = "[]") -> Path:
        return self.spec(f"bundles/{name}.yml", f"apps: {apps}\nservices: {services}\n")

    def activate(self, *names: str) -> None:
        (self.home / "config.yml").write_text(re.sub(r"bundles: .*", f"bundles: [{', '.join(names)}]", self.config))

    def code(self, name: str, file: str, text: str) -> Path:
        path = self.folder / "code" / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


def stack_that_is_up(rig: Any, folder: Path, **named: Any) -> SmallStack:
    stack = SmallStack(folder, rig.home, **named)
    rig.dusty("up")
    return stack


def changes(printed: str) -> list[str]:
    """The lines of an `up` that say what was done, without what only concerns this machine's files."""
    done = (
        "pulled",
        "built",
        "synced",
        "pushed",
        "wrote hosts",
        "removed",
        "stopped",
        "created",
        "recreated",
        "restarted",
        "started",
        "unpaused",
        "reloaded",
        "reconnected",
    )
    return [
        line
        for line in printed.splitlines()
        if line.startswith(done) and not re.search(r": \d+ changed, |^removed (build/|\d+ files?)", line)
    ]


def done_in_order(printed: str, planned: Sequence[str]) -> bool:
    """Whether an `up` says that it did each line of a plan, in its order."""
    heads = [line.partition(":")[0] for line in planned]
    kinds = [max((kind for kind in Kind if head.startswith(kind)), key=len) for head in heads]
    wanted = [head.replace(kind, kind.done, 1) for head, kind in zip(heads, kinds, strict=True)]
    done = [line.partition(" (")[0] for line in printed.splitlines()]
    return [line for line in done if line in wanted] == wanted


def state(rig: Any) -> dict[str, Any]:
    """What a finished `up` leaves, as far as it must be the same after any accident: containers and their settings, files, answers."""
    containers = {
        entry["Name"].lstrip("/"): [
            entry["State"]["Status"],
            entry["Config"]["Image"],
            entry["HostConfig"]["Binds"] and sorted(entry["HostConfig"]["Binds"]),
            entry["HostConfig"]["PortBindings"],
            sorted(set(entry["Config"]["Env"] or ())),
        ]
        for entry in rig.machine.containers("")
    }
    root = rig.home / "host"
    files = {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not {".dusty", ".receipts", ".copies"} & {*path.parts}
    }
    return {"containers": containers, "files": files, "hosts": rig.run(["cat", "/etc/hosts"]).stdout}
