"""The golden cases before their real readers, and the page that stands in for an app that does not answer yet."""
from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from dusty_tasks.core.settings import NGINX_IMAGE

CASES = Path(__file__).parent.parent / "cases"
LONG_NAME = ".".join(["a" * 60] * 4) + ".abcdefgh"
SAY_REFUSED = 'for file in /c/*.conf; do nginx -t -q -c "$file" 2>&1 || echo "refused $file"; done'
FLAKY_APP = '''
import socket
listener = socket.create_server(("127.0.0.1", 65000))
seen = 0
while True:
    connection, _ = listener.accept()
    request = connection.recv(65536)
    seen += b"favicon" not in request
    if seen > 2:
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Type: text/html\\r\\nConnection: close\\r\\n\\r\\n<pre>the app is here " + request)
    connection.close()
'''
"""Hangs up on its first two callers, which nginx answers with 502; then it answers, and shows what it was asked."""


def test_nginx_accepts_every_golden_config_and_the_longest_name(rig: Any, tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    for config in CASES.glob("*/build/nginx/dustyNginx.conf"):
        shutil.copy(config, tmp_path / "c" / f"{config.parts[-4]}.conf")
    text = (tmp_path / "c/hosts_mode_localhost.conf").read_text()
    (tmp_path / "c/long.conf").write_text(text.replace("local.web.test", LONG_NAME))
    run = ["docker", "run", "--rm", "--network", "none", "-v", f"{tmp_path}/c:/c:ro", NGINX_IMAGE, "sh", "-c", SAY_REFUSED]
    assert rig.run(run).stdout == ""


@pytest.mark.parametrize("path", sorted(CASES.glob("*/build/docker-compose.yml")), ids=lambda path: path.parts[-3])
def test_compose_accepts_every_golden_file(rig: Any, path: Path, tmp_path: Path) -> None:
    text = path.read_text()
    for name in ("/specs/env/db.env", "/specs/env/v1.env", "/etc/db.env"):
        (tmp_path / Path(name).name).touch()
        text = text.replace(f"- {name}", f"- {tmp_path}/{Path(name).name}")
    (tmp_path / "docker-compose.yml").write_text(text)
    done = rig.run(["docker", "compose", "-f", f"{tmp_path}/docker-compose.yml", "config", "--format", "json"])
    assert json.loads(done.stdout)["name"] == "dusty"


@pytest.fixture
def waiting_proxy(rig: Any, tmp_path: Path) -> Any:
    """nginx in the rig, on port 18080, with nothing behind it."""
    config = (CASES / "bridge_ip_of_the_settings/build/nginx/dustyNginx.conf").read_text()
    (tmp_path / "dustyNginx.conf").write_text(config.replace("10.9.8.1", "127.0.0.1").replace("listen 80;", "listen 18080;"))
    rig.run(["docker", "run", "-d", "--name", "waiting", "--network", "host", "-v", f"{tmp_path}:/etc/nginx/conf.d:ro", NGINX_IMAGE,
             "nginx", "-g", "daemon off;", "-c", "/etc/nginx/conf.d/dustyNginx.conf"])
    deadline = time.monotonic() + 30
    while rig.run(["curl", "-s", "-o", "/dev/null", "http://127.0.0.1:18080/"], check=False).returncode:
        assert time.monotonic() < deadline, "nginx does not listen"
        time.sleep(0.1)
    yield rig
    rig.run(["docker", "rm", "-f", "waiting"])


def test_an_app_that_does_not_answer_is_stood_in_for(waiting_proxy: Any) -> None:
    printed = waiting_proxy.run(["curl", "-si", "http://127.0.0.1:18080/<script>?x=$host"]).stdout
    headers, _, body = printed.partition("\n\n")
    assert headers.startswith("HTTP/1.1 502 ") and "Cache-Control: no-store" in headers
    assert "web is not answering yet" in body and "dusty logs -f web" in body
    assert 'http-equiv="refresh" content="2"' in body
    assert "<script>" not in body and "x=" not in body and "$" not in body


def test_the_page_gives_way_to_the_app_by_itself(waiting_proxy: Any, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(FLAKY_APP)
    pid = waiting_proxy.run(["sh", "-c", f"python3 {tmp_path}/app.py >/dev/null 2>&1 </dev/null & echo $!"]).stdout.strip()
    try:
        page = waiting_proxy.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile",
                                  "--virtual-time-budget=30000", "--dump-dom", "--host-resolver-rules=MAP local.web.test 127.0.0.1",
                                  "http://local.web.test:18080/some/page"]).stdout
    finally:
        waiting_proxy.run(["kill", pid])
    assert "the app is here GET /some/page" in page
    for header in ("Host: local.web.test:18080", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: local.web.test:18080",
                   "X-Forwarded-Proto: http", "X-Forwarded-Port: 18080", "Connection: upgrade"):
        assert header in page
