"""`dusty urls`: where the parts of the stack can be reached."""

from __future__ import annotations

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.of_verbs.lookup import stack_facts
from dusty_tasks.operations.names import not_in_the_stack
from dusty_tasks.verbs.shared.words import say_json


def run(words: list[str], json: bool = False) -> int | None:
    """One URL a line, for TCP `host:port`, of the named parts or of all. Raises Failure for a name that the stack does not have."""
    settings, wanted = session.settings(), session.wanted()
    facts = stack_facts(wanted, session.compiled_stack().routes, settings)
    by_name = {part["name"]: [*part["urls"], *part["streams"]] for part in facts["containers"]}
    names = [settings.namespace.part(word) for word in words]
    for name in names:
        if name not in by_name:
            raise not_in_the_stack(name, by_name)
    found = [(name, url) for name in dict.fromkeys(names or by_name) for url in by_name[name]]
    if json:
        say_json([{"name": name, "url": url} for name, url in found])
    elif not found:
        say(f"there is no URL for {', '.join(names)}" if names else "nothing in the stack has a URL")
    else:
        say("\n".join(url for _name, url in found))
    return None
