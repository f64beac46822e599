"""Commands that no shell can read are found before they are to run; what was accepted is not asked about again."""

from __future__ import annotations

from pathlib import Path

import pytest

from dusty_tasks import session
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.specs import shell_syntax
from dusty_tasks.effects.specs.shell_syntax import read_refusals
from dusty_tasks.verbs import validate

GOOD, BAD, BASHY = "if a; then\n  b\nfi", "echo a\nfi", "list=(a b)\necho ${list[0]}"
WEB = """\
image: busybox:1
commands: {once: ["cd /x && make"], always: ["if true; then", "  serve", "fi"]}
scripts:
  - {name: ends_in_fi, command: ['if [ -n "$1" ]; then echo "$1"; fi']}
  - {name: broken, command: ["while read line; do", "  echo $line", "fi"]}
test:
  image: busybox:1
  once: ["echo 'open"]
  suites:
    - {name: unit, command: ["for i in 1 2; do run; done"], default_args: "$(oops"}
    - {name: bash_only, command: ["list=(a b)"]}
"""
LIB = "repo: /src/base\nmount: /base\ninstall: ['make install; }']\n"


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    for file, text in {"bundles/b.yml": "apps: [web]\n", "apps/web.yml": WEB, "libs/base.yml": LIB}.items():
        (tmp_path / "specs" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "specs" / file).write_text(text)
    return tmp_path / "specs"


def test_the_shells_own_words_with_their_line(tmp_path: Path) -> None:
    found = read_refusals([GOOD, BAD, BASHY], str(tmp_path / "none"), is_kept=False)
    assert set(found) == {BAD, BASHY}
    assert found[BAD].line == 2 and "fi" in found[BAD].what and not found[BAD].is_bash
    assert found[BASHY].is_bash and list(tmp_path.iterdir()) == []


def test_what_was_accepted_is_remembered_and_what_was_not_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    real = shell_syntax._refused
    monkeypatch.setattr(
        shell_syntax,
        "_refused",
        lambda texts, shell: asked.append((shell, sorted(texts.values()))) or real(texts, shell),
    )
    cache = str(tmp_path / "state/commands")
    for _ in range(2):
        assert set(read_refusals([GOOD, BAD], cache)) == {BAD}
    assert asked == [("sh", [BAD, GOOD]), ("bash", [BAD]), ("sh", [BAD]), ("bash", [BAD])]
    monkeypatch.setattr(process, "run", lambda *_args, **_named: pytest.fail("a process was started"))
    assert read_refusals([GOOD], cache) == {}
    (tmp_path / "state/commands").write_bytes(b"\xff damaged")
    monkeypatch.undo()
    assert read_refusals([GOOD], cache) == {}


def test_each_broken_command_of_a_specs_repo_is_a_problem_at_its_place(
    specs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert validate.run([str(specs)]) == 1
    out = capsys.readouterr().out
    problems = [line for line in out.splitlines() if ".yml:" in line]
    assert [line.partition(" ")[0] + " " + line.split()[1] for line in problems] == [
        "apps/web.yml:5:29: scripts[1].command:",
        "apps/web.yml:8:9: test.once:",
        "apps/web.yml:10:75: test.suites[0].default_args:",
        "apps/web.yml:11:34: test.suites[1].command:",
        "libs/base.yml:3:10: install:",
    ]
    assert "warning: only bash understands this" in problems[3] and "hint: line 3 of it: fi" in out
    (specs / "libs/base.yml").write_text(LIB.replace(" }", ""))
    (specs / "apps/web.yml").write_text(WEB[: WEB.index("  - {name: broken")])
    assert validate.run([str(specs)]) == 0


def test_a_compile_sees_it_and_starts_no_process_for_what_it_knows(
    specs: Path, dusty_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dusty_tasks.cli import verbs as cli
    from dusty_tasks.verbs.table import BY_NAME

    def dry_run() -> int:
        session.forget()
        return cli.run_verb(BY_NAME["compile"], ["--dry-run"])

    dusty_home.mkdir()
    (dusty_home / "config.yml").write_text(f"specs_repo: {specs}\nbundles: [b]\n")
    assert dry_run() == 1 and "scripts[1].command: sh cannot parse it" in "".join(capsys.readouterr())
    (specs / "libs/base.yml").unlink()
    (specs / "apps/web.yml").write_text(WEB[: WEB.index("  - {name: broken")])
    assert dry_run() == 0
    assert not (dusty_home / "state/commands").exists()
    session.forget()
    session.specs()
    monkeypatch.setattr(process, "run", lambda *_args, **_named: pytest.fail("a process was started"))
    session.forget()
    session.specs()
    assert dry_run() == 0
    session.forget()
