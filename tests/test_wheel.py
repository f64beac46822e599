"""The `dusty` command as `pip install .` gives it: from a built wheel, in a clean venv, far from the checkout."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def build(folder: Path, source: Path) -> None:
    """The sdist and the wheel, as they are published."""
    words = [sys.executable, "-m", "build", "--sdist", "--wheel", "--no-isolation", "--outdir", folder, source]
    subprocess.run(words, check=True, capture_output=True)


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A venv with the wheel in it; what the wheel needs is lent by the tests' own venv, so no network is needed."""
    folder = tmp_path_factory.mktemp("wheel")
    build(folder, ROOT)
    venv.EnvBuilder(with_pip=False, symlinks=True).create(folder / "venv")
    (wheel,) = folder.glob("dusty-*.whl")
    python = folder / "venv/bin/python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(pip, check=True, capture_output=True)
    site_packages = next((folder / "venv/lib").glob("python*/site-packages"))
    (site_packages / "lent.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "venv"


def run(installed: Path, *argv: str, tmp_path: Path) -> subprocess.CompletedProcess:
    env = {"PATH": f"{installed}/bin:{os.environ['PATH']}", "HOME": str(tmp_path), "DUSTY_HOME": str(tmp_path / "home")}
    return subprocess.run(
        argv, env=env, cwd=tmp_path, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )


def test_the_command_runs_and_is_the_wheels(installed, tmp_path):
    done = run(installed, "dusty", "help", tmp_path=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "usage: dusty <command>" in done.stdout
    shown = run(installed, "python", "-c", "import dusty_tasks; print(dusty_tasks.__file__)", tmp_path=tmp_path).stdout
    assert shown.startswith(str(installed))


@pytest.mark.parametrize("name", ["templates", "schemas", "examples", "sudoers.d"])
def test_every_resource_of_the_checkout_is_inside(installed, tmp_path, name):
    code = f"from dusty_tasks.resources import folder; print(folder('{name}'))"
    inside = Path(run(installed, "python", "-c", code, tmp_path=tmp_path).stdout.strip())
    assert installed in inside.parents

    def files(top: Path) -> set[str]:
        return {
            str(path.relative_to(top)) for path in top.rglob("*") if path.is_file() and "__pycache__" not in path.parts
        }

    assert files(inside) == files(ROOT / name)


def test_the_examples_compile_without_docker(installed, tmp_path):
    write = f"from dusty_tasks.effects.specs.examples import write_examples; write_examples('{tmp_path}/home', print)"
    run(installed, "python", "-c", write, tmp_path=tmp_path)
    (tmp_path / "home/config.yml").write_text(f"specs_repo: {tmp_path}/home/example/specs\nbundles: [example]\n")
    done = run(installed, "dusty", "compile", tmp_path=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "127.0.0.1 board.example.test\n" in (tmp_path / "home/build/hosts").read_text()


def test_the_sdist_is_whole_and_every_build_gives_the_same_bytes(installed, tmp_path):
    (sdist,) = installed.parent.glob("dusty-*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    for path in source.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
    build(tmp_path / "again", source)
    first, again = (
        {path.name: path.read_bytes() for path in folder.glob("dusty-*")}
        for folder in (sdist.parent, tmp_path / "again")
    )
    assert first.keys() == again.keys() and len(first) == 2
    assert [name for name in first if first[name] != again[name]] == []


def test_an_index_would_take_both(installed):
    packages = sorted(installed.parent.glob("dusty-*"))
    done = subprocess.run(
        [sys.executable, "-m", "twine", "--no-color", "check", "--strict", *packages],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and done.stdout.count("PASSED") == 2, done.stdout + done.stderr


def test_the_version_is_written_once(installed, tmp_path):
    code = "import dusty_tasks, importlib.metadata as m; print(m.version('dusty'), dusty_tasks.__version__)"
    version, own = run(installed, "python", "-c", code, tmp_path=tmp_path).stdout.split()
    assert version == own
