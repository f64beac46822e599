"""./dusty, the launcher: a copy of it beside a stub .venv and stub programs, so nothing is installed."""

import os
import pty
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NO_VENV = "#!/bin/sh\ncase $2 in *ensurepip*) exit 1 ;; esac\nexec /bin/true\n"
RECORDING = '#!/bin/sh\nprintf "%s|" "${0##*/}" "$@"\n'


class Checkout:
    """A folder with ./dusty in it, and a bin/ that is all there is on PATH but for the shell's own helpers."""

    def __init__(self, path: Path) -> None:
        self.path, self.bin = path / "check out", path / "bin"
        for folder in (self.path / "dusty_tasks", self.path / ".venv/bin", self.bin):
            folder.mkdir(parents=True)
        shutil.copy(ROOT / "dusty", self.path)
        shutil.copy(ROOT / "dusty_tasks/bootstrap.py", self.path / "dusty_tasks")
        for name in ("requirements.txt", ".venv/requirements.txt"):
            (self.path / name).write_text("doit\n")
        self.program(".venv/bin/python", '#!/bin/sh\necho "cwd $PWD"\nprintf "%s\\n" "$@"\ncat\n')
        for name in ("readlink", "cmp", "id", "find", "dirname", "mktemp", "tail", "rm", "cat", "env"):
            (self.bin / name).symlink_to(shutil.which(name))

    def program(self, name: str, text: str) -> Path:
        """A stub program: in the checkout if `name` is a path, else on PATH."""
        path = self.path / name if "/" in name else self.bin / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def run(self, *words: str, script: Path | None = None, **named) -> subprocess.CompletedProcess:
        env = {"PATH": str(self.bin), "HOME": str(self.path.parent), **named.pop("env", {})}
        named = {"input": "", **named} if "stdin" not in named else named
        return subprocess.run(
            ["/bin/sh", str(script or self.path / "dusty"), *words],
            env=env,
            text=True,
            capture_output=True,
            timeout=20,
            check=False,
            **named,
        )


@pytest.fixture
def checkout(tmp_path) -> Checkout:
    return Checkout(tmp_path)


@pytest.fixture
def without_venv(checkout) -> Checkout:
    shutil.rmtree(checkout.path / ".venv")
    checkout.program("python3", NO_VENV)
    return checkout


def test_words_stdin_and_folder_of_the_caller_reach_the_program(checkout, tmp_path):
    done = checkout.run("scripts", "web", "a b", "", "*", cwd=tmp_path, input="typed")
    assert done.stdout == f"cwd {tmp_path}\n-X\nutf8\n-P\n-m\ndusty_tasks\nscripts\nweb\na b\n\n*\ntyped"
    assert done.stderr == ""


def test_works_through_links_to_links(checkout, tmp_path):
    (tmp_path / "near").symlink_to(checkout.path / "dusty")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/far").symlink_to("../near")
    assert "dusty_tasks\nversion\n" in checkout.run("version", script=tmp_path / "sub/far").stdout


def test_works_with_stdin_closed(checkout):
    command = f"exec /bin/sh '{checkout.path}/dusty' up <&-"
    done = subprocess.run(
        ["/bin/sh", "-c", command], env={"PATH": str(checkout.bin)}, capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("dusty_tasks\nup\n")
    assert done.stderr == ""


def test_changed_requirements_are_installed_before_anything_runs(checkout):
    checkout.program("python3", RECORDING.replace("printf", "case $1 in -c) exit 0;; esac\nprintf"))
    (checkout.path / "requirements.txt").write_text("doit\nrich\n")
    out = checkout.run("up").stdout
    assert out.startswith(f"python3|-I|{checkout.path}/dusty_tasks/bootstrap.py|requirements.txt|")
    assert out.index("bootstrap") < out.index("dusty_tasks\nup\n")


def test_a_failed_install_ends_the_run_with_its_code(checkout):
    checkout.program("python3", "#!/bin/sh\ncase $1 in -c) exit 0;; esac\nexit 2\n")
    (checkout.path / "requirements.txt").write_text("other\n")
    assert (checkout.run("up").returncode, checkout.run("up").stdout) == (2, "")


def test_missing_venv_module_is_refused_with_the_command(without_venv):
    without_venv.program("apt-get", RECORDING)
    without_venv.program("sudo", RECORDING)
    done = without_venv.run("up")
    assert done.returncode == 1
    assert "apt-get install -y python3-venv" in done.stderr
    assert done.stdout == "", "apt-get must not run unasked"


def test_yes_installs_it(without_venv):
    """The stub apt-get brings a python3 that has venv, as the real one does."""
    without_venv.program("python4", "#!/bin/sh\nexit 0\n")
    log = without_venv.path / "apt.log"
    without_venv.program(
        "apt-get",
        f'#!/bin/sh\necho "$*" >>"{log}"\n[ "$1" = update ] || echo "#!/bin/sh" >"{without_venv.bin}/python3"\n',
    )
    without_venv.program("sudo", '#!/bin/sh\n[ "$1" = -n ] && shift\nexec "$@"\n')
    without_venv.run("up", "--yes")
    assert log.read_text() == "update\ninstall -y --no-install-recommends python3-venv\n"


def test_yes_after_two_dashes_is_a_word_of_somebody_else(without_venv):
    without_venv.program("apt-get", RECORDING)
    without_venv.program("sudo", RECORDING)
    assert without_venv.run("shell", "web", "--", "--yes").returncode == 1


@pytest.mark.parametrize(("answer", "installs"), [(b"y\n", True), (b"\n", False), (b"n\n", False), (b"\x04", False)])
def test_a_terminal_is_asked(without_venv, answer, installs):
    log = without_venv.path / "apt.log"
    without_venv.program("apt-get", f'#!/bin/sh\necho "$*" >>"{log}"\n')
    without_venv.program("sudo", '#!/bin/sh\n[ "$1" = -n ] && shift\nexec "$@"\n')
    leader, follower = pty.openpty()
    os.write(leader, answer)
    process = subprocess.Popen(
        ["/bin/sh", without_venv.path / "dusty", "up"],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={"PATH": str(without_venv.bin), "HOME": str(without_venv.path)},
    )
    assert process.wait(20) == (2 if installs else 1)
    assert log.exists() is installs
    os.close(leader)
    os.close(follower)


def test_without_apt_get_the_packages_are_named(without_venv):
    done = without_venv.run("up", "--yes")
    assert done.returncode == 1
    assert "install the packages that your system calls python3-venv" in done.stderr


def test_an_old_python_is_named_with_its_version(checkout):
    shutil.rmtree(checkout.path / ".venv")
    checkout.program("python3", '#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2" && exit 0\nexit 1\n')
    assert "needs Python 3.11 or newer, and this is Python 3.9.2" in checkout.run("up").stderr


def test_sudo_on_a_users_home_is_refused(checkout, tmp_path):
    """Root by a stub `id`, so that this needs no root; the home's owner is whoever runs the test."""
    checkout.program("root-id", "#!/bin/sh\necho 0\n").replace(checkout.bin / "id")
    mine = str(tmp_path.stat().st_uid or 4242)
    if mine == "4242":
        os.chown(tmp_path, 4242, -1)
    env = {"SUDO_UID": mine, "SUDO_USER": "ada", "DUSTY_HOME": str(tmp_path / "not/yet/there")}
    done = checkout.run("up", env=env)
    assert done.returncode == 1
    assert f"{tmp_path}/not/yet/there belongs to ada" in done.stderr
    assert done.stdout == ""
    assert checkout.run("up", env={**env, "SUDO_UID": "4343"}).returncode == 0
