"""The repos of the stack in state/wanted.json: the form of the file, there and back."""

from __future__ import annotations

import json

import pytest

from dusty_tasks.core.code.repo_entry import RepoEntry, from_json
from dusty_tasks.core.plan import wanted

TEXT = (
    '{"id": "src/web", "written": "/src/web", "url": "", "local_path": "/src/web", "used_by": ["web"], "lib_of": {"web": ["base"]}, '
    '"lib_repos": {"base": ["src/base", "src/web"]}, "mounts": [["data", "web", ""], ["etc/key", "web", "KEY"]]}'
)


def test_the_form_of_the_file_is_kept_to_the_byte() -> None:
    entry = from_json(json.loads(TEXT))
    assert entry.used_by == ("web",) and entry.mounts[1] == ("etc/key", "web", "KEY")
    assert json.dumps(entry.to_json()) == TEXT
    assert json.loads(json.dumps(wanted.to_json(wanted.Wanted((), repos=(entry,)))))["repos"] == [json.loads(TEXT)]
    assert wanted.from_json(json.loads(f'{{"containers": [], "repos": [{TEXT}]}}')).repos == (entry,)


def test_a_file_of_an_earlier_version_lacks_some_keys() -> None:
    assert from_json({"id": "src/web", "written": "/src/web", "url": "", "local_path": ""}) == RepoEntry(
        "src/web", "/src/web"
    )


@pytest.mark.parametrize(
    "data", [{}, {"id": 1}, {"id": "a", "unheard": 1}, {"id": "a", "mounts": [["x"]]}, {"id": "a", "used_by": 1}]
)
def test_another_form_is_refused(data: dict) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        from_json(data)
