"""A DUSTY_HOME as a version of Dusty left it, with what it had started: written down once, and put on another machine.

What lies in the home is kept as it was: text, modes and times. What another machine cannot have (ids of containers and images, inodes) is
read from what stands there. Run in the machine of a test: `python upgrades.py write <home> <file>`, `python upgrades.py restore <file>`.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path("/srv/recorded")
"""Where the home and its specs and code lie: paths are in what Dusty writes."""
HOME = ROOT / "dusty"
STARTED = ("host/persist/.dusty/started.json", "host/persist/.dusty/started.spare.json")
RECEIPTS = "host/persist/repos/.receipts"
LEFT_OUT = ("config.git", "locks", "doit.db")
"""The history of choices, and what is made again in silence."""


def write(file: Path) -> None:
    """Write down all that lies below ROOT."""
    found = {}
    for path in sorted(ROOT.rglob("*")):
        if not set(LEFT_OUT) & set(path.relative_to(ROOT).parts):
            found[str(path.relative_to(ROOT))] = _described(path)
    records = json.loads((HOME / STARTED[0]).read_text())
    for record in records.values():
        record["mounts"] = {}  # where this engine has its volumes
    for name in STARTED:
        found[f"dusty/{name}"]["text"] = json.dumps(records)
    file.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


def _described(path: Path) -> dict[str, Any]:
    state = path.lstat()
    about = {"mode": state.st_mode & 0o7777, "time": state.st_mtime_ns}
    if path.is_dir():
        return about
    try:
        return {**about, "text": path.read_text()}
    except UnicodeDecodeError:
        return {**about, "base64": base64.b64encode(path.read_bytes()).decode()}


def restore(file: Path) -> None:
    """Make the home, start what it had started, and let its records tell of that."""
    found = json.loads(file.read_text())
    for name, about in found.items():
        path = ROOT / name
        if "text" not in about and "base64" not in about:
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(about["text"].encode() if "text" in about else base64.b64decode(about["base64"]))
    compose = HOME / "build/docker-compose.yml"
    subprocess.run(["docker", "compose", "-f", str(compose), "up", "-d", "--pull", "never"], check=True, cwd="/")
    with open("/etc/hosts", "a", encoding="utf-8") as hosts:
        hosts.write((HOME / "build/hosts").read_text())
    records = json.loads((HOME / STARTED[0]).read_text())
    for name, record in records.items():
        shown = json.loads(subprocess.check_output(["docker", "inspect", name]))[0]
        record.update(
            container_id=shown["Id"],
            image_id=shown["Image"],
            mounts={mount["Destination"]: mount["Source"] for mount in shown["Mounts"]},
            inodes={path: os.stat(path).st_ino for path in record["inodes"]},
        )
    for name in STARTED:
        (HOME / name).write_text(json.dumps(records))
    for receipt in (HOME / RECEIPTS).rglob("*.json"):
        told = json.loads(receipt.read_text())
        told["looked"][1] = sum(path.lstat().st_ino for path in Path(told["source"]).rglob("*") if not path.is_dir())
        told["looked"][0] = max(path.lstat().st_ctime_ns for path in ROOT.rglob("*")) + 10**9
        receipt.write_text(json.dumps(told))
    for name, about in sorted(found.items(), reverse=True):
        os.chmod(ROOT / name, about["mode"])
        os.utime(ROOT / name, ns=(about["time"], about["time"]))


if __name__ == "__main__":
    {"write": write, "restore": restore}[sys.argv[1]](Path(sys.argv[2]))
