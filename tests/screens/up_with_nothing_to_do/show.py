"""`up` when nothing changed: the receipt, and the URLs all the same."""

from recorded import play_up

from dusty_tasks.core.plan.container_state import RUNNING, STOPPED

play_up(
    [],
    urls={
        "board": ("http://board.example.test/",),
        "quotes": ("http://quotes.example.test/", "http://api.quotes.example.test:8080/"),
        "old": ("http://old.example.test/",),
    },
    conditions={"board": RUNNING, "quotes": RUNNING, "old": STOPPED},
)
