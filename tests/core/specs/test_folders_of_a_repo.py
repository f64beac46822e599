"""An app that mounts folders of a repo: what of a change it sees."""

from __future__ import annotations

import pytest

from dusty_tasks.core.code.reloading import owed_for
from dusty_tasks.core.specs.reload import NONE, RESTART, SIGNAL, Action, ReloadRule, seen_rules
from tests.core.spec_text import fine

HUP = ReloadRule((), Action(SIGNAL, "HUP"))
MONO = "repo: github.com/org/mono\nimage: busybox:1\ncommands: {always: [run]}\n"


@pytest.mark.parametrize(
    ("rules", "folders", "path", "kind"),
    [
        ((), ["services/web"], b"services/web/app.py", RESTART),
        ((), ["services/web"], b"services/worker/app.py", NONE),
        ((), ["services/web"], b"services/webby/app.py", NONE),
        ((), ["services/web", "config.yml"], b"config.yml", RESTART),
        ((), ["services/web", ""], b"services/worker/app.py", RESTART),
        ((), [], b"anything", RESTART),
        ((HUP,), ["a"], b"a/x", SIGNAL),
        ((HUP,), ["a"], b"b/x", NONE),
    ],
)
def test_what_a_container_does_not_see_calls_for_nothing(
    rules: tuple[ReloadRule, ...], folders: list[str], path: bytes, kind: str
) -> None:
    assert owed_for([path], [seen_rules(rules, folders)]).kind == kind


def test_folders_are_spelt_in_one_way_and_commands_start_in_the_first() -> None:
    app = fine({"apps/web.yml": MONO + "mount: {./services//web/: /srv/web/, .: /src}\n"}).apps["web"]
    assert app.mount == "/srv/web" and app.mounts == (("services/web", "/srv/web"), ("", "/src"))
    whole = fine({"apps/web.yml": MONO + "mount: /src\n"}).apps["web"]
    assert whole.mount == "/src" and whole.mounts == ()
