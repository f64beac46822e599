"""What is found on a machine: by PATH, by the plugin folders, by the engine's socket."""

import os
import socket

import pytest

from dusty_tasks.core.of_verbs import provision
from dusty_tasks.core.of_verbs.provision import Machine, Step
from dusty_tasks.effects.docker_host import engine_address
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import ToolFailed
from dusty_tasks.effects.machine import packages


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """PATH is one empty folder, and no plugin lies anywhere."""
    bin_path = tmp_path / "bin"
    bin_path.mkdir()
    for name in [name for name in os.environ if name.startswith("DOCKER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", str(bin_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(packages, "PLUGIN_FOLDERS", ())
    monkeypatch.setattr(packages, "SYSTEM_FOLDERS", ())
    monkeypatch.setattr(engine_address, "DEFAULT_SOCKET", str(tmp_path / "docker.sock"))
    monkeypatch.setattr(packages, "OWN_ADDRESSES", (f"unix://{tmp_path}/docker.sock",))
    return tmp_path


def program(bare, name: str, text: str = "#!/bin/sh\nexit 1\n") -> None:
    path = bare / "bin" / name
    path.write_text(text)
    path.chmod(0o755)


def listen(path) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    return server


def test_a_bare_machine_lacks_everything(bare):
    assert set(packages.read_missing()) == {
        provision.RSYNC,
        provision.GIT,
        provision.CLIENT,
        provision.COMPOSE,
        provision.ENGINE,
    }


def test_a_complete_machine_is_found_without_starting_a_process(bare, monkeypatch):
    for name in ("rsync", "git", "docker"):
        program(bare, name)
    plugin = bare / ".docker/cli-plugins/docker-compose"
    plugin.parent.mkdir(parents=True)
    plugin.write_text("")
    plugin.chmod(0o755)
    monkeypatch.setattr(process, "run", lambda *_, **__: pytest.fail("a process was started"))
    with listen(bare / "docker.sock"):
        assert packages.read_missing() == []


def test_an_engine_that_is_installed_is_stopped_not_missing(bare):
    program(bare, "dockerd")
    assert provision.STOPPED in packages.read_missing()


def test_a_socket_file_that_nobody_serves_is_a_stopped_engine(bare):
    program(bare, "dockerd")
    listen(bare / "docker.sock").close()
    assert packages.read_engine_trouble(packages.engine_address(os.environ)) == provision.STOPPED


def test_an_engine_that_docker_host_names_is_not_ours_to_start(bare, monkeypatch):
    program(bare, "dockerd")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    assert provision.AWAY in packages.read_missing()


def test_another_machines_engine_is_not_asked_for(bare):
    assert provision.ENGINE not in packages.read_missing(engine_here=False)


def test_compose_is_asked_of_docker_where_no_plugin_folder_has_it(bare):
    program(bare, "docker", '#!/bin/sh\n[ "$*" = "compose version" ]\n')
    assert packages.has_compose()
    program(bare, "docker", "#!/bin/sh\nexit 1\n")
    assert not packages.has_compose()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ID=debian\nVERSION_CODENAME=bookworm\n", ("debian", "bookworm")),
        ("ID=\"ubuntu\"\nVERSION_CODENAME='noble'\n", ("ubuntu", "noble")),
        ("ID=fedora\n", ("fedora", "")),
        ("", ("unknown", "")),
    ],
)
def test_the_distribution(tmp_path, monkeypatch, text, wanted):
    monkeypatch.setattr(packages.platform, "system", lambda: "Linux")
    (tmp_path / "os-release").write_text(text)
    assert packages.read_distribution(str(tmp_path / "os-release")) == wanted


def test_a_step_stops_at_its_first_failing_line(tmp_path):
    step = Step("", (f"echo one >{tmp_path}/one; echo said", "echo lost it >&2; exit 3", f"touch {tmp_path}/never"))
    seen: list[str] = []
    with pytest.raises(ToolFailed) as failure:
        packages.run_step(step, Machine("debian"), seen.append)
    assert "lost it" in str(failure.value)
    assert seen == ["said", "lost it"]
    assert not (tmp_path / "never").exists()


def test_a_background_line_does_not_hold_the_run_up(tmp_path):
    step = Step("", (f"setsid sleep 30 </dev/null >>{tmp_path}/log 2>&1 & echo $! >{tmp_path}/pid",))
    packages.run_step(step, Machine("debian"), print)
    os.kill(int((tmp_path / "pid").read_text()), 9)


def test_root_steps_of_a_user_go_through_sudo_that_asks_nothing(bare):
    log = bare / "log"
    program(bare, "sudo", f'#!/bin/sh\necho "$*" >{log}\n')
    packages.run_step(Step("", ("apt-get update",), needs_root=True), Machine("debian", is_root=False), print)
    assert log.read_text() == "-n sh -c apt-get update\n"
