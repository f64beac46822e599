"""A new user's first hour with the example: on a machine with an engine, and on a bare one."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from bare import BareMachine
from machine import CLEAN_PATH
from terminal_screen import Screen, on_terminal

ROOT = Path(__file__).resolve().parents[2]

EXAMPLE = {"dusty_board_1", "dusty_quotes_1", "dusty_redis_1", "dusty_dustyInternalNginx_1"}
OPEN = "from urllib.request import urlopen; print(urlopen('http://board.example.test/', timeout=10).read().decode())"


BOARD = "http://board.example.test/"
NO_OP = "up to date: 0 changes"


SCREENS = ROOT / "tests/screens"
PULLED = ("pulled image ", "built image ")
"""What depends on the images that a machine has already."""
FIRST_RUN = ("linked ", "wrote ", "no config.yml yet")
"""What depends on the shell of a machine."""


def on_screen(rig, *words: str) -> Screen:
    """What a terminal of 80 columns and 24 lines holds after the command."""
    environment = {
        "DUSTY_HOME": str(rig.home),
        "PATH": CLEAN_PATH,
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "TERM": "xterm",
    }
    argv = rig.machine.argv([str(ROOT / "dusty"), *words])
    with on_terminal(argv, environment=environment) as program:
        program.read(seconds=300)
        assert program.process.wait(60) == 0, program.screen.text
        return program.screen


def shape(text: str) -> tuple[list[str], set[str]]:
    """The lines, broken ones whole again, in the order of the alphabet (what is done at once ends in any order), and all their causes.

    Times are left out, and what depends on the machine.
    """
    lines = re.sub(r"\n +", " ", text.strip()).splitlines()
    lines = [
        re.sub(r"\b[0-9a-f]{7}\b|\d+(\.\d+)? ?(s|m|changes)\b|, (engine|\d).*", "N", line)
        for line in lines
        if not line.startswith((*PULLED, *FIRST_RUN))
    ]
    lines = [re.sub(r"  +", "  ", line) for line in lines]
    causes = {cause for line in lines for cause in re.findall(r"\(([^)]*)\)", line)}
    return sorted(re.sub(r" +(\([^)]*\))?( +N)?$", "", line) for line in lines), causes


@pytest.fixture
def example(rig, standing):
    """The machine after the first `up`, on a terminal, with nothing configured before."""
    rig.first_screen = standing(lambda _folder: on_screen(rig, "up", "--yes"))
    return rig


def test_the_first_up_fits_a_screen_and_looks_as_it_is_recorded(example):
    screen = example.first_screen
    assert not screen.above and len(screen.lines) <= 24, screen.text
    assert shape(screen.text) == shape((SCREENS / "up_of_the_example/80.txt").read_text()), screen.text
    status = on_screen(example, "status")
    assert not status.above and len(status.lines) <= 24, status.text
    assert shape(status.text) == shape((SCREENS / "status_of_the_example/80.txt").read_text()), status.text


def test_the_first_up_takes_the_example_and_ends_with_its_urls(example):
    assert BOARD in example.first_screen.text
    assert set(example.container_ids()) == EXAMPLE
    assert "bundles:" in (example.home / "config.yml").read_text()
    status, page = example.get(BOARD)
    assert status == 200
    assert page.count("answered, quoting") == 2, "the board reaches quotes by its app name and by its host name"
    assert example.run(["bash", "-c", "cat </dev/tcp/quotes.example.test/1717"]).stdout.endswith(")\n")


def test_host_names_work_inside_containers(example):
    code = "import urllib.request as r; print(r.urlopen('http://quotes.example.test/').status)"
    assert example.run(["docker", "exec", "dusty_board_1", "python3", "-c", code]).stdout == "200\n"


def test_plain_tools_accept_the_artifacts(example):
    compose = ["docker", "compose", "-f", str(example.home / "build/docker-compose.yml")]
    assert "name: dusty" in example.run([*compose, "config"]).stdout
    nginx = ["docker", "exec", "dusty_dustyInternalNginx_1", "nginx", "-t", "-c", "/etc/nginx/conf.d/dustyNginx.conf"]
    assert "test is successful" in example.run(nginx).stderr


def test_a_second_up_changes_nothing_and_says_so_in_one_line(example):
    before, hosts = example.container_ids(), example.run(["cat", "/etc/hosts"]).stdout
    done = example.dusty("up", "--no-pull")
    assert done.stdout.startswith(NO_OP)
    _receipt, *urls = done.stdout.splitlines()
    assert sorted(line.split()[0] for line in urls) == ["board", "quotes"] and BOARD in done.stdout
    assert (example.container_ids(), example.run(["cat", "/etc/hosts"]).stdout) == (before, hosts)


def test_an_edit_restarts_only_the_app_that_it_belongs_to(example):
    before = example.container_ids()
    board_path = example.home / "example/repos/board/board.py"
    board_path.write_text(board_path.read_text().replace("Notice board", "Black board"))
    example.dusty("up", "--no-pull")
    after = example.container_ids()
    assert {name for name in EXAMPLE if before[name] != after[name]} == {"dusty_board_1"}
    assert before["dusty_board_1"].split()[0] == after["dusty_board_1"].split()[0], "restarted, not recreated"
    assert "Black board" in example.get(BOARD)[1]


def test_a_container_killed_by_hand_comes_back_alone(example):
    before = example.container_ids()
    example.run(["docker", "kill", "dusty_quotes_1"])
    example.dusty("up", "--no-pull")
    after = example.container_ids()
    assert {name for name in EXAMPLE if before[name] != after[name]} == {"dusty_quotes_1"}


def test_notices_outlive_the_containers(example):
    example.dusty("scripts", "board", "post", "Lunch at noon")
    example.dusty("stop", "--rm")
    assert example.container_ids(state="") == {}
    example.dusty("up", "--no-pull")
    assert "Lunch at noon" in example.get(BOARD)[1]


class NewUser:
    """Somebody in front of a bare machine with a fresh clone, `ada` or root."""

    def __init__(self, bare: BareMachine, name: str) -> None:
        self.bare, self.name = bare, name
        if name:
            bare.run(["chown", "-R", name, str(bare.clone)])

    def types(self, *argv: str, check: bool = True):
        return self.bare.run(
            argv, cwd=self.bare.clone, user=self.name, env=self.bare.pip_env(), check=check, timeout=600
        )

    def containers(self) -> set[str]:
        return set(self.bare.run(["docker", "ps", "--format", "{{.Names}}"]).stdout.split())


@pytest.fixture(params=[pytest.param("", marks=pytest.mark.long), "ada"], ids=["root", "sudo user"])
def user(request) -> Iterator[NewUser]:
    with BareMachine() as bare:
        yield NewUser(bare, request.param)


@pytest.mark.timeout(900)
def test_one_command_on_a_bare_machine(user):
    refused = user.types("./dusty", "up", check=False)
    assert refused.returncode == 1
    assert "apt-get install -y python3 python3-venv" in refused.stderr

    first = user.types("./dusty", "up", "--yes")
    assert BOARD in first.stdout + first.stderr
    assert user.containers() == EXAMPLE
    assert "by its host name, through the proxy" in user.types("python3", "-c", OPEN).stdout

    assert "noon" in user.types("./dusty", "shell", "board", "echo", "noon").stdout, (
        "in the session that `up` began without the group"
    )

    in_group = ["sg", "docker", "-c"] if user.name else ["sh", "-c"]
    assert NO_OP in user.types(*in_group, "./dusty up --no-pull").stdout
    assert NO_OP in user.types(*in_group, ". .venv/bin/activate && doit up --no-pull").stdout
