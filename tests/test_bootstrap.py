"""The making of .venv: real venvs and a real pip, with requirements that need no network."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dusty_tasks import bootstrap

SCRIPT = Path(bootstrap.__file__)


@pytest.fixture
def checkout(tmp_path) -> Path:
    (tmp_path / "dusty_tasks").mkdir()
    (tmp_path / "dusty_tasks/bootstrap.py").write_bytes(SCRIPT.read_bytes())
    (tmp_path / "dusty_tasks/__init__.py").touch()
    (tmp_path / "requirements.txt").write_text("--no-index\n")
    return tmp_path


def start(checkout: Path) -> subprocess.Popen:
    argv = [sys.executable, "-I", checkout / "dusty_tasks/bootstrap.py", "requirements.txt"]
    return subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen) -> tuple[int, str]:
    _, said = process.communicate(timeout=60)
    return process.returncode, said


def test_two_first_starts_at_once_make_one_venv_and_later_ones_have_nothing_to_do(checkout):
    (code, said), (other_code, other_said) = map(finish, [start(checkout), start(checkout)])
    assert (code, other_code) == (0, 0), said + other_said
    assert (said + other_said).count("is ready") == 1
    assert finish(start(checkout)) == (0, "")
    found = [checkout / ".venv/bin/python", "-P", "-c", "import dusty_tasks; print(dusty_tasks.__file__)"]
    assert (
        subprocess.run(found, capture_output=True, text=True, cwd="/", check=True).stdout.strip()
        == f"{checkout}/dusty_tasks/__init__.py"
    )


def test_a_killed_start_and_a_failed_install_are_done_again(checkout):
    killed = start(checkout)
    while not (checkout / ".venv/bin/python").exists():
        assert killed.poll() is None
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    finish(killed)
    (checkout / "requirements.txt").write_text("--no-index\nno-such-package==1\n")
    code, said = finish(start(checkout))
    assert code == 2
    assert "no-such-package" in said
    assert not (checkout / ".venv/requirements.txt").exists(), "what was not installed is not recorded"
    (checkout / "requirements.txt").write_text("--no-index\n")
    assert finish(start(checkout))[0] == 0


def test_a_venv_whose_python_went_away_is_made_anew(checkout, monkeypatch):
    made = []
    monkeypatch.setattr(bootstrap, "make_venv", made.append)
    monkeypatch.setattr(bootstrap, "link_package", lambda venv_path: None)
    monkeypatch.setattr(bootstrap, "install", lambda venv_path, requirements: 0)
    python = checkout / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    os.symlink("/usr/bin/python3.0", python)
    (checkout / ".venv/requirements.txt").write_text("--no-index\n")
    assert bootstrap.main(["requirements.txt"], checkout) == 0
    assert made == [checkout / ".venv"]
