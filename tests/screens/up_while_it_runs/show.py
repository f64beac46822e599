"""`up` in the middle of it: what was done stands above, what is being done moves at the foot."""

import os

from dusty_tasks import foot
from dusty_tasks.core.plan.change import Change, Kind
from dusty_tasks.operations.launch.printed import Printed

now = 0.0
foot.time = type("Clock", (), {"monotonic": staticmethod(lambda: now), "sleep": staticmethod(lambda _seconds: None)})
foot.threading.Thread = lambda **_named: type("Still", (), {"start": lambda _self: None})()
printed = Printed()
printed.wrote("wrote", ["hosts", "docker-compose.yml"])
changes = [
    Change(Kind.CREATE, name, "it has no container yet")
    for name in (
        "board",
        "quotes",
        "a-name-that-goes-on-and-on-for-longer-than-anybody-can-want-in-a-single-line-of-text",
    )
]
for change in changes:
    printed.begun(change)
now = 12.3
printed.done(changes[0])
os._exit(0)
