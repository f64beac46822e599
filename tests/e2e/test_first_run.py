"""A new user's first hour: one command on a bare Debian machine, as root and as somebody with sudo."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "rig"))

from bare import BareMachine

EXAMPLE = {"dusty_board_1", "dusty_quotes_1", "dusty_redis_1", "dusty_dustyInternalNginx_1"}
OPEN = "from urllib.request import urlopen; print(urlopen('http://board.example.test/', timeout=10).read().decode())"


class NewUser:
    """Somebody in front of a bare machine with a fresh clone, `ada` or root."""

    def __init__(self, bare: BareMachine, name: str) -> None:
        self.bare, self.name = bare, name
        if name:
            bare.run(["chown", "-R", name, str(bare.clone)])

    def types(self, *argv: str, check: bool = True):
        return self.bare.run(argv, cwd=self.bare.clone, user=self.name, env=self.bare.pip_env(), check=check, timeout=600)

    def containers(self) -> set[str]:
        return set(self.bare.run(["docker", "ps", "--format", "{{.Names}}"]).stdout.split())


@pytest.fixture(params=["", "ada"], ids=["root", "sudo user"])
def user(request) -> Iterator[NewUser]:
    with BareMachine() as bare:
        yield NewUser(bare, request.param)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_one_command_on_a_bare_machine(user):
    refused = user.types("./dusty", "up", check=False)
    assert refused.returncode == 1
    assert "apt-get install -y python3 python3-venv" in refused.stderr

    first = user.types("./dusty", "up", "--yes")
    assert "http://board.example.test/" in first.stdout + first.stderr
    assert user.containers() == EXAMPLE
    assert "by its host name, through the proxy" in user.types("python3", "-c", OPEN).stdout

    in_group = ["sg", "docker", "-c"] if user.name else ["sh", "-c"]
    assert "up to date: 0 changes" in user.types(*in_group, "./dusty up --no-pull").stdout
    assert "up to date: 0 changes" in user.types(*in_group, ". .venv/bin/activate && doit up --no-pull").stdout
