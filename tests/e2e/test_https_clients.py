"""Who believes the proxy: curl, Python's requests, Node's fetch, Java's HttpClient and Chromium, here and in a real Debian container."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import images as rig_images
import pytest
from browser import browser
from conftest import Rig, load_images
from machine import CACHE
from stacks import SmallStack
from test_consent import Person

from dusty_tasks.effects.engine.images import PYTHON_IMAGE

pytestmark = pytest.mark.long

URL = "https://web.test/"
JAVA = """
import java.net.URI;
import java.net.http.*;

class Ask {
    public static void main(String[] words) throws Exception {
        var asked = HttpRequest.newBuilder(URI.create(words[0])).build();
        System.out.print(HttpClient.newHttpClient().send(asked, HttpResponse.BodyHandlers.discarding()).statusCode());
    }
}
"""
FETCH = "fetch(process.argv[1]).then(a => process.stdout.write(`${a.status}`), e => {console.error(e.cause); process.exit(1)})"
CLIENTS = {
    "curl": ["curl", "-sS", "-m", "20", "-o", "/dev/null", "-w", "%{http_code}", URL],
    "requests": [
        "PYTHON",
        "-c",
        "import requests, sys; print(requests.get(sys.argv[1], timeout=20).status_code, end='')",
        URL,
    ],
    "node": ["node", "-e", FETCH, URL],
    "java": ["java", "ASK", URL],
}
IMAGE = "clients:1"


@pytest.fixture(scope="module")
def served(machine, tmp_path_factory):
    """A stack over https, with a container of a whole Debian that has all of these clients."""
    folder = tmp_path_factory.mktemp("clients")
    rig = Rig(machine, folder / "dusty")
    rig.reset()
    machine.load_image(rig_images.debian_archive(CACHE, rig_images.CLIENTS), IMAGE)
    stack = SmallStack(folder, rig.home, config="https: only\nrouting: network\n")
    stack.code("web", "app.py", Path(__file__).with_name("proxied_app.py").read_text())
    stack.code("asker", "Ask.java", JAVA)
    stack.spec(
        "apps/web.yml",
        f"repo: {folder}/code/web\nmount: /code\nimage: {PYTHON_IMAGE}\n"
        "commands: {always: [exec python3 app.py 8000]}\n"
        "host_forwarding: [{host_name: web.test, host_port: 80, container_port: 8000}]\n",
    )
    stack.spec(
        "apps/asker.yml",
        f"repo: {folder}/code/asker\nmount: /code\nimage: {IMAGE}\ncommands: {{always: [exec sleep 100000]}}\n",
    )
    stack.bundle("shop", apps="[web, asker]")
    rig.dusty("up")
    yield rig, folder
    rig.dusty("trust", "uninstall", "--yes", check=False)
    rig.reset()


def words(client: str, python: str, ask: str) -> list[str]:
    return [{"PYTHON": python, "ASK": ask}.get(word, word) for word in CLIENTS[client]]


def test_every_client_in_a_debian_container_verifies_and_only_because_of_the_authority(served):
    rig, _ = served

    def asked(client: str, *options: str) -> subprocess.CompletedProcess[str]:
        argv = words(client, "python3", "/code/Ask.java")
        return rig.run(["docker", "exec", *options, "dusty_asker_1", *argv], check=False)

    assert {client: asked(client).stdout for client in CLIENTS} == dict.fromkeys(CLIENTS, "200")
    inside = ["docker", "exec", "dusty_asker_1"]
    assert rig.run([*inside, "cat", "/.dusty/believed"]).stdout.split("\n")[1] == "update-ca-certificates java"
    pem = (rig.home / "https/ca.pem").read_text().strip()
    assert pem in rig.run([*inside, "cat", "/etc/ssl/certs/ca-certificates.crt"]).stdout
    # Without the variables, Debian's programs verify by its stores; without either, none does.
    variables = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
    unset = [word for name in variables for word in ("-e", f"{name}=")]
    assert {client: asked(client, *unset).stdout for client in CLIENTS} == dict.fromkeys(CLIENTS, "200")
    nowhere = [word for name in variables for word in ("-e", f"{name}=/etc/hostname")]
    assert [asked(client, *nowhere).stdout for client in ("curl", "requests")] == ["000", ""]


def test_every_client_here_verifies_after_trust_install_and_none_before_or_after_uninstall(served):
    rig, folder = served
    home = folder / "user"
    nss = home / ".pki/nssdb"
    nss.mkdir(parents=True)
    rig.run(["certutil", "-N", "-d", f"sql:{nss}", "--empty-password"])
    env = {"HOME": str(home)}
    hints = {
        "REQUESTS_CA_BUNDLE": "/etc/ssl/certs/ca-certificates.crt",
        "NODE_EXTRA_CA_CERTS": str(rig.home / "https/ca.pem"),
    }

    def asked(**more: str) -> dict[str, str]:
        found = {}
        for client in CLIENTS:
            argv = words(client, sys.executable, f"{folder}/code/asker/Ask.java")
            found[client] = rig.run(argv, env={**env, **more}, check=False).stdout
        return found

    def shown(name: str) -> tuple[str, str]:
        """Title and text of the page in Chromium, whose picture is kept."""
        with browser(tuple(rig.machine.argv(["env", f"HOME={home}"]))) as page:
            page.open("about:blank")
            page.call("Page.navigate", url=URL + "status?200")
            page.wait("document.readyState === 'complete' && location.href !== 'about:blank'")
            (folder / f"{name}.png").write_bytes(
                base64.b64decode(page.call("Page.captureScreenshot", format="png")["data"])
            )
            return page.value("document.title"), page.value("document.body.innerText")

    assert not any(text.startswith("2") for text in asked().values())
    assert shown("warned")[0] == "Privacy error"
    rig.dusty("trust", "install", "--yes", env=env)
    stores = json.loads(rig.dusty("trust", "status", "--json", env=env).stdout)["stores"]
    assert {store["name"].partition(":")[0]: store["state"] for store in stores} == dict.fromkeys(
        ("system", "java", "browsers"), "trusted"
    )
    assert asked(**hints) == dict.fromkeys(CLIENTS, "200")
    assert shown("trusted") == ("", "its own 200")
    rig.dusty("trust", "uninstall", "--yes", env=env)
    assert not any(text.startswith("2") for text in asked().values()), "Debian's hooks had copied it, for Java"
    assert shown("again")[0] == "Privacy error"


COUNTING = """
echo 'dev ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/dev
printf '#!/bin/sh\\necho "$*" >>/run/sudo.calls\\nexec /usr/bin/sudo "$@"\\n' >/usr/local/bin/sudo
chmod 755 /usr/local/bin/sudo
: >/run/sudo.calls
chmod 666 /run/sudo.calls
"""


def test_names_and_trust_take_one_sudo_and_localhost_names_none(rig, tmp_path):
    stack = SmallStack(tmp_path, rig.home, config="https: on\nrouting: network\n", is_agreed=False)
    dev = Person(rig, stack, "dev")
    rig.run(["sh", "-ec", COUNTING])

    def calls() -> list[str]:
        return rig.run(["cat", "/run/sudo.calls"]).stdout.splitlines()

    def answers(name: str, *options: str) -> str:
        return rig.run(["curl", "-sS", "-m", "20", *options, f"https://{name}/"], check=False).stdout

    try:
        for words in (["trust", "install", "--yes"], ["up", "--yes"]):
            done = dev.runs(*words)
            assert done.returncode == 0, done
        assert len(calls()) == 1 and answers("web.test") == "hello from web\n", calls()
        assert "127.0.0.1 web.test" in dev.file("/etc/hosts")
        assert dev.runs("uninstall", "--yes").returncode == 0 and "web.test" not in dev.file("/etc/hosts")
        assert answers("web.test", "--resolve", "web.test:443:127.0.0.1") == ""

        load_images(rig.machine)  # `uninstall` removes stand-ins.
        rig.run(["sh", "-c", ": >/run/sudo.calls"])
        assert dev.runs("config", "set", "hosts.mode", "localhost").returncode == 0
        for words in (["up", "--yes"], ["trust", "install", "--user", "--yes"], ["up", "--yes"]):
            done = dev.runs(*words)
            assert done.returncode == 0, done
        assert calls() == []
        authority = ("--cacert", f"{dev.home}/https/ca.pem")
        for version in ("-4", "-6"):
            assert answers("web.test.localhost", version, *authority) == "hello from web\n"
    finally:
        dev.runs("trust", "uninstall", "--yes")
        rig.run(["rm", "-f", "/etc/sudoers.d/dev", "/usr/local/bin/sudo"])
