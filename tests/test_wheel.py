"""The `dusty` command as `pip install .` gives it: from a built wheel, in a clean venv, far from the checkout."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A venv with the wheel in it; what the wheel needs is lent by the tests' own venv, so no network is needed."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    subprocess.run(build, check=True, capture_output=True)
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
