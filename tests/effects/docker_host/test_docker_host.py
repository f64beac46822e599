"""The Docker host's small interface: environment, targets, what is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from dusty_tasks.core.settings.model import HostSettings, Settings
from dusty_tasks.core.text.login_shell import command_for_any_shell, with_begin
from dusty_tasks.effects.docker_host import ssh
from dusty_tasks.effects.docker_host.engine_line import EngineDown
from dusty_tasks.effects.docker_host.host import DockerHost, Unreachable
from dusty_tasks.effects.docker_host.kinds import docker_host
from dusty_tasks.effects.doors.failures import Failure


@pytest.fixture(autouse=True)
def no_docker_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("DOCKER_", "DUSTY_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


def local(tmp_path: Path) -> DockerHost:
    return docker_host(Settings(home=str(tmp_path), host=HostSettings(root=f"{tmp_path}/host")))


def remote(home: Path, target: str = "dev@box:2222", **keys) -> DockerHost:
    return docker_host(Settings(home=str(home), host=HostSettings(kind="ssh", ssh=target, root="/", **keys)))


@pytest.fixture
def recorded_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An `ssh` on PATH that notes its words, and runs the command here when told to."""
    program = tmp_path / "bin/ssh"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\nfor word do printf "%s\\n" "$word"; done >"$RECORD"\nfor word do last=$word; done\n[ -z "$FAIL" ] || { echo "$FAIL" >&2; exit 255; }\n[ -z "$GREETING" ] || echo "$GREETING"\nexec sh -c "$last"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("RECORD", str(tmp_path / "record"))
    return lambda: (tmp_path / "record").read_text().splitlines()


def test_local_uses_the_engine_that_the_docker_client_uses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/user/1000/docker.sock")
    assert local(tmp_path).engine_environment()["DOCKER_HOST"] == "unix:///run/user/1000/docker.sock"
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:2375")
    assert local(tmp_path).engine_environment()["DOCKER_HOST"] == "tcp://127.0.0.1:2375"


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("ssh://dev@box", "dusty config set host.ssh dev@box"),
        ("ssh://dev@box:2222", "dusty config set host.ssh dev@box:2222"),
        ("tcp://192.168.64.2:2376", "dusty config set host.ssh 192.168.64.2"),
    ],
)
def test_an_engine_on_another_machine_is_refused_with_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, wanted: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    with pytest.raises(Failure, match=r"host\.kind is local") as raised:
        local(tmp_path).engine_environment()
    assert wanted in raised.value.hint and raised.value.code == 1


def test_a_docker_context_of_another_machine_is_refused_too(tmp_path: Path) -> None:
    meta = tmp_path / "docker/contexts/meta" / sha256(b"far").hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Endpoints": {"docker": {"Host": "ssh://dev@box"}}}))
    (tmp_path / "docker/config.json").write_text(json.dumps({"currentContext": "far"}))
    with pytest.raises(Failure, match="ssh://dev@box"):
        local(tmp_path).engine_environment()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DOCKER_HOST", "garbage", "is garbage, which is not the address of an engine"),
        ("DOCKER_HOST", "tcp://", "not the address of an engine"),
        ("DOCKER_CONTEXT", "nope", 'no docker context named "nope"'),
    ],
)
def test_an_engine_that_cannot_be_named_is_the_users_to_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    """And is not waited for, as an engine that is only down would be."""
    monkeypatch.setenv(name, value)
    with pytest.raises(Failure, match=said) as raised:
        local(tmp_path).engine_environment()
    assert raised.value.code == 1 and not isinstance(raised.value, EngineDown)


def test_ssh_gives_docker_and_rsync_our_ssh_first(
    tmp_path: Path, recorded_ssh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONTEXT", "another")
    env = remote(tmp_path).engine_environment()
    assert env["DOCKER_HOST"] == "ssh://dev@box:2222" and "DOCKER_CONTEXT" not in env
    subprocess.run(["ssh", "-l", "dev", "--", "box", "true"], env=env, check=True)
    words = recorded_ssh()
    assert words[:2] == ["-p", "2222"] and words[-5:] == ["-l", "dev", "--", "box", "true"]
    options = {word.partition("=")[0]: word.partition("=")[2] for word in words if "=" in word}
    assert options["BatchMode"] == "yes" and options["ControlMaster"] == "auto"
    assert "StrictHostKeyChecking" not in options, "host keys are checked as the user says"
    assert len(options["ControlPath"]) <= 90


def test_words_arrive_as_they_are(tmp_path: Path, recorded_ssh) -> None:
    host = remote(tmp_path)
    finished = host.run(["printf", "%s|", "it's", "a b", "$HOME", "`x`", 'q"q', "*"])
    assert finished.out == "it's|a b|$HOME|`x`|q\"q|*|"
    assert host.run_script('echo "$1-$2"; cat', "a b", "c", input="in").out == "a b-c\nin"
    assert host.round_trips == 2


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("Host key verification failed.", "host key is not known"),
        ("dev@box: Permission denied (publickey).", "ssh-add"),
        ("connect to host box port 2222: Connection refused", "dusty start"),
    ],
)
def test_what_ssh_says_comes_with_a_hint(
    tmp_path: Path, recorded_ssh, monkeypatch: pytest.MonkeyPatch, said: str, hint: str
) -> None:
    monkeypatch.setenv("FAIL", said)
    with pytest.raises(Unreachable) as raised:
        remote(tmp_path).run(["true"])
    assert said in raised.value.what and hint in raised.value.hint and raised.value.code == 2


def test_no_target_is_the_users_to_mend(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"host.ssh does not say which machine"):
        remote(tmp_path, "").run(["true"])


@pytest.fixture
def short(tmp_path: Path) -> Iterator[Path]:
    """A folder whose path leaves room for a socket."""
    with tempfile.TemporaryDirectory(prefix="d-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.mark.parametrize(
    "name", ["x" * 100, "it's", 'a "b"', "a\tb", "a b", "50%", "$HOME", "a\\b", os.fsdecode(b"caf\xe9"), "ü"]
)
def test_a_home_that_ssh_cannot_name_has_its_socket_in_a_private_folder(
    short: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The path of a socket has 107 characters, and ssh's configuration gives some a meaning."""
    (short / "run").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short / "run"))
    path = ssh.control_path(f"{short}/{name}", "dev@box")
    assert path.startswith(f"{short}/run/dusty-{os.getuid()}/") and len(path) <= ssh.LONGEST_SOCKET_PATH
    assert os.stat(os.path.dirname(path)).st_mode & 0o777 == 0o700
    assert ssh.control_path(f"{short}/plain", "dev@box").startswith(f"{short}/plain/state/ssh/")


@pytest.mark.parametrize("runtime", ["", "/nonexistent/run", "{short}/" + "r" * 80, "{short}/it's", "relative"])
def test_a_runtime_folder_that_is_of_no_use_is_not_used(
    short: Path, monkeypatch: pytest.MonkeyPatch, runtime: str
) -> None:
    folder = runtime.format(short=short)
    if folder.startswith(str(short)):
        os.makedirs(folder)
    monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
    assert ssh.control_path(f"{short}/{'x' * 100}", "dev@box").startswith(f"/tmp/dusty-{os.getuid()}/")


def test_a_private_folder_of_somebody_else_is_refused(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short))
    (short / "theirs").mkdir()
    (short / f"dusty-{os.getuid()}").symlink_to(short / "theirs")
    with pytest.raises(Failure, match="belongs to another user"):
        ssh.control_path(f"{short}/{'x' * 100}", "dev@box")


@pytest.mark.parametrize(
    ("target", "wanted"), [("box", "box:/p"), ("dev@box:22", "dev@box:/p"), ("dev@fe80::1:22", "dev@[fe80::1]:/p")]
)
def test_where_rsync_writes(tmp_path: Path, target: str, wanted: str) -> None:
    assert remote(tmp_path, target).rsync_destination("/p") == wanted


def test_a_home_with_blanks_and_quotes(tmp_path: Path, recorded_ssh) -> None:
    home = tmp_path / "my \"home's\t"
    remote(home).run(["true"])
    assert f"ControlPath={ssh.control_path(str(home), 'dev@box:2222')}" in recorded_ssh()


WORDS = [
    "it's",
    'q"q',
    "a b",
    "$HOME",
    "`x`",
    "*",
    "!!",
    "a\nb",
    "a\\b\\\\c",
    "~",
    "=ls",
    "é",
    os.fsdecode(b"\xff"),
    "%1",
    "-n",
    "\t",
]


@pytest.mark.parametrize("shell", ["sh", "bash", "dash", "csh", "tcsh", "zsh", "fish"])
def test_every_login_shell_takes_the_same_words(shell: str, tmp_path: Path) -> None:
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell}")
    script = "for word; do printf '%s\\0' \"$word\"; done\nprintf '%s' \"$(cat)\"; exit 7"
    for words in (WORDS, ["plain", "it's"]):
        command = with_begin(command_for_any_shell(["sh", "-c", script, "dusty", *words]))
        assert "\n" not in command and "!" not in command
        done = subprocess.run(
            [shell, "-c", command],
            input=b"in",
            capture_output=True,
            check=False,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        )
        assert (done.stdout, done.returncode) == (
            b"dusty: begin\n" + b"".join(os.fsencode(word) + b"\0" for word in words) + b"in",
            7,
        ), done.stderr


def test_what_a_login_shell_prints_by_itself_is_named(
    tmp_path: Path, recorded_ssh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREETING", "hi there\nmore")
    with pytest.raises(
        Failure, match=r"the login shell on dev@box prints something before each command, .*: hi there\n"
    ) as raised:
        remote(tmp_path).run(["true"])
    assert raised.value.code == 1 and "~/.bashrc" in raised.value.hint
