"""A name that the stack does not have is refused before anything is asked, installed, fetched or read from the engine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from chosen import Chosen

from dusty_tasks import session
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.code import repos
from dusty_tasks.operations.launch.printed import Printed
from dusty_tasks.operations.live.loop import run_dev
from dusty_tasks.operations.machine import preflight
from dusty_tasks.operations.up.before_plan import refuse_unknown_names
from dusty_tasks.operations.up.bring_up import bring_up
from dusty_tasks.operations.up.run import Run, UpOptions


def git(folder: Path, *words: str) -> None:
    identity = {f"GIT_{role}_{key}": "t@localhost" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True, env={**os.environ, **identity})


@pytest.fixture
def nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the specs repo is fetched, and nothing is offered."""

    def never(*_words: object, **_named: object) -> int:
        raise AssertionError("the name is to be refused first")

    monkeypatch.setattr(repos, "fetch_all", never)
    monkeypatch.setattr(preflight, "ensure_tools", never)


def refusal(*names: str) -> str:
    session.forget()
    with pytest.raises(Failure) as refused:
        refuse_unknown_names(Run(UpOptions(names=names), Printed()))
    return str(refused.value)


@pytest.mark.usefixtures("nothing_else")
def test_up_and_dev_refuse_it_first(dusty: Chosen, capsys: pytest.CaptureFixture[str]) -> None:
    dusty("bundles", "activate", "shop")
    outcome = bring_up(UpOptions(names=("web", "wbe")), Printed(), home=str(dusty.home))
    assert (
        outcome.code == 1 and 'no app or service named "wbe"\n    hint: did you mean "web"?' in capsys.readouterr().err
    )
    session.forget()
    with pytest.raises(Failure, match='no app or service named "wbe"'):
        run_dev(["wbe"], UpOptions())


def test_why_it_is_not_in_the_stack(dusty: Chosen) -> None:
    dusty("bundles", "activate", "shop")
    assert refusal("api").startswith("api is not in the stack: no active bundle needs it")
    dusty("disable", "redis")
    assert refusal("redis").startswith("redis is disabled on this machine") and "enable redis" in refusal("redis")
    session.forget()
    refuse_unknown_names(Run(UpOptions(names=("web",)), Printed()))


@pytest.mark.usefixtures("dusty_home", "nothing_else")
def test_a_first_run_knows_the_names_of_the_examples() -> None:
    assert refusal("bord").startswith('no app or service named "bord"')
    session.forget()
    refuse_unknown_names(Run(UpOptions(names=("board",)), Printed()))


@pytest.mark.usefixtures("nothing_else")
def test_a_name_that_only_the_newest_specs_have_is_known(dusty: Chosen, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main", "specs")
    git(dusty.specs, "add", ".")
    git(dusty.specs, "commit", "-qm", "first")
    dusty.config.write_text(f"specs_repo: file://{tmp_path}/specs\nbundles: [shop]\n")
    assert dusty("repos", "update").code == 0
    dusty.write("apps/cart.yml", "image: busybox:1\ncommands: {always: [httpd -f]}\n")
    dusty.write("bundles/shop.yml", "apps: [web, cart]\n")
    git(dusty.specs, "add", ".")
    git(dusty.specs, "commit", "-qm", "cart")
    session.forget()
    with pytest.raises(Failure, match='named "cart"'):
        refuse_unknown_names(Run(UpOptions(names=("cart",), no_pull=True), Printed()))
    run = Run(UpOptions(names=("cart",)), Printed())
    refuse_unknown_names(run)
    assert run.fetches == 1
    assert 'no app or service named "crt"' in refusal("crt")
