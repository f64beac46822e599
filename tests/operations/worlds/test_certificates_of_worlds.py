"""The base and its worlds have one authority: who makes certificates keeps what is noted of those of the others."""

from __future__ import annotations

import json
from pathlib import Path

from dusty_tasks import session
from dusty_tasks.core.plan.found import DUE
from dusty_tasks.core.worlds.model import World
from dusty_tasks.effects.home.certificates import read_digests
from dusty_tasks.effects.home.worlds import home_of, write_world
from dusty_tasks.operations.launch.certificates import make


def test_a_world_that_makes_its_own_leaves_that_of_the_base_as_it_was(dusty_home: Path) -> None:
    base, folder = str(dusty_home), f"{dusty_home}/https"
    home = home_of(base, "fix")
    write_world(home, World("fix", "127.77.0.1"))
    of_base, of_world = {"one": ["web.test"]}, {"two": ["fix.web.test"]}
    for place, wanted in ((base, of_base), (home, of_world)):
        Path(place, "state").mkdir(exist_ok=True)
        Path(place, "state/wanted.json").write_text(json.dumps({"containers": [], "https": wanted}))
        with session.begun(session.Session(base)):
            if place != base:
                session.current().become(place)
            make(folder, wanted, [id for id, digest in read_digests(folder, wanted).items() if digest.startswith(DUE)])
    for wanted in (of_base, of_world):
        assert not [digest for digest in read_digests(folder, wanted).values() if digest.startswith(DUE)]
