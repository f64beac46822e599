"""The proxy between a browser and an app, with the real nginx and engine: what passes, what is said instead, and who is let in."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from conftest import Rig
from stacks import SmallStack

from dusty_tasks.effects.engine.images import PYTHON_IMAGE

WEB = "http://web.test:8080"
ARRIVALS = "import sys, time\nfor line in sys.stdin:\n    if line.strip(): print(time.time() - float(line.split()[1]))"


@pytest.fixture(scope="module")
def served(machine, tmp_path_factory):
    """A stack whose app does what it is asked for, up for all tests of this file."""
    folder = tmp_path_factory.mktemp("proxy")
    rig = Rig(machine, folder / "dusty")
    rig.reset()
    stack = SmallStack(folder, rig.home, config="proxy: {trusted: [127.0.0.1]}\n")
    stack.code("web", "app.py", Path(__file__).with_name("proxied_app.py").read_text())
    stack.code("web", "others.conf", Path(__file__).with_name("proxied_others.conf").read_text())
    stack.spec(
        "apps/web.yml",
        f"""\
repo: {folder}/code/web
mount: /code
image: {PYTHON_IMAGE}
commands: {{always: [nginx -c /code/others.conf, exec python3 app.py 8000]}}
host_forwarding:
  - {{host_name: web.test, host_port: 8080, container_port: 8000}}
  - {{host_name: small.test, host_port: 8081, container_port: 8000, max_upload: 1K, timeout: 2s}}
  - {{host_name: calls.test, host_port: 9000, container_port: 50051, type: grpc}}
  - {{host_name: quiet.test, host_port: 9000, container_port: 8000, type: grpc}}
  - {{host_name: one.test, host_port: 8443, container_port: 4431, type: tls}}
  - {{host_name: two.test, host_port: 8443, container_port: 4432, type: tls}}
  - {{host_name: bytes.test, host_port: 7000, container_port: 7000, type: stream, timeout: 2s}}
""",
    )
    for name in ("one", "two"):
        rig.run(
            f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN={name}.test"
            f" -addext subjectAltName=DNS:{name}.test -keyout {name}.key -out {name}.pem".split(),
            cwd=folder / "code/web",
        )
    rig.dusty("up")
    yield rig
    rig.reset()


def curl(rig, *words: str, **named) -> str:
    return rig.run(["curl", "-sS", "-m", "20", *words], **named).stdout


def test_what_is_sent_arrives_as_it_is_sent_both_ways(served):
    delays = served.run(["sh", "-c", f'curl -sN {WEB}/events?4 | python3 -c "$1"', "sh", ARRIVALS]).stdout.split()
    assert len(delays) == 4 and max(map(float, delays)) < 0.4
    sent = f"(printf a; sleep 1; printf b) | curl -sS -T - {WEB}/upload"
    first, last, total = json.loads(served.run(["sh", "-c", sent]).stdout)
    assert last - first > 0.7 and total == 2


def test_a_socket_that_is_upgraded_carries_both_ways(served):
    talk = """
import socket, time
peer = socket.create_connection(("web.test", 8080), 10)
peer.sendall(b"GET /socket HTTP/1.1\\r\\nHost: web.test:8080\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n")
print(peer.recv(1000).split(b"\\r\\n")[0].decode())
for word in (b"one", b"two"):
    time.sleep(0.3)
    peer.sendall(word)
    print(peer.recv(1000).decode())
"""
    assert served.run(["python3", "-c", talk]).stdout.split("\n") == [
        "HTTP/1.1 101 Switching Protocols",
        "one",
        "two",
        "",
    ]


def test_a_connection_is_upgraded_only_when_the_client_asks(served):
    def connection(*words: str) -> dict[str, str]:
        sent = {name.lower(): value for name, value in json.loads(curl(served, *words, WEB))}
        return {name: sent[name] for name in ("connection", "upgrade") if name in sent}

    assert connection() == {"connection": "close"}
    assert connection("-H", "Connection: keep-alive") == {"connection": "close"}
    asked = ("-H", "Connection: keep-alive, Upgrade", "-H", "Upgrade: echo2")
    assert connection(*asked) == {"connection": "upgrade", "upgrade": "echo2"}


def test_grpc_goes_through_as_http_2_with_its_trailers(served):
    ask = ("--http2-prior-knowledge", "-i", "-H", "content-type: application/grpc", "-H", "te: trailers")
    answer = curl(served, *ask, "-H", "X-Forwarded-For: 9.9.9.9", "-d", "x", "http://calls.test:9000/pkg.Calls/Say")
    assert answer.startswith("HTTP/2 200 ") and "grpc-status: 0" in answer and "HTTP/2.0 calls.test:9000" in answer
    assert "http calls.test:9000 9000 9.9.9.9, " in answer  # from an address in proxy.trusted
    silent = curl(served, *ask, "-X", "POST", "http://quiet.test:9000/pkg.Calls/Say")
    assert "grpc-status: 14" in silent and "grpc-message: web" in silent and "content-type: application/grpc" in silent


def test_tls_is_led_by_the_name_and_stays_the_apps_own(served):
    keys = served.home.parent / "code/web"
    for name in ("one", "two"):
        ask = ("--cacert", str(keys / f"{name}.pem"), f"https://{name}.test:8443/")
        assert curl(served, *ask) == f"{name} by TLS\n"
    stranger = ("-k", "--connect-to", "::127.0.0.1:8443", "https://evil.test:8443/")
    assert served.run(["curl", "-sS", "-m", "10", *stranger], check=False).returncode in (35, 56)


def test_a_timeout_of_its_own_ends_what_is_silent_longer(served):
    answer = curl(served, "-i", "-H", "Accept: application/json", "http://small.test:8081/hang?5")
    assert answer.startswith("HTTP/1.1 504 ") and "X-Dusty-Saw: late" in answer and "within 2s" in answer
    talk = """
import socket
peer = socket.create_connection(("bytes.test", 7000), 10)
peer.sendall(b"GET /hang HTTP/1.1\\r\\n")
print(peer.recv(10))
"""
    assert served.run(["python3", "-c", talk]).stdout == "b''\n"


def test_what_is_larger_or_named_otherwise_than_a_server_expects_passes(served, tmp_path):
    for size in (5000, 200_000):
        headers = curl(served, "-si", f"{WEB}/header?{size}")
        assert headers.startswith("HTTP/1.1 200 ") and headers.count("Set-Cookie") == size // 1000
    assert "with_underscore: 1" in headers and "with.dot: 2" in headers
    (tmp_path / "config").write_text(f'url = "{WEB}/{"u" * 60_000}"\nheader = "Cookie: {"c" * 60_000}"\n')
    got = dict(json.loads(curl(served, "-K", str(tmp_path / "config"), "-H", "under_score: 1", "-H", "dot.ted: 2")))
    assert len(got["Cookie"]) == 60_000 and (got["under_score"], got["dot.ted"]) == ("1", "2")


def test_an_upload_may_be_as_large_as_its_forwarding_says(served):
    answer = curl(served, "-i", "-d", "x" * 2000, "http://small.test:8081/upload")
    assert answer.startswith("HTTP/1.1 413 ") and "max_upload" in answer and "1K" in answer
    assert json.loads(curl(served, "-d", "x" * 2000, f"{WEB}/upload"))[2] == 2000


def test_an_outer_proxy_is_believed_at_its_addresses_alone(served):
    said = [
        word
        for name, value in (("Proto", "https"), ("For", "9.9.9.9"), ("Host", "outer.test"), ("Port", "8443"))
        for word in ("-H", f"X-Forwarded-{name}: {value}", "-H", f"X_Forwarded_{name}: {value}")
    ]

    def forwarded(answer: str) -> dict[str, str]:
        return {name: value for name, value in json.loads(answer) if "forwarded" in name.lower()}

    believed = forwarded(curl(served, *said, WEB))
    assert (believed["X-Forwarded-Proto"], believed["X-Forwarded-Host"], believed["X-Forwarded-Port"]) == (
        "https",
        "outer.test",
        "8443",
    )
    assert believed["X-Forwarded-For"].startswith("9.9.9.9, ")
    # A container comes from an address that nobody named.
    inside = "import sys, urllib.request as r; print(r.urlopen(r.Request('http://web.test:8080', headers=dict(w.split(': ') for w in sys.argv[1:]))).read().decode())"
    stranger = forwarded(served.run(["docker", "exec", "dusty_web_1", "python3", "-c", inside, *said[1::2]]).stdout)
    assert (stranger["X-Forwarded-Proto"], stranger["X-Forwarded-Host"], stranger["X-Forwarded-Port"]) == (
        "http",
        "web.test:8080",
        "8080",
    )
    assert "9.9.9.9" not in stranger["X-Forwarded-For"] and len(stranger) == 4 == len(believed)


def test_an_answer_of_the_apps_own_is_passed_on_and_what_is_none_is_told(served):
    for status in (502, 504):
        assert served.get(f"{WEB}/status?{status}") == (status, f"its own {status}")
    for path, saw, words in (
        ("header?400000", "broken", "answered, but nginx cannot pass the response on"),
        ("close", "silent", "closed without an answer"),
    ):
        answer = curl(served, "-i", f"{WEB}/{path}")
        assert (
            answer.startswith("HTTP/1.1 502 ")
            and f"X-Dusty-Saw: {saw}" in answer
            and words in answer
            and 'http-equiv="refresh"' not in answer
        )
        as_json = json.loads(curl(served, "-H", "Accept: application/json, */*", f"{WEB}/{path}"))
        assert (as_json["app"], as_json["saw"]) == ("web", saw) and as_json["error"].startswith("web ")
    got = served.run(["docker", "logs", "dusty_web_1"]).stdout.splitlines()
    assert got.count("GET /close") == 2 and got.count("GET /header?400000") == 2


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:9999",
        "127.0.0.1",
        "127.0.0.53:8080",
        "[::1]:8080",
        "small.test",
        "SMALL.test:8080",
        "172.17.0.1",
        "dusty_dustyInternalNginx_1",
    ],
)
def test_this_machine_and_a_name_without_that_port_get_the_list_of_names(served, host):
    answer = curl(served, "-i", "-H", f"Host: {host}", "http://127.0.0.1:8080/")
    assert answer.startswith("HTTP/1.1 200 ") and "Cache-Control: no-store" in answer
    assert (
        '<a href="http://web.test:8080/">web.test:8080</a>' in answer and '<a href="http://small.test:8081/">' in answer
    )
    listed = json.loads(
        curl(served, "-H", f"Host: {host}", "-H", "Accept: application/json", "http://127.0.0.1:8080/x")
    )
    assert [(route["host_name"], route["port"], route["app"]) for route in listed["routes"]] == [
        ("web.test", 8080, "web"),
        ("small.test", 8081, "web"),
        ("calls.test", 9000, "web"),
        ("quiet.test", 9000, "web"),
        ("one.test", 8443, "web"),
        ("two.test", 8443, "web"),
        ("bytes.test", 7000, "web"),
    ]
    assert [route["host_name"] for route in listed["routes"] if "url" in route] == ["web.test", "small.test"]


@pytest.mark.parametrize(
    "host",
    [
        "evil.test",
        "web.test.evil.test",
        "localhost.evil.test",
        "xweb.test",
        "8.8.8.8",
        "127.0.0.1.evil.test",
        "web.test.localhost",
        "0",
    ],
)
def test_any_other_name_is_refused_without_a_word_about_the_stack(served, host):
    for path in ("/", "/events?1", "/.dusty/state", "/.dusty/web.json", "/.dusty/knock"):
        answer = curl(served, "-i", "-H", f"Host: {host}", f"http://127.0.0.1:8080{path}")
        assert (
            answer.startswith("HTTP/1.1 421 ")
            and "text/plain" in answer
            and "web" not in answer
            and "small" not in answer
        )


def test_the_list_is_there_for_containers_too_by_the_proxys_own_address_and_names(served):
    ask = "import urllib.request as r, socket; a = socket.gethostbyname('dustyInternalNginx'); print([len(r.urlopen(f'http://{n}:8080/').read()) for n in (a, 'dustyInternalNginx')])"
    shown = json.loads(served.run(["docker", "exec", "dusty_web_1", "python3", "-c", ask]).stdout)
    assert len(set(shown)) == 1 and shown[0] > 1000


@pytest.mark.long
def test_an_answer_and_a_word_of_a_socket_after_65_seconds_arrive(served):
    talk = """
import socket, time
peer = socket.create_connection(("web.test", 8080), 10)
peer.sendall(b"GET /socket HTTP/1.1\\r\\nHost: web.test:8080\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n")
peer.recv(1000)
time.sleep(65)
peer.sendall(b"still here")
print(peer.recv(1000).decode())
"""
    silent = subprocess.Popen(served.machine.argv(["python3", "-c", talk]), stdout=subprocess.PIPE, text=True)
    assert curl(served, "-m", "90", f"{WEB}/hang?65") == "late"
    assert silent.communicate()[0] == "still here\n"
