"""Overrides of a user's own: merged over specs, shown, traced, left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chosen import Chosen

from dusty_tasks import session
from dusty_tasks.effects.home.known_names import read_known_names
from dusty_tasks.verbs import compile as compile_verb
from dusty_tasks.verbs import validate

WEB = """\
image: busybox:1
commands: {always: [serve]}
compose:
  environment: {LEVEL: info, ZONE: UTC}
"""
OVERRIDE = """\
# Mine.
compose:
  environment: {LEVEL: debug}
"""


@pytest.fixture
def mine(dusty: Chosen, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The override of web."""
    monkeypatch.setattr(session.current(), "has_overrides", True)
    dusty.config.write_text(f"{dusty.config.read_text()}bundles: [main]\n")
    dusty.write("apps/web.yml", WEB)
    dusty.write("bundles/main.yml", "apps: [web]\n")
    path = Path(session.paths().overrides) / "apps/web.yml"
    path.parent.mkdir(parents=True)
    path.write_text(OVERRIDE)
    return path


def environment(**options: bool) -> dict[str, str]:
    """That of web, as compiled now."""
    session.current().has_overrides = True
    session.forget()
    if options.get("no_overrides"):
        session.leave_out_overrides()
    found: dict[str, str] = session.specs().apps["web"].compose["environment"]
    return found


def test_an_override_is_merged_and_seen_when_it_changes(dusty: Chosen, mine: Path) -> None:
    assert environment() == {"LEVEL": "debug", "ZONE": "UTC"}
    assert environment(no_overrides=True) == {"LEVEL": "info", "ZONE": "UTC"}
    mine.write_text("compose: {environment: {ZONE: CET}}\n")
    assert environment() == {"LEVEL": "info", "ZONE": "CET"}
    mine.unlink()
    assert environment() == {"LEVEL": "info", "ZONE": "UTC"}


def test_the_compiled_line_leads_to_the_override(dusty: Chosen, mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = dusty.config.parent / "out"
    assert compile_verb.run([], out=str(out)) == 0
    rows = json.loads((out / "origins.json").read_text())["docker-compose.yml"]
    places = {row["key"]: row["from"] for row in rows}
    assert places["services.web.environment.LEVEL"] == f"{mine}:3:24"
    assert places["services.web.environment.ZONE"] == "apps/web.yml:4:36"


def test_what_is_wrong_in_an_override_is_said_at_its_place(
    dusty: Chosen, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine.write_text("extends: other\nimagee: busybox:2\ncompose: {read_only: true}\n")
    (mine.parent / "gone.yml").write_text("image: busybox:2\n")
    (mine.parent / "broken.yml").write_text("image: [\n")
    assert validate.run([]) == 1
    said = capsys.readouterr().out
    assert f"{mine}:1:10: extends: an override extends nothing" in said
    assert f'{mine}:2:1: unknown key "imagee"' in said
    assert f"{mine}:3:22: compose.read_only: an app cannot be read_only" in said
    assert f'{mine.parent}/gone.yml:1:1: warning: the specs have no app named "gone"' in said
    assert f"{mine.parent}/broken.yml:2:1: " in said
    assert validate.run([], no_overrides=True) == 0


def test_the_names_that_a_shell_offers_are_those_of_the_specs(dusty: Chosen, mine: Path) -> None:
    dusty.write("apps/_base.yml", WEB)
    session.forget()
    session.specs()
    names = read_known_names(session.home()).apps
    assert "web" in names and "_base" not in names


def test_an_override_wins_over_a_bundle(dusty: Chosen, mine: Path) -> None:
    dusty.write("bundles/main.yml", "apps: [web]\nenv: {web: {LEVEL: warning, ZONE: CET}}\n")
    session.forget()
    assert session.stack().apps["web"].bundle_env == {"ZONE": ("CET", "bundles/main.yml")}
