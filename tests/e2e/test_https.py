"""https with the real engine and nginx: for curl here and for programs in containers, and what becomes of it when names change."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from conftest import Rig
from stacks import SmallStack

from dusty_tasks.effects.engine.images import PYTHON_IMAGE

ASK = """
import ssl, sys, urllib.request
for url in sys.argv[1:]:
    try:
        answer = urllib.request.urlopen(url, timeout=10)
        print(answer.status, answer.geturl())
    except OSError as error:
        print(error)
"""


def web(folder: Path, *names: str) -> str:
    forwardings = "".join(f"  - {{host_name: {name}, host_port: 80, container_port: 8000}}\n" for name in names)
    return (
        f"repo: {folder}/code/web\nmount: /code\nimage: {PYTHON_IMAGE}\n"
        f"commands: {{always: [exec python3 app.py 8000]}}\nhost_forwarding:\n{forwardings}"
        "  - {host_name: plain.test, host_port: 8081, container_port: 8000, https: false}\n"
    )


@pytest.fixture(scope="module")
def secured(machine, tmp_path_factory):
    folder = tmp_path_factory.mktemp("https")
    rig = Rig(machine, folder / "dusty")
    rig.reset()
    stack = SmallStack(folder, rig.home, config="https: only\nrouting: network\nhosts: {mode: file, ipv6: true}\n")
    stack.code("web", "app.py", Path(__file__).with_name("proxied_app.py").read_text())
    stack.spec("apps/web.yml", web(folder, "web.test"))
    first = rig.dusty("up")
    yield rig, stack, first.stdout
    rig.reset()


def curl(rig: Rig, *words: str) -> str:
    return rig.run(["curl", "-sS", "-m", "20", "--cacert", str(rig.home / "https/ca.pem"), *words]).stdout


def inside(rig: Rig, *urls: str) -> list[str]:
    return rig.run(["docker", "exec", "dusty_web_1", "python3", "-c", ASK, *urls]).stdout.splitlines()


def test_names_are_answered_over_https_here_and_in_containers(secured):
    rig, _, printed = secured
    assert (
        "created a certificate authority" in printed and "trust install" in printed and "https://web.test/" in printed
    )
    assert curl(rig, "-o", "/dev/null", "-w", "%{http_version} %{http_code}", "https://web.test/") == "2 200"
    sent = dict(json.loads(curl(rig, "https://web.test/")))
    assert (sent["X-Forwarded-Proto"], sent["X-Forwarded-Port"], sent["Host"]) == ("https", "443", "web.test")
    over_6 = ("-6", "-w", " %{remote_ip} %{http_version}", "https://web.test/status?204")
    assert curl(rig, *over_6) == " ::1 2" and "::1 web.test" in rig.run(["cat", "/etc/hosts"]).stdout
    answer = curl(rig, "-i", "-d", "x", "http://web.test/a?b=1")
    assert answer.startswith("HTTP/1.1 308 ") and "Location: https://web.test/a?b=1\n" in answer
    assert json.loads(curl(rig, "-L", "-d", "xyz", "http://web.test/upload"))[2] == 3
    assert curl(rig, "-o", "/dev/null", "-w", "%{http_code}", "http://plain.test:8081/") == "200"
    assert inside(rig, "https://web.test/", "http://web.test/") == ["200 https://web.test/"] * 2
    shown = rig.run(["docker", "exec", "dusty_web_1", "sh", "-c", "ls /dusty_https; cat $NODE_EXTRA_CA_CERTS"]).stdout
    assert shown.split("\n")[:2] == ["bundle.pem", "ca.pem"] and "PRIVATE" not in shown


WSS = """
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
context.set_alpn_protocols(["http/1.1"])
peer = context.wrap_socket(socket.create_connection(("web.test", 443), 10), server_hostname="web.test")
peer.sendall(b"GET /socket HTTP/1.1\\r\\nHost: web.test\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n")
print(peer.recv(1000).split(b"\\r\\n")[0].decode())
peer.sendall(b"one")
print(peer.recv(1000).decode())
"""


def test_sockets_streams_and_long_headers_pass_over_https_too(secured, tmp_path):
    rig, _, _ = secured
    authority = str(rig.home / "https/ca.pem")
    assert rig.run(["python3", "-c", WSS, authority]).stdout == "HTTP/1.1 101 Switching Protocols\none\n"
    sent = f"(printf a; sleep 1; printf b) | curl -sS --cacert {authority} -T - https://web.test/upload"
    first, last, total = json.loads(rig.run(["sh", "-c", sent]).stdout)
    assert last - first > 0.7 and total == 2
    # curl itself sends no more than 64 KB of headers over HTTP/2.
    (tmp_path / "config").write_text(f'url = "https://web.test/"\nheader = "Cookie: {"c" * 60_000}"\n')
    got = {name.lower(): value for name, value in json.loads(curl(rig, "-K", str(tmp_path / "config")))}
    assert len(got["cookie"]) == 60_000


def test_the_key_of_the_authority_stays_here_for_its_owner_alone(secured):
    rig, _, _ = secured
    key = rig.home / "https/ca.key"
    assert os.stat(key).st_mode & 0o777 == 0o600 and os.stat(key.parent).st_mode & 0o777 == 0o700
    secret = key.read_text().splitlines()[1]
    found = subprocess.run(["grep", "-rlF", secret, rig.home], capture_output=True, text=True, check=False).stdout
    assert found.split() == [str(key)]


def test_a_run_without_changes_makes_nothing_and_a_renewal_cuts_no_request(secured):
    rig, _, _ = secured
    assert "cryptography" not in rig.dusty("up", env={"PYTHONPROFILEIMPORTTIME": "1"}).stderr
    before, notes = rig.container_ids(), rig.home / "https/notes.json"
    shown = ["openssl", "x509", "-noout", "-serial", "-in", *map(str, (rig.home / "https/leaf").glob("*.pem"))]
    serial = rig.run(shown).stdout
    known = json.loads(notes.read_text())
    known["signed"] = {id: {**each, "renew": 0} for id, each in known["signed"].items()}
    notes.write_text(json.dumps(known))
    held = subprocess.Popen(
        rig.machine.argv(["curl", "-sSN", "--cacert", str(rig.home / "https/ca.pem"), "https://web.test/events?20"]),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert held.stdout is not None and held.stdout.readline().startswith("data:")
    printed = rig.dusty("up").stdout
    assert "pushed certificates (a certificate expires soon)" in printed and "reloaded nginx" in printed
    assert held.stdout.read().count("data:") == 19 and held.wait() == 0
    assert rig.container_ids() == before and rig.run(shown).stdout != serial
    served = "openssl s_client -connect web.test:443 -servername web.test </dev/null 2>/dev/null | openssl x509 -noout -serial"
    assert rig.run(["sh", "-c", served]).stdout == rig.run(shown).stdout


def test_a_new_name_gets_a_certificate(secured):
    rig, stack, _ = secured
    before = rig.container_ids()
    stack.spec("apps/web.yml", web(stack.folder, "web.test", "two.test"))
    printed = rig.dusty("up").stdout
    assert "pushed certificates (names are new)" in printed and "certificate authority" not in printed
    for name in ("web.test", "two.test"):
        assert curl(rig, "-o", "/dev/null", "-w", "%{http_code}", f"https://{name}/") == "200"
    assert rig.container_ids()["dusty_web_1"] == before["dusty_web_1"]
    for folder in ("https/leaf", "host/persist/dustyNginx/https"):
        kinds = sorted(path.suffix for path in (rig.home / folder).iterdir())
        assert kinds == [".key", ".pem"], "what the former names had is gone"


DENIES = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
print("ready", flush=True)
while True:
    asked, sender = server.recvfrom(500)
    server.sendto(asked[:2] + b"\\x81\\x83" + asked[4:], sender)
"""


def test_doctor_looks_names_up_in_each_way_and_says_what_is_in_the_way(secured):
    rig, _, _ = secured
    said = rig.dusty("doctor", check=False).stdout
    assert "ok: host names: " in said and " lead to the proxy in web" in said
    assert "containers trust the certificate authority" in said or "every container has the certificate" in said
    config = (rig.home / "config.yml").read_text()
    (rig.home / "config.yml").write_text(config.replace("mode: file", "mode: off"))
    rig.run(
        ["sh", "-c", "cp /etc/hosts /run/full; sed '/ web.test$/d' /run/full >/etc/hosts; cp /etc/resolv.conf /run/rc"]
    )
    rig.run(["sh", "-c", "echo nameserver 127.0.0.1 >/etc/resolv.conf"])
    server = subprocess.Popen(rig.machine.argv(["python3", "-c", DENIES]), stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None and server.stdout.readline() == "ready\n"
        said = rig.dusty("doctor", check=False).stdout
        expected = "web.test is unknown; expected 127.0.0.1: the name server 127.0.0.1 answers NXDOMAIN; DNS rebinding"
        assert expected in said and "config set hosts.mode file" in said, said
    finally:
        rig.run(
            [
                "sh",
                "-c",
                "kill $(ss -lunpH sport = :53 | sed -n 's/.*pid=\\([0-9]*\\).*/\\1/p'); cat /run/full >/etc/hosts; cat /run/rc >/etc/resolv.conf",
            ]
        )
        server.wait()
        (rig.home / "config.yml").write_text(config)


def test_a_name_of_the_internet_needs_consent_and_a_key_that_others_can_read_is_refused(secured):
    rig, stack, _ = secured
    stack.spec("apps/web.yml", web(stack.folder, "web.test", "www.example.com"))
    refused = rig.dusty("up", check=False)
    assert refused.returncode == 1 and "app web: https: www.example.com" in refused.stderr
    assert "www.example.com" not in (rig.home / "https/notes.json").read_text()
    stack.spec("apps/web.yml", web(stack.folder, "web.test", "three.test"))
    key = rig.home / "https/ca.key"
    key.chmod(0o644)
    refused = rig.dusty("up", check=False)
    assert refused.returncode == 1 and f"others can read {key} (mode 644)" in refused.stderr
    key.chmod(0o600)
    rig.dusty("up")
    assert curl(rig, "-o", "/dev/null", "-w", "%{http_code}", "https://three.test/") == "200"


def test_a_machine_believes_it_after_trust_install_and_no_longer_after_uninstall(secured):
    rig, _, _ = secured
    ask = ["curl", "-sS", "-m", "20", "-o", "/dev/null", "-w", "%{http_code}", "https://web.test/"]
    bundle = ["sha256sum", "/etc/ssl/certs/ca-certificates.crt"]
    before = rig.run(bundle).stdout
    assert rig.run(ask, check=False).returncode == 60
    shown = rig.dusty("trust", "install", check=False)
    assert shown.returncode == 1 and "update-ca-certificates" in shown.stdout
    rig.dusty("trust", "install", "--yes")
    assert "trusted   this system" in rig.dusty("trust", "status").stdout
    assert rig.run(ask).stdout == "200"
    rig.dusty("trust", "uninstall", "--yes")
    assert rig.run(ask, check=False).returncode == 60 and rig.run(bundle).stdout == before


def test_turned_off_it_leaves_no_key_but_the_authoritys(secured):
    rig, stack, _ = secured
    (rig.home / "config.yml").write_text(stack.config.replace("https: only", "https: off"))
    rig.dusty("up")
    left = [*(rig.home / "https/leaf").iterdir(), *(rig.home / "host/persist/dustyNginx/https").iterdir()]
    assert left == [] and curl(rig, "-o", "/dev/null", "-w", "%{http_code}", "http://web.test/") == "200"
    assert "up to date" in rig.dusty("up").stdout
    rig.dusty("uninstall", "--yes")
    assert not (rig.home / "https").exists() and (rig.home / "config.yml").exists()
