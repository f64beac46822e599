"""`dusty completion`: names come from cached state, at the price of no YAML; and bash really offers them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from chosen import Chosen

from dusty_tasks.effects.home.known_names import KnownNames, read_known_names
from dusty_tasks.verbs import completion
from tests.known_specs import keep_documents, keep_texts

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    ("bundle", "shop", {"apps": ["web"]}),
    ("bundle", "my bundle", {"apps": []}),
    (
        "app",
        "web",
        {
            "repo": "github.com/a/code",
            "scripts": [{"name": "reset"}, {"name": "load"}],
            "assets": [{"name": "KEY"}],
            "test": {"suites": [{"name": "unit"}]},
        },
    ),
    ("app", "api", {"repo": "github.com/b/code"}),
    ("lib", "web", {"repo": "/src/lib", "test": {"suites": [{"name": "lint"}]}}),
    ("service", "redis", {"image": "redis"}),
    ("app", "half", {"repo": "::", "scripts": "none", "assets": [1, {"name": 2}], "test": []}),
]


@pytest.fixture
def home(dusty_home: Path) -> Path:
    """A DUSTY_HOME whose specs were read once."""
    keep_documents(dusty_home, DOCUMENTS)
    (dusty_home / "assets").mkdir()
    (dusty_home / "assets/OTHER").write_text("")
    return dusty_home


def test_names_are_those_of_the_specs(home: Path) -> None:
    assert read_known_names(str(home)) == KnownNames(
        bundles=("my bundle", "shop"),
        apps=("api", "half", "web"),
        libs=("web",),
        services=("redis",),
        repos=("github.com/a/code", "github.com/b/code", "lib"),
        assets=("KEY", "OTHER"),
        scripts={"web": ("reset", "load"), "api": (), "half": ()},
        suites={"web": ("unit", "lint")},
    )


def test_the_form_is_that_of_the_cache(dusty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dusty_tasks.effects.specs import read as spec_files

    later = time.time_ns() + 10**12
    monkeypatch.setattr(time, "time_ns", lambda: later)  # A file that was just written is not cached.
    (tmp_path / "bundles").mkdir()
    (tmp_path / "bundles/shop.yml").write_text("apps: []\n")
    spec_files.read_documents(tmp_path, dusty_home / "state/documents")
    assert read_known_names(str(dusty_home)).bundles == ("shop",)


@pytest.mark.parametrize("text", ["", "null", "[]", '["app"]', '["bundle", "x", "", [], [], [], true]'])
def test_a_cache_of_another_form_offers_nothing(dusty_home: Path, text: str) -> None:
    keep_texts(dusty_home, [text])
    assert read_known_names(str(dusty_home)) == KnownNames()


@pytest.mark.parametrize(
    ("kind", "words", "wanted"),
    [
        ("container", (), ["api", "dustyInternalNginx", "half", "redis", "web"]),
        ("script", ("web",), ["load", "reset"]),
        ("script", ("nosuch",), []),
        ("suite", ("web",), ["all", "lint", "unit"]),
        ("asset", (), ["KEY", "OTHER"]),
        ("value", ("set", "routing"), ["published", "network"]),
        ("value", ("set", "nosuch"), []),
        ("value", ("get",), []),
    ],
    ids=str,
)
def test_names_by_kind(home: Path, kind: str, words: tuple[str, ...], wanted: list[str]) -> None:
    assert list(completion.names(kind, words)) == wanted


def test_worlds_are_those_of_the_base(home: Path) -> None:
    assert list(completion.names("world", ())) == []
    for name in ("fix", "a-b"):
        (home / "worlds" / name).mkdir(parents=True)
        (home / "worlds" / name / "world.json").write_text("{}")
    (home / "worlds/none").mkdir()
    assert list(completion.names("world", ())) == ["a-b", "fix"]


def test_keys_that_other_verbs_change_are_not_offered_for_set(dusty_home: Path) -> None:
    assert "bundles" in completion.names("key", ("get",)) and "bundles" not in completion.names("key", ("set",))


def test_nothing_heavy_is_imported_for_a_tab(home: Path) -> None:
    code = (
        "import sys\nfrom dusty_tasks.cli.main import main\nmain(['completion', 'complete', 'scripts', 'web', ''])\n"
        "print('LOADED', *sorted(sys.modules), file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "DUSTY_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.split() == ["load", "reset"]
    assert not {"yaml", "jsonschema", "jinja2", "docker", "rich", "sh", "doit", "subprocess"} & set(
        ended.stderr.split("LOADED")[1].split()
    )


def bash_offers(home: Path, *typed: str) -> list[str]:
    """What bash would offer after `dusty typed…`, by its own machinery."""
    (home / "bin").mkdir(exist_ok=True)
    program = home / "bin/dusty"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m dusty_tasks "$@"\n')
    program.chmod(0o755)
    script = (
        'source <(dusty completion bash) || exit 9; COMP_WORDS=(dusty "$@"); COMP_CWORD=$#; _dusty; '
        '[ ${#COMPREPLY[@]} = 0 ] || printf "%s\\n" "${COMPREPLY[@]}"'
    )
    env = {**os.environ, "DUSTY_HOME": str(home), "PATH": f"{home}/bin:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        ["bash", "-c", script, "bash", *typed], env=env, capture_output=True, text=True, check=True
    ).stdout.splitlines()


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        (("bundles", "activate", ""), [r"my\ bundle", "shop"]),
        (("bundles", "activate", r"my\ "), [r"my\ bundle"]),
        (("scripts", "web", "re"), ["reset"]),
        (("vers",), ["version"]),
        (("cp", ""), []),
        (("nosuch", ""), []),
    ],
    ids=str,
)
def test_bash_offers_what_fits(home: Path, typed: tuple[str, ...], wanted: list[str]) -> None:
    assert bash_offers(home, *typed) == wanted


@pytest.mark.parametrize("words", [["completion"], ["completion", "tcsh"], ["completion", "bash", "x"]], ids=str)
def test_a_shell_nobody_knows_is_refused(
    words: list[str], dusty_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from dusty_tasks.cli.main import main

    assert main(words) == 1
    assert "usage: dusty completion" in capsys.readouterr().err


def test_it_is_installed_after_a_question(dusty: Chosen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SHELL", "/bin/bash")
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    script, start = (
        tmp_path / "user-home" / path for path in (".local/share/bash-completion/completions/dusty", ".bashrc")
    )
    asked = dusty("completion", "install")
    assert asked.code == 1 and str(script) in asked.out and not script.exists()
    done = dusty("completion", "install", "--yes")
    assert done.code == 0 and script.read_bytes() and "completions/dusty" in start.read_text()
    assert "already" in dusty("completion", "install", "bash", "--yes").out
    fish = dusty("completion", "install", "fish", "-y")
    assert fish.code == 0 and (tmp_path / "user-home/.config/fish/completions/dusty.fish").exists()
    assert "there is no completion for tcsh" in dusty("completion", "install", "tcsh").err
