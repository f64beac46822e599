"""What the proxy's pages tell of apps that do not answer, from state files that verbs leave; and which hop fails, by `up` and `doctor`."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from stacks import PORT, SERVE, SmallStack

from dusty_tasks.effects.engine.images import PYTHON_IMAGE

WEB = f"http://web.test:{PORT}/"
QUICK = "up: {wait: 4}\n"


@pytest.fixture
def stack(rig, tmp_path):
    return SmallStack(tmp_path, rig.home, config=QUICK)


def page(rig, url: str = WEB) -> tuple[str, dict]:
    """The waiting page, and the same as JSON."""
    answer = rig.run(["curl", "-sSi", "-m", "10", url]).stdout
    return answer, json.loads(rig.run(["curl", "-sS", "-m", "10", "-H", "Accept: application/json", url]).stdout)


def browse(rig, url: str, tmp_path: Path, *words: str, budget: int = 600_000) -> str:
    """The page that a browser ends with, its clock running ahead while nothing is under way."""
    return rig.run(
        [
            "chromium",
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path}/profile",
            "--hide-scrollbars",
            f"--virtual-time-budget={budget}",
            "--dump-dom",
            *words,
            url,
        ]
    ).stdout


def test_the_page_tells_apart_why_an_app_does_not_answer(rig, stack, tmp_path):
    stack.app("gone", always="echo 'boom <b>&'; exit 3")
    stack.app("deaf", always="exec httpd -f -p 9999 -h /code")
    stack.bundle("shop", apps="[web, gone, deaf]")
    assert rig.dusty("up", check=False).returncode == 2
    rig.dusty("stop", "web")
    told = {}
    for name, words in (
        (
            "web",
            [
                "web was stopped by hand",
                "dusty up starts it",
                "Nothing accepts connections on its port 80",
                'http-equiv="refresh"',
            ],
        ),
        ("gone", ["gone exited with status 3", "boom &lt;b&gt;&amp;", 'http-equiv="refresh"']),
        ("deaf", ["nothing listens on 80; the container listens on 9999", "closed without an answer"]),
    ):
        for _ in range(10):
            answer, told[name] = page(rig, f"http://{name}.test:{PORT}/")
            # The engine's forwarder takes a connection and drops it: that may come before nginx knows that it was taken.
            if name != "deaf" or (told[name]["saw"] == "silent" and "closed without an answer" in answer):
                break
        assert answer.startswith("HTTP/1.1 502 ") and "boom <b>" not in answer
        for word in (*words, f"{name} is not answering yet", "dusty stop saw it at ", " UTC"):
            assert word in answer, (name, word)
    assert [
        (name, json["saw"], json["state"]["state"], json["state"]["is_down"]) for name, json in sorted(told.items())
    ] == [
        ("deaf", "silent", "not answering", True),
        ("gone", "refused", "failed", True),
        ("web", "refused", "stopped", True),
    ]
    assert told["gone"]["state"]["lines"] == ["boom <b>&"] and told["gone"]["state"]["by"] == "dusty stop"
    shown = browse(rig, f"http://gone.test:{PORT}/", tmp_path, budget=500)
    assert re.search(r"UTC</time><span>, \d+ seconds? ago|UTC</time><span>, just now", shown)
    listed = browse(rig, f"http://localhost:{PORT}/", tmp_path, budget=500)
    assert (
        re.search(r"web: stopped at .*gone|gone: failed \(exited 3\) at .*web: stopped at ", listed, re.S)
        and "deaf: not answering at " in listed
    )


def test_a_page_opened_while_the_app_starts_gives_way_to_it_by_itself(rig, stack, tmp_path):
    slow = f"if [ -e slow ]; then sleep 6; fi; {SERVE}"
    stack.app("web", always=slow, services="[cache]")
    (rig.home / "config.yml").write_text(stack.config.replace("wait: 4", "wait: 30"))
    rig.dusty("up")
    stack.code("web", "slow", "")
    running = subprocess.Popen(
        rig.machine.argv([str(Path(__file__).parents[2] / "dusty"), "up"]),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={"DUSTY_HOME": str(rig.home), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "DUSTY_TEST": "1"},
    )
    try:
        for line in running.stdout:
            if line.startswith("synced web"):
                break
        told = {}
        while told.get("state", {}).get("state") != "starting":
            _, told = page(rig) if rig.get(WEB)[0] != 200 else ("", {})
            assert running.poll() is None
        assert told["saw"] in ("silent", "refused") and told["state"]["what"] == "web is being started."
        assert browse(rig, WEB, tmp_path, budget=3_000_000).count("hello from web") == 1
    finally:
        running.communicate(timeout=60)
    assert running.returncode == 0


def test_a_request_that_may_have_reached_an_app_is_not_sent_again(rig, stack, tmp_path):
    stack.code("web", "app.py", Path(__file__).with_name("proxied_app.py").read_text())
    stack.app("web", image=PYTHON_IMAGE, always="exec python3 app.py 80", services="[cache]")
    rig.dusty("up")
    got = rig.run(["docker", "logs", "dusty_web_1"]).stdout.splitlines()
    assert got == ["GET /"], "the probe of `up` asks once"
    for path, words in (
        ("close", "not repeated automatically"),
        ("header?400000", "not repeated automatically"),
        ("status?502", "its own 502"),
    ):
        assert words in browse(rig, f"{WEB}{path}", tmp_path, budget=60_000)
        got = [line for line in rig.run(["docker", "logs", "dusty_web_1"]).stdout.splitlines() if "favicon" not in line]
        assert got.count(f"GET /{path}") == 1, got
    assert got.count("HEAD /") <= 1


def test_a_firewall_is_named_with_the_hop_that_fails_and_both_ways_out(rig, stack):
    rig.dusty("up")
    rules = [
        "-A INPUT -i lo -j ACCEPT",
        "-A INPUT -m state --state ESTABLISHED -j ACCEPT",
        "-A INPUT -p tcp --dport 22 -j ACCEPT",
        "-A INPUT -p tcp --dport 80 -j ACCEPT",
        "-P INPUT DROP",
    ]
    rig.run(["sh", "-ec", "\n".join(f"iptables {rule}" for rule in rules)])
    try:
        answer, told = page(rig)
        assert (
            answer.startswith("HTTP/1.1 504 ")
            and told["saw"] == "unreachable"
            and 'http-equiv="refresh"' not in answer
            and "firewall" in answer
        )
        ended = rig.dusty("doctor", check=False)
        assert (
            ended.returncode == 1
            and "route (bridge)" in ended.stdout
            and "listens on 80 in its container" in ended.stdout
        )
        rule = re.search(r"sudo (iptables -I INPUT .*ACCEPT)", ended.stdout)[1]
        stack.code("web", "index.html", "new\n")
        (rig.home / "config.yml").write_text(stack.config.replace("wait: 4", "wait: 40"))
        failed = rig.dusty("up", check=False)
        assert (
            failed.returncode == 1
            and "a firewall on the Docker host drops it" in failed.stderr
            and rule in failed.stderr
            and "routing network" in failed.stderr
        )
        seconds = float(re.search(r"([\d.]+) s$", failed.stdout.strip())[1])
        assert seconds < 30, "a firewall is not waited for"
        rig.run(["sh", "-c", rule])
        assert rig.get(WEB) == (200, "new\n")
        rig.run(["sh", "-c", rule.replace("-I", "-D")])
        rig.dusty("config", "set", "routing", "network")
        assert rig.dusty("up").returncode == 0 and rig.get(WEB) == (200, "new\n")
    finally:
        rig.run(["sh", "-c", "iptables -P INPUT ACCEPT; iptables -F INPUT"])


def test_a_name_that_leads_elsewhere_is_not_said_to_answer(rig, stack):
    rig.run(["sh", "-c", "echo 10.0.0.5 web.test >> /etc/hosts"])
    done = rig.dusty("up", check=False)
    assert "web answers through the proxy; web.test resolves to 10.0.0.5 here, not to 127.0.0.1" in done.stderr


def test_up_and_doctor_say_what_nginx_saw_of_an_app_that_does_answer(rig, stack):
    stack.code("web", "app.py", Path(__file__).with_name("proxied_app.py").read_text())
    for behaviour, word, code, said in (
        ("status", "502", 0, "answers at http://web.test:8080/ with its own status 502"),
        ("header", "400000", 1, "nginx cannot pass the answer on: its header is longer than 256 KB"),
        ("close", "", 1, "accepts connections, then closes them without an answer"),
    ):
        stack.app("web", image=PYTHON_IMAGE, always=f"exec python3 app.py 80 {behaviour} {word}", services="[cache]")
        done = rig.dusty("up", check=False)
        assert (done.returncode, said in done.stderr) == (code, True), done.stderr
        ended = rig.dusty("doctor", check=False).stdout
        assert said in ended and "is not answering yet" not in done.stderr + ended
        stack.code(
            "web",
            "app.py",
            (stack.folder / "code/web/app.py")
            .read_text()
            .replace(f'("{word}")\n\n    do_HEAD', "(word)\n\n    do_HEAD"),
        )
