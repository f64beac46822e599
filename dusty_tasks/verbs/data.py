"""`dusty data`: snapshots of what services keep, on the Docker host."""

from __future__ import annotations

from dusty_tasks import session
from dusty_tasks.console import confirm, progress, say, table_within, warn, width
from dusty_tasks.core.of_verbs.snapshots import BEFORE, COPY, MIXED, REFLINK, Snapshot, name_trouble, to_json
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.wording import size_text
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.operations import snapshots as operations
from dusty_tasks.operations.waiting import Late
from dusty_tasks.verbs.shared.running import not_in_the_stack, spec_name
from dusty_tasks.verbs.shared.words import action_of, exactly, misuse, say_json

ACTIONS = ("list", "save", "restore", "reset", "remove")
SHARED, FULL = "blocks shared with the original", "a full copy"
HOW = {REFLINK: SHARED, COPY: FULL, MIXED: f"in part {SHARED}, in part {FULL}"}


def run(words: list[str], yes: bool = False, json: bool = False, stop: bool = False) -> int | None:
    """No word: list. Raises Failure."""
    action, rest = action_of("data", words, ACTIONS)
    engine = Engine(session.docker_host())
    if stop and action != "save":
        raise misuse("data", "--stop goes with save")
    if action == "list":
        exactly("data", action, rest)
        show(operations.read_all(engine), as_json=json)
        return None
    if action == "restore" and not rest:
        return go_on(engine)
    if not rest:
        raise misuse("data", f"data {action} needs a name")
    if action == "remove":
        return remove(engine, rest, yes)
    if action == "reset":
        return reset(engine, rest, yes)
    name, services = rest[0], keeping(rest[1:])
    if action == "restore":
        return restore(engine, name, services, yes)
    save(engine, name, services, stop)
    return None


def show(snapshots: list[Snapshot], *, as_json: bool) -> None:
    """What there is."""
    if as_json:
        say_json([{**to_json(each), "size": each.size, "how": each.how} for each in snapshots])
        return
    rows = [
        (
            each.name,
            each.made[:16].replace("T", " "),
            size_text(each.size),
            HOW.get(each.how, "empty"),
            ", ".join(each.services),
        )
        for each in snapshots
    ]
    say(table_within(width(), ("name", "made", "size", "", "of"), rows) if rows else "there are no snapshots")


def keeping(words: list[str]) -> list[str]:
    """Those parts, or all, that keep data. Raises Failure for one that does not."""
    keepers = operations.keepers()
    names = list(dict.fromkeys(spec_name(word) for word in words))
    known = [container.name for container in session.wanted().containers]
    for name in names:
        if name not in known:
            raise not_in_the_stack(name, known)
        if name not in keepers:
            raise Failure(f"{name} keeps nothing below /persist or in a named volume")
    if not keepers:
        raise Failure("no part of the stack keeps anything below /persist or in a named volume")
    return names or list(keepers)


def save(engine: Engine, name: str, services: list[str], by_stop: bool) -> None:
    """Save, and say how it was done and how long it took."""
    if trouble := name_trouble(name):
        raise Failure(trouble)
    with progress("copying") as tell:
        made = operations.save(engine, name, services, by_stop=by_stop, tell=tell, warn=warn)
    how = f"{size_text(made.size)}, {HOW[made.how]}" if made.how in HOW else "nothing was there yet"
    say(f"saved {', '.join(services)} as {name} in {made.seconds:.1f} s ({how})")


def restore(engine: Engine, name: str, services: list[str], yes: bool) -> int | None:
    """Put a snapshot back, after asking."""
    snapshot = operations.named(operations.read_all(engine), name)
    chosen = [service for service in services if service in snapshot.services]
    saved = [each.item for each in snapshot.saved]
    items = [item for item in saved if item in operations.items_of(chosen)] if chosen else saved
    if not chosen:
        raise Failure(f"{name} holds no data of {', '.join(services)}", f"{DUSTY} data list")
    question = f"Replace the data of {', '.join(chosen)} with that of {name} ({snapshot.made[:16].replace('T', ' ')})?"
    if not confirm(question, yes=yes):
        return 1
    with progress("waiting until ready") as tell:
        done = operations.restore(engine, snapshot, items, tell)
    return tell_end(f"restored {', '.join(chosen)} from {name}", done)


def go_on(engine: Engine) -> int:
    """Finish a restore that was interrupted."""
    with progress("waiting until ready") as tell:
        done = operations.finish(engine, tell)
    if done is None:
        raise misuse("data", "data restore needs the name of a snapshot")
    return tell_end(f"finished the interrupted restore of {done[0]}", done[1])


def tell_end(what: str, late: list[Late]) -> int:
    """What was restored, and who does not like it."""
    say(what)
    warn_of(late)
    if late:
        warn(f"what was replaced is kept: {DUSTY} data restore {BEFORE} brings it back")
    return 1 if late else 0


def warn_of(late: list[Late]) -> None:
    """Name those that are not ready with the data that they have now."""
    for each in late:
        warn(f"{each.name} {each.why}")


def reset(engine: Engine, words: list[str], yes: bool) -> int | None:
    """Empty the data of services, after asking."""
    services = keeping(words)
    if not confirm(f"Empty the data of {', '.join(services)}?", yes=yes):
        return 1
    removed = operations.reset(engine, services)
    say(f"emptied the data of {', '.join(services)}" + (f"; removed {', '.join(removed)}" if removed else ""))
    say(f"{DUSTY} up starts with empty data; {DUSTY} data restore {BEFORE} brings back what was there")
    return None


def remove(engine: Engine, names: list[str], yes: bool) -> int | None:
    """Remove snapshots, after asking."""
    snapshots = operations.read_all(engine)
    size = sum(operations.named(snapshots, name).size for name in dict.fromkeys(names))
    if not confirm(f"Remove {', '.join(dict.fromkeys(names))} ({size_text(size)})?", yes=yes):
        return 1
    operations.remove(engine, names)
    say(f"removed {', '.join(dict.fromkeys(names))}")
    return None
