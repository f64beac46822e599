"""What was done is told with what was the case."""

from __future__ import annotations

import pytest

from dusty_tasks.core.plan.change import Change, Kind
from dusty_tasks.core.plan.past import of_several, past


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        ("it has no container yet", "it had no container"),
        ("it exited with status 137", "it had exited with status 137"),
        ("it exited with status 0, and a route points to it", "it had exited with status 0, and a route points to it"),
        ("it was stopped by hand", "it had been stopped by hand"),
        ("it is paused", "it was paused"),
        ("it is not on the Docker host", "it was not on the Docker host"),
        ("it does not answer", "it did not answer"),
        ("it was created and never started", "it had never been started"),
        ("nothing active needs it", "nothing active needed it"),
        ("those of api, web differ on the Docker host", "those of api, web differed on the Docker host"),
        ("those of api are not on the Docker host yet", "those of api were not on the Docker host"),
        ("its container was renamed to mine", "its container had been renamed to mine"),
        ("the network that it was created in is gone", "the network that it was created in was gone"),
        ("asset KEY is unset", "asset KEY was unset"),
        ("image busybox:1 -> busybox:2", "image busybox:1 -> busybox:2"),
        ("repo web: it is.txt is new", "repo web: it is.txt is new"),
        (
            "it is paused; `always` changed; it was stopped by hand",
            "it was paused; `always` changed; it had been stopped by hand",
        ),
    ],
)
def test_a_cause_afterwards(cause: str, told: str) -> None:
    assert past(cause) == told


def test_a_change_that_was_made_says_what_was_the_case_and_names_the_place_that_changed() -> None:
    assert Change(Kind.CREATE, "board", "it has no container yet", "apps/board.yml:1:1").done == (
        "created board (it had no container)"
    )
    assert Change(Kind.RECREATE, "web", "image a -> b", "apps/web.yml:3:8").done == (
        "recreated web (image a -> b, apps/web.yml:3:8)"
    )
    assert Change(Kind.COMMAND_FILES, "", "those of web differ on the Docker host").done == (
        "pushed command files (those of web differed on the Docker host)"
    )
    assert Change(Kind.SYNC, "github.com/acme/board", "main.py changed", shown="board").done == (
        "synced board (main.py changed)"
    )
    assert of_several(" (it had no container)") == " (they had no container)"


def test_every_kind_says_what_is_being_done_and_what_was_done() -> None:
    for kind in Kind:
        assert kind.doing.split()[0].endswith("ing") and kind.done.split()[0] != kind.doing.split()[0]
