"""VM presets and commands: recorded command lines, no VM."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dusty_tasks.core.settings.model import HostSettings, Settings
from dusty_tasks.core.settings.vm_presets import PRESETS, creation, filled_in
from dusty_tasks.effects.docker_host import vm
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.docker_host.kinds import docker_host
from dusty_tasks.effects.docker_host.over_ssh import SshHost
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure, ToolFailed

RECORDER = """#!/usr/bin/env python3
import json, os, sys
name = os.path.basename(sys.argv[0])
with open(os.environ["RECORD"], "a") as file:
    file.write(json.dumps([name, *sys.argv[1:]]) + "\\n")
answers = json.loads(os.environ.get("ANSWERS", "{}"))
for words, (code, out) in answers.items():
    if words in " ".join([name, *sys.argv[1:]]):
        print(out)
        sys.exit(code)
"""


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Every VM tool is a program that notes its words; a function gives back what was called since."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("limactl", "colima", "multipass", "qemu-system-x86_64", "ssh"):
        (folder / name).write_text(RECORDER)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("RECORD", str(tmp_path / "record"))

    def calls() -> list[list[str]]:
        path = tmp_path / "record"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [json.loads(line) for line in lines]

    return calls


def host_of(tmp_path: Path, **keys) -> DockerHost:
    return docker_host(Settings(home=str(tmp_path / "home"), host=HostSettings(kind="ssh", root="/", **keys)))


def yes(_question: str) -> bool:
    return True


def silent(_text: str) -> None:
    pass


def test_a_preset_fills_in_what_is_not_set() -> None:
    host = filled_in(
        HostSettings(kind="ssh", preset="lima", memory=8, ncpu=3, stop=("mine", "{name}")), "/home/me/.dusty"
    )
    assert host.ssh == "lima-dusty"
    assert host.start == ("limactl", "start", "--tty=false", "dusty")
    assert host.stop == ("mine", "{name}")


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_makes_plain_words(name: str) -> None:
    host = HostSettings(kind="ssh", preset=name, memory=2.5, ncpu=3)
    full = filled_in(host, "/h")
    for argv in (full.start, full.stop, full.status, full.ssh_config, *creation(host, "/h")):
        assert all("{" not in word.replace("{{", "") or "{{" in word for word in argv)
    assert full.ssh and full.start and full.stop and full.status


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        (
            "lima",
            [
                "limactl",
                "create",
                "--tty=false",
                "--name=dusty",
                "--cpus=3",
                "--memory=8",
                "--disk=60",
                "template:docker-rootful",
            ],
        ),
        (
            "multipass",
            ["multipass", "launch", "docker", "--name", "dusty", "--cpus", "3", "--memory", "8192M", "--disk", "60G"],
        ),
    ],
)
def test_a_vm_that_is_not_there_is_made_after_asking(recorded, tmp_path, monkeypatch, name, wanted) -> None:
    preset = PRESETS[name]
    answers = {
        " ".join(filled_in(HostSettings(preset=name), "").status): [1, ""],
        " ".join(creation(HostSettings(preset=name), "")[0]): [1, ""],
        "SSHConfigFile": [0, "/dev/null"],
    }
    monkeypatch.setenv("ANSWERS", json.dumps(answers))
    asked = []
    vm.start(host_of(tmp_path, preset=name, memory=8, ncpu=3), silent, lambda question: not asked.append(question))
    calls = recorded()
    assert wanted in calls
    assert calls.index(wanted) < calls.index([word.format(name="dusty") for word in preset.start])
    assert len(asked) == 1 and "8 GiB and 3 CPUs" in asked[0]


def test_without_agreement_no_vm_is_made(recorded, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("ANSWERS", json.dumps({"limactl shell": [1, ""], "limactl list": [1, ""]}))
    with pytest.raises(Failure, match="you have not agreed"):
        vm.start(host_of(tmp_path, preset="lima"), silent, lambda question: False)
    assert [call[1] for call in recorded()] == ["shell", "list"]


def test_a_running_vm_is_not_started_again(recorded, tmp_path) -> None:
    vm.start(host_of(tmp_path, preset="colima"), silent, yes)
    assert [call[:2] for call in recorded()] == [["colima", "status"], ["colima", "ssh-config"]]


def test_the_printed_ssh_configuration_is_used_before_the_users_own(recorded, tmp_path, monkeypatch) -> None:
    printed = tmp_path / "ssh.config"
    printed.write_text("Host lima-dusty\n    Port 60022\n")
    monkeypatch.setenv("ANSWERS", json.dumps({"SSHConfigFile": [0, str(printed)]}))
    host = host_of(tmp_path, preset="lima")
    vm.start(host, silent, yes)
    recorded()
    host.run(["true"])
    (words,) = recorded()
    config = Path(words[words.index("-F") + 1]).read_text()
    assert config.index("Port 60022") < config.index("Include ~/.ssh/config")
    assert words[-3:-1] == ["--", "lima-dusty"] and words[-1].endswith("true")


def test_a_start_that_fails_shows_its_last_lines(recorded, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("ANSWERS", json.dumps({"colima status": [1, ""], "colima start": [3, "no disk space for a VM"]}))
    with pytest.raises(ToolFailed, match="no disk space for a VM"):
        vm.start(host_of(tmp_path, preset="colima"), silent, yes)


def test_stop_says_whether_there_is_something_to_stop(recorded, tmp_path, monkeypatch) -> None:
    assert vm.stop(host_of(tmp_path, ssh="dev@box"), silent) is False
    assert vm.stop(host_of(tmp_path, preset="colima"), silent) is True
    assert ["colima", "stop", "--profile", "dusty"] in recorded()
    monkeypatch.setenv("ANSWERS", json.dumps({"colima status": [1, ""]}))
    assert vm.stop(host_of(tmp_path, preset="colima"), silent) is False


def test_commands_of_the_user_are_run_without_a_shell(recorded, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("ANSWERS", json.dumps({"multipass up?": [1, ""]}))
    host = host_of(tmp_path, ssh="dev@box", start=("multipass", "go; rm -rf /", "$HOME"), status=("multipass", "up?"))
    vm.start(host, silent, yes)
    assert ["multipass", "go; rm -rf /", "$HOME"] in recorded()


def test_the_address_is_what_ssh_connects_to(recorded, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("ANSWERS", json.dumps({"-G": [0, "user dev\nhostname 192.168.64.2\nport 22"]}))
    assert host_of(tmp_path, ssh="dev@box").find_address() == "192.168.64.2"


def test_a_daemon_json_is_written_after_asking_and_the_engine_restarted(recorded, tmp_path, monkeypatch) -> None:
    ran = []

    class Host(SshHost):
        def run(self, argv, **options):
            ran.append((argv, options.get("input")))
            return process.Finished(0, '{"debug": false}' if argv[0] == "cat" else "", "")

    host = Host(Settings(home=str(tmp_path), host=HostSettings(kind="ssh", ssh="dev@box", daemon={"debug": True})))
    with pytest.raises(Failure, match=r"daemon\.json on dev@box differs"):
        vm.apply_daemon(host, silent, lambda question: False)
    assert len(ran) == 1
    assert vm.apply_daemon(host, silent, yes) is True
    (_cat, _), (write, text), (restart, _) = ran[1:]
    assert (
        json.loads(text) == {"debug": True} and "before-dusty-" in write[2] and "systemctl restart docker" in restart[2]
    )
    host = Host(Settings(home=str(tmp_path), host=HostSettings(kind="ssh", ssh="dev@box", daemon={"debug": False})))
    assert vm.apply_daemon(host, silent, yes) is False


def test_up_asks_for_the_daemon_json_only_after_the_setting_changed(recorded, tmp_path, monkeypatch) -> None:
    host = host_of(tmp_path, ssh="dev@box", daemon={"debug": True})
    assert vm.is_daemon_in_place(host) is False
    monkeypatch.setattr(SshHost, "run", lambda self, argv, **options: process.Finished(0, '{"debug": true}', ""))
    vm.apply_daemon(host, silent, yes)
    assert vm.is_daemon_in_place(host) is True
    assert vm.is_daemon_in_place(host_of(tmp_path, ssh="dev@box", daemon={"debug": False})) is False
    assert vm.is_daemon_in_place(host_of(tmp_path, ssh="dev@other", daemon={"debug": True})) is False


def test_a_power_off_over_ssh_may_cut_the_line(recorded, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("ANSWERS", json.dumps({"poweroff": [255, ""]}))
    host = host_of(tmp_path, ssh="root@box", stop=("ssh", "root@box", "poweroff"), status=("ssh", "root@box", "true"))
    assert vm.stop(host, silent) is True


def test_colima_leaves_the_docker_context_alone(recorded, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("ANSWERS", json.dumps({"colima status": [1, ""]}))
    vm.start(host_of(tmp_path, preset="colima", memory=2.5, ncpu=3, disk=70.5), silent, yes)
    (start,) = [call for call in recorded() if call[1] == "start"]
    assert start[start.index("--disk") + 1] == "71" and start[start.index("--memory") + 1] == "2.5"
    assert "--activate=false" in start


def test_a_shell_on_the_docker_host_is_a_login_shell_on_a_terminal(recorded, tmp_path, monkeypatch) -> None:
    program, *words = host_of(tmp_path, ssh="dev@box:2222").shell_words()
    assert os.path.basename(program) == "ssh" and words == ["-t", "--", "dev@box"]
    monkeypatch.setenv("SHELL", "/bin/dash")
    assert docker_host(Settings(home=str(tmp_path))).shell_words() == ["/bin/dash", "-l"]
