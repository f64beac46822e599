"""A home and a Docker host that an earlier version left are taken over as they are: nothing is made anew, nothing is sent.

After a release, write down what that release leaves, from a checkout of it, and add the file:

    DUSTY_RECORD=/path/to/checkout .venv/bin/python -m pytest -n 0 tests/e2e/test_upgrade.py -k written
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stacks import PORT
from upgrades import HOME, ROOT

RECORDED = Path(__file__).with_name("recorded")
SCRIPT = Path(__file__).with_name("upgrades.py")
FILES = {
    "dusty/config.yml": f"specs_repo: {ROOT}/specs\nbundles: [shop]\nhosts: {{mode: file}}\nenv: {{web: {{GREETING: hello}}}}\n",
    "specs/bundles/shop.yml": "apps: [web, worker]\n",
    "specs/services/cache.yml": "image: busybox:1\ncommand: [sh, -c, \"trap 'exit 0' TERM; sleep 100000 & wait\"]\n",
    "specs/libs/base.yml": f'repo: {ROOT}/code/base\nmount: /base\ninstall: ["true"]\n',
    "specs/apps/web.yml": f"""\
repo: {ROOT}/code/web
mount: /code
image: busybox:1
assets: [{{name: KEY, path: /key}}]
depends: {{services: [cache], libs: [base]}}
commands: {{once: ["true"], always: ["exec httpd -f -p 80 -h /code"]}}
host_forwarding: [{{host_name: web.test, host_port: {PORT}, container_port: 80}}]
compose: {{volumes: ["data:/data"]}}
""",
    "specs/apps/worker.yml": 'image: busybox:1\ndepends: {apps: [web]}\ncommands: {always: ["exec sleep 100000"]}\n',
    "code/web/index.html": "hello from web\n",
    "code/base/lib.sh": "echo base\n",
    "key": "nobody's secret\n",
}
ENV = {"DUSTY_HOME": str(HOME)}


@pytest.fixture
def place(rig: Any) -> Iterator[Any]:
    """The machine, with nothing at ROOT."""
    rig.run(["rm", "-rf", str(ROOT)])
    rig.run(["mkdir", "-p", str(ROOT)])
    yield rig
    rig.run(["rm", "-rf", str(ROOT)])


@pytest.mark.skipif("DUSTY_RECORD" not in os.environ, reason="only to write down what a version leaves")
def test_what_a_version_leaves_is_written_down(place: Any, tmp_path: Path) -> None:
    checkout = Path(os.environ["DUSTY_RECORD"])
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    place.run(["cp", "-a", f"{tmp_path}/.", str(ROOT)])
    dusty = str(checkout / "dusty")
    place.run([dusty, "assets", "set", "KEY", f"{ROOT}/key"], env=ENV)
    place.run([dusty, "up", "--yes"], env=ENV)
    assert place.run([dusty, "up"], env=ENV).stdout.startswith("up to date")
    commit = subprocess.check_output(["git", "-C", str(checkout), "rev-parse", "--short=7", "HEAD"], text=True).strip()
    RECORDED.mkdir(exist_ok=True)
    file = tmp_path / "home.json"
    place.run([sys.executable, str(SCRIPT), "write", str(file)])
    (RECORDED / f"home-{commit}.json").write_text(file.read_text())


@pytest.mark.parametrize("file", sorted(RECORDED.glob("home-*.json")), ids=lambda file: file.stem)
def test_what_an_earlier_version_left_is_taken_over_as_it_is(place: Any, file: Path) -> None:
    place.run([sys.executable, str(SCRIPT), "restore", str(file)])
    before = place.container_ids()
    assert set(before) == {"dusty_cache_1", "dusty_web_1", "dusty_worker_1", "dusty_dustyInternalNginx_1"}
    dusty = str(Path(__file__).resolve().parents[2] / "dusty")
    # The words on the proxy's pages are part of its config, which is loaded without a restart; nothing else may change.
    planned = place.run([dusty, "plan"], env=ENV).stdout.splitlines()
    assert [
        line for line in planned if not line.startswith(("push nginx config:", "reload nginx:", "nothing to do"))
    ] == []
    place.run([dusty, "up", "--no-pull"], env=ENV)
    assert place.container_ids() == before
    assert place.get(f"http://web.test:{PORT}/") == (200, "hello from web\n")
    again = place.run([dusty, "up", "--no-pull"], env=ENV).stdout
    assert "up to date: 0 changes" in again and "wrote" not in again
    assert place.run([dusty, "sync"], env=ENV).stdout == "2 repos are up to date\n"
