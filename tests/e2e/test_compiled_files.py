"""The golden cases before their real readers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from machine import compose_program

from dusty_tasks.core.settings.model import NGINX_IMAGE

CASES = Path(__file__).parent.parent / "cases"
LONG_NAME = ".".join(["a" * 60] * 4) + ".abcdefgh"
SAY_REFUSED = 'for file in /c/*.conf; do nginx -t -q -c "$file" 2>&1 || echo "refused $file"; done'

SELF_SIGNED = (
    "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=test -keyout {0} -out {0}.crt && cat {0}.crt >> {0}"
)
"""A key and a certificate in one file, as the proxy has them."""


def test_nginx_accepts_every_golden_config_and_the_longest_name(rig: Any, tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    for config in CASES.glob("*/build/nginx/dustyNginx.conf"):
        shutil.copy(config, tmp_path / "c" / f"{config.parts[-4]}.conf")
    (tmp_path / "https").mkdir()
    pair = tmp_path / "pair.pem"
    subprocess.run(SELF_SIGNED.format(pair), shell=True, check=True, capture_output=True)
    for config in (tmp_path / "c").iterdir():
        for name in set(re.findall(r"/etc/nginx/conf\.d/https/([^;\s]+)", config.read_text())):
            shutil.copy(pair, tmp_path / "https" / name)
    text = (tmp_path / "c/hosts_mode_localhost.conf").read_text()
    (tmp_path / "c/long.conf").write_text(text.replace("local.web.test", LONG_NAME))
    run = [
        "docker",
        "run",
        "--rm",
        "--network",
        "none",
        "-v",
        f"{tmp_path}/c:/c:ro",
        "-v",
        f"{tmp_path}/https:/etc/nginx/conf.d/https:ro",
        NGINX_IMAGE,
        "sh",
        "-c",
        SAY_REFUSED,
    ]
    assert rig.run(run).stdout == ""


TOO_NEW = {"powers", "paths_of_builds_watches_and_files"}
"""Cases with keys that the oldest Compose we support does not know yet."""
TO_LOOK_AT = {"variables_without_a_value"}
"""Cases with placeholders, which `up` refuses: Compose never sees them."""


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(CASES.glob("*/build/docker-compose.yml")) if path.parts[-3] not in TOO_NEW | TO_LOOK_AT],
    ids=lambda path: path.parts[-3],
)
def test_compose_accepts_every_golden_file(path: Path, tmp_path: Path) -> None:
    text = path.read_text()
    values = re.findall(r"- (/dusty-home/state/env/\S+\.env)", text)
    for name in ("/specs/env/db.env", "/specs/env/v1.env", "/etc/db.env", *values):
        (tmp_path / Path(name).name).touch()
        text = text.replace(f"- {name}", f"- {tmp_path}/{Path(name).name}")
    (tmp_path / "docker-compose.yml").write_text(text)
    argv = [compose_program(), "-f", f"{tmp_path}/docker-compose.yml", "config", "--format", "json"]
    done = subprocess.run(argv, capture_output=True, cwd="/", check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["name"] == "dusty"
