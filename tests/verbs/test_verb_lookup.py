"""`dusty lookup`: of a compiled stack, and of a folder in one of its repos."""

from __future__ import annotations

import json
from pathlib import Path

from chosen import Chosen


def test_it_tells_a_script_what_was_compiled(dusty: Chosen, tmp_path: Path) -> None:
    assert "nothing is compiled yet" in dusty("lookup").err
    (tmp_path / "code/deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "code/deep")
    dusty.write("apps/api.yml", f"repo: {tmp_path}/code\nmount: /c\nimage: b\ncommands: {{always: [x]}}\n")
    dusty.config.write_text(f"specs_repo: {tmp_path}/specs\nbundles: ['Bücher & more']\n")
    assert dusty("compile").code == 0
    for path in ("code", "code/deep", "link"):
        facts = json.loads(dusty("lookup", path, "--json").out)
        assert (facts["parts"], facts["world"], facts["home"]) == (["api"], "base", str(dusty.home))
    assert [each["container"] for each in facts["containers"]] == ["dusty_api_1"]
    assert json.loads(dusty("lookup", "--json").out)["repo"] == ""
    assert "container dusty_api_1" in dusty("lookup").out


def test_a_path_that_is_not_there_and_a_second_one_are_refused(dusty: Chosen) -> None:
    ended = dusty("lookup", "nosuch")
    assert ended.code == 1 and "nosuch does not exist" in ended.err
    assert 'unexpected argument "b"' in dusty("lookup", "a", "b").err
