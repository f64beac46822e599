"""`dusty lookup`: what scripts and agents need to know of the stack that a folder belongs to."""

from __future__ import annotations

import os

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.of_verbs.lookup import repo_of_folder, stack_facts, told
from dusty_tasks.core.text.safe import printable
from dusty_tasks.core.worlds.model import BASE
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.code.sources import source_of
from dusty_tasks.verbs.shared.words import local_path, misuse, say_json


def run(words: list[str], json: bool = False) -> int | None:
    """Tell what was compiled last, without asking the engine. Raises Failure for a path that does not exist, and before the first compile."""
    if len(words) > 1:
        raise misuse("lookup", f'lookup: unexpected argument "{words[1]}"')
    path = os.path.realpath(local_path(words[0] if words else "."))
    if not os.path.exists(path):
        raise Failure(f"{printable(path)} does not exist")
    settings, wanted = session.settings(), session.wanted()
    sources = {entry.id: os.path.realpath(source_of(entry, settings)[0]) for entry in wanted.repos}
    repo_id = repo_of_folder(path, sources)
    facts = {
        "world": world.name if (world := session.world()) else BASE,
        "why": session.current().why or "there is no other",
        "home": session.home(),
        "docker_host": session.docker_host().name,
        "repo": repo_id,
        "parts": [container.name for container in wanted.containers if repo_id and repo_id in container.repo_ids],
        **stack_facts(wanted, session.compiled_stack().routes, settings),
    }
    if json:
        say_json(facts)
    else:
        say("\n".join(told(facts)))
    return 0
