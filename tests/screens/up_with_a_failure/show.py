"""`up` with an app that exits, and one that cannot be made: each cause once, and the last words are what to do."""

from recorded import play_up

from dusty_tasks.core.plan.change import Change, Kind
from dusty_tasks.effects.doors.failures import Failure

play_up(
    [
        Change(Kind.SYNC, "github.com/acme/board", "main.py changed and 2 more", shown="board"),
        Change(Kind.RESTART, "board", "repo board: main.py changed and 2 more"),
        Change(Kind.START, "worker", "it exited with status 137"),
        Change(Kind.RECREATE, "search", "image elasticsearch:8.13 -> elasticsearch:8.14", "apps/search.yml:3:8"),
        Change(Kind.REMOVE, "old", "nothing active needs it"),
    ],
    failing={"worker": "exited with status 1, and a route points to it", "search": "could not be started"},
    failures=(
        Failure("search (apps/search.yml:3:8): the engine has no memory for it", "give the VM more of it"),
        Failure(
            "worker exited with status 1; its last lines:\n    Traceback (most recent call last):\n    ModuleNotFoundError: No module named 'requests'"
        ),
    ),
    urls={"board": ("http://board.example.test/",), "worker": ("http://worker.example.test/",)},
)
