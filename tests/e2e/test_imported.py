"""What `import` and `init` write runs: a Compose project and repos without specs, brought up and asked for their pages."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

COMPOSE = """\
name: shop
services:
  web:
    image: busybox:${TAG:-1}
    command: sh -c 'echo "$$GREETING from $$NAME, $$(cat /etc/motd) $$(cat /run/secrets/key)" >/tmp/index.html; exec httpd -f -p 80 -h /tmp'
    volumes: [./site:/site:ro]
    env_file: web.env
    environment: {NAME: "${NAME}"}
    depends_on: {db: {condition: service_healthy}}
    labels: {traefik.http.routers.web.rule: "Host(`shop.test`)", traefik.http.services.web.loadbalancer.server.port: "80"}
    secrets: [key]
    configs: [{source: motd, target: /etc/motd}]
  files:
    image: busybox:1
    command: [httpd, -f, -p, "80", -h, /www]
    volumes: ["./conf:/www/conf"]
    ports: ["127.0.0.1:${PORT:-8077}:80"]
    networks: {default: {aliases: [static]}}
  db:
    image: busybox:1
    command: [sh, -c, "touch /data/ready; trap 'exit 0' TERM; sleep 100000 & wait"]
    healthcheck: {test: [CMD, test, -f, /data/ready], interval: 1s, retries: 30}
    volumes: [data:/data]
  tools: {image: busybox:1, command: sleep 100000, profiles: [debug]}
volumes: {data: }
secrets: {key: {file: ./key.txt}}
configs: {motd: {content: "motd"}}
"""


def checkout(folder: Path) -> None:
    subprocess.run(["git", "init", "-q", folder], check=True)


def test_an_imported_project_runs_and_its_pages_are_served(rig, tmp_path: Path) -> None:
    here = tmp_path / "shop"
    (here / "site").mkdir(parents=True)
    (here / "conf").mkdir()
    for name, text in {
        "compose.yml": COMPOSE,
        "web.env": "GREETING=hello\n",
        ".env": "NAME=web\n",
        "conf/run.sh": "#!/bin/sh\n",
        "site/a": "",
        "key.txt": "key\n",
    }.items():
        (here / name).write_text(text)
    (here / "conf/run.sh").chmod(0o755)
    checkout(here / "site")

    def dusty(*words: str, check: bool = True):
        return rig.dusty(*words, check=check, cwd=here)

    told = dusty("import").stdout
    assert "web.secrets: own way (assets)" in told and "db.volumes: same" in told
    assert "nothing changed" in dusty("import").stdout, "a second import changes nothing"
    dusty("setup", "--specs-repo", str(here / "specs"), "--yes")
    dusty("bundles", "activate", "shop")
    assert "KEY" in dusty("up", "--yes", check=False).stderr, "each person sets the secret"
    dusty("assets", "set", "KEY", "key.txt")
    dusty("assets", "set", "MOTD", "specs/configs/motd")
    dusty("up", "--yes")
    assert rig.get("http://shop.test/") == (200, "hello from web, motd key\n")
    assert rig.get("http://127.0.0.1:8077/conf/run.sh") == (200, "#!/bin/sh\n")
    inside = "wget -qO- http://static/conf/run.sh; test -x /run/secrets/key || echo plain"
    assert rig.run(["docker", "exec", "dusty_web_1", "sh", "-c", inside]).stdout == "#!/bin/sh\nplain\n"
    assert rig.run(["docker", "exec", "dusty_files_1", "test", "-x", "/www/conf/run.sh"]).returncode == 0
    assert "dusty_tools_1" not in rig.container_ids()
    assert dusty("up", "--no-pull").stdout.startswith("up to date: 0 changes")

    again = tmp_path / "again"
    told = json.loads(
        dusty("import", "-f", f"{rig.home}/build/docker-compose.yml", "--into", str(again), "--json").stdout
    )
    assert told["ok"] and told["counts"]["lost"] == 0, "also of what Dusty compiled"
    assert any("own output" in row["rules"] for row in told["rows"] if row["key"] == "labels")


def test_what_init_writes_for_a_repo_runs(rig, tmp_path: Path) -> None:
    built, found = tmp_path / "built", tmp_path / "found"
    for folder, files in {
        built: {
            "Dockerfile": 'FROM busybox:1\nEXPOSE 80\nCMD ["httpd", "-f", "-p", "80", "-h", "/repo/built"]\n',
            "index.html": "built\n",
        },
        found: {"index.html": "found\n"},
    }.items():
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
        checkout(folder)
        # No registry gives nginx here.
        served = ["--image", "busybox:1", "--command", "exec httpd -f -p 80 -h /usr/share/nginx/html"]
        done = rig.dusty("init", "--yes", *(served if folder == found else ()), cwd=folder)
        assert "next:" in done.stdout
    rig.dusty("setup", "--specs-repo", str(built / "specs"), "--yes")
    rig.dusty("bundles", "activate", "built")
    rig.dusty("up", "--yes")
    assert rig.get("http://built.test/") == (200, "built\n")
    rig.dusty("setup", "--specs-repo", str(found / "specs"), "--yes")
    rig.dusty("bundles", "activate", "found")
    rig.dusty("up", "--yes")
    assert rig.get("http://found.test/") == (200, "found\n")
