"""`validate --fix`: what is mended, and that nothing else is touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.check.fixes import fixed_text
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.problems import Place, Problem
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.fix_specs import apply, find_fixes
from dusty_tasks.verbs import validate

OK = "image: python:3.12-slim\ncommands: {always: [./run.sh]}\n"
MENDED = {
    "misspelt": (
        "# a\r\nimgae:  x  # b\r\ncommands: {always: [./run]}\r\n",
        "# a\r\nimage:  x  # b\r\ncommands: {always: [./run]}\r\n",
    ),
    "hyphen": (
        OK + "host_forwarding: [{host-name: a.test, host_port: 80, container_port: 1}]",
        OK + "host_forwarding: [{host_name: a.test, host_port: 80, container_port: 1}]",
    ),
    "text": (
        "image: x\ncommands:\n  always: ./run.sh a  # here\n",
        "image: x\ncommands:\n  always: [./run.sh a]  # here\n",
    ),
    "port": (
        OK + "host_forwarding: [{host_name: a.test, host_port: '80', container_port: 1}]\n",
        OK + "host_forwarding: [{host_name: a.test, host_port: 80, container_port: 1}]\n",
    ),
    "boolean": (OK + 'image_requires_login: "yes"', OK + "image_requires_login: yes"),
    "colon": ("image:x:1\n" + OK.splitlines()[1], "image: x:1\n" + OK.splitlines()[1]),
    "tabs": ("image: x\ncommands:\n\talways:\n\t- ./run\n", "image: x\ncommands:\n  always:\n  - ./run\n"),
    "compose": (
        f"{OK}environment:\n  # why\n  A: b\n\nimage_requires_login: no\n",
        f"{OK}compose:\n  environment:\n    # why\n    A: b\n\nimage_requires_login: no\n",
    ),
    "bom": ("\ufeffimgae: é # ü\ncommands: {always: [x]}\n", "\ufeffimage: é # ü\ncommands: {always: [x]}\n"),
}
LEFT_ALONE = {
    "both": "image: x\nimgae: y\ncommands: {always: [./run]}\n",
    "far": "picture: x\ncommands: {always: [./run]}\n",
    "mixed tabs": "image: x\ncommands:\n\talways: [./run]\ntest:\n  image: y\n",
    "several lines": "image: x\ncommands:\n  always: |\n    a\n    b\n",
    "compose is there": f"{OK}environment: {{A: b}}\ncompose: {{restart: always}}\n",
    "a name that is wrong anyway": "imgae: 'a b'\ncommands: {always: [./run]}\n",
}


def specs(folder: Path, text: str) -> Path:
    for kind in ("apps", "bundles", "services"):
        (folder / kind).mkdir()
    (folder / "bundles/main.yml").write_text("apps: [web]\n")
    (folder / "apps/web.yml").write_bytes(text.encode())
    return folder


@pytest.mark.parametrize("name", MENDED)
def test_what_is_sure_is_mended_and_all_else_keeps_its_bytes(name: str, tmp_path: Path) -> None:
    before, after = MENDED[name]
    if name == "bom":
        before, after = before.replace("é", "x"), after.replace("é", "x")
    root = specs(tmp_path, before)
    (root / "apps/web.yml").chmod(0o640)
    changes, mended = find_fixes(str(root))
    assert (root / "apps/web.yml").read_bytes() == before.encode()
    apply(str(root), changes)
    assert (root / "apps/web.yml").read_bytes() == after.encode()
    assert len(mended) == 1 and (root / "apps/web.yml").stat().st_mode & 0o777 == 0o640
    assert find_fixes(str(root)).changes == []


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_what_is_not_sure_is_left_alone(name: str, tmp_path: Path) -> None:
    assert find_fixes(str(specs(tmp_path, LEFT_ALONE[name]))).changes == []


def test_a_file_name_is_mended_unless_the_right_one_is_taken(tmp_path: Path) -> None:
    root = specs(tmp_path, OK)
    (root / "services/redis.yaml").write_text("image: redis:7\n")
    (root / "services/db.yaml").write_text("image: postgres:16\n")
    (root / "services/db.yml").write_text("image: postgres:15\n")
    apply(str(root), find_fixes(str(root)).changes)
    assert sorted(path.name for path in (root / "services").iterdir()) == ["db.yaml", "db.yml", "redis.yml"]


def test_an_edit_in_between_is_not_overwritten(tmp_path: Path) -> None:
    root = specs(tmp_path, MENDED["text"][0])
    changes = find_fixes(str(root)).changes
    (root / "apps/web.yml").write_text(OK)
    with pytest.raises(Failure, match="changed"):
        apply(str(root), changes)
    assert (root / "apps/web.yml").read_text() == OK


def test_the_verb_shows_asks_and_reports_what_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUSTY_HOME", str(tmp_path / "home"))
    (tmp_path / "specs").mkdir()
    root = specs(tmp_path / "specs", "imgae: x\nmuch: y\ncommands: {always: [./run]}\n")
    assert validate.run([str(root)], fix=True) == 1
    printed = capsys.readouterr()
    assert "-imgae: x\n+image: x\n" in printed.out and "--yes" in printed.err and 'unknown key "imgae"' in printed.out
    assert validate.run([str(root)], fix=True, yes=True) == 1
    said = capsys.readouterr().out
    assert "applied 1 fix to 1 file\n" in said and 'unknown key "much"' in said and 'unknown key "imgae"' not in said
    clone = tmp_path / "home/repos/host/org/specs"
    clone.mkdir(parents=True)
    with pytest.raises(Failure, match="own clone"):
        validate.run([str(clone)], fix=True, yes=True)


@given(st.text(alphabet="a: b\n#'\"é[]", max_size=60), st.integers(1, 8), st.integers(1, 12))
def test_a_fix_of_any_text_replaces_one_token_or_nothing(text: str, line: int, column: int) -> None:
    problem = Problem(Place("f", line, column), "", Code.UNKNOWN_KEY, "", instead="NEW")
    fixed = fixed_text(text, problem)
    if fixed is not None:
        start = sum(len(one) + 1 for one in text.split("\n")[: line - 1]) + column - 1
        rest = fixed[start + 3 :]
        assert fixed.startswith(text[:start] + "NEW") and text.endswith(rest)
