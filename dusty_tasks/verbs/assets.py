"""`dusty assets`: files such as keys, kept on this machine only."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

from dusty_tasks import session
from dusty_tasks.console import say, table_within, warn, width
from dusty_tasks.core.specs.model import App, Asset, Lib, Service, Specs
from dusty_tasks.core.stack.builds import build_secrets
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.home import assets
from dusty_tasks.verbs.shared.words import action_of, exactly, local_path, misuse, say_json, unknown


def run(words: list[str], json: bool = False) -> int | None:
    """List, read, set or unset; the next `up` or `test` sends what changed."""
    action, rest = action_of("assets", words, ("list", "read", "set", "unset"))
    if action == "list":
        if len(rest) > 1:
            raise misuse("assets", f'assets list: unexpected argument "{rest[1]}"')
        list_assets(rest[0] if rest else "", json)
    elif action == "set":
        key, path = exactly("assets", "set", rest, "a KEY", "the PATH of a file")
        set_asset(key, path)
    else:
        [key] = exactly("assets", action, rest, "a KEY")
        (read_asset if action == "read" else unset_asset)(key)
    return None


def list_assets(target: str, as_json: bool) -> None:
    """The assets of the stack and those set without anyone's need, or those of one app or lib."""
    found = rows_of_target(target) if target else rows_of_stack()
    if as_json:
        say_json(found)
    elif not found:
        say(f"no assets for {target}" if target else "no assets")
    elif target:
        say(
            table_within(
                width(),
                ("asset", "set", "required", "path in the container"),
                [(row["key"], _yes(row["set"]), _yes(row["required"]), row["path"]) for row in found],
            )
        )
    else:
        say(
            table_within(
                width(),
                ("asset", "set", "used by", "required by"),
                [
                    (row["key"], _yes(row["set"]), ", ".join(row["used_by"]), ", ".join(row["required_by"]))
                    for row in found
                ],
            )
        )


def rows_of_stack() -> list[dict[str, Any]]:
    """One row a key, sorted: declared in the stack, or set."""
    kept, declared = assets.set_keys(session.home()), session.stack().assets
    return [
        {
            "key": key,
            "set": key in kept,
            "used_by": list(declared[key].used_by) if key in declared else [],
            "required_by": list(declared[key].required_by) if key in declared else [],
        }
        for key in sorted(kept | set(declared))
    ]


def rows_of_target(target: str) -> list[dict[str, Any]]:
    """One row an asset of an app or lib of the specs, active or not, with those of its libs."""
    kept = assets.set_keys(session.home())
    return [
        {"key": asset.key, "set": asset.key in kept, "required": asset.is_required, "path": asset.path}
        for asset in sorted(assets_of(target, session.specs()), key=lambda asset: (asset.key, asset.path))
    ]


def assets_of(target: str, specs: Specs) -> set[Asset]:
    """The assets of an app or lib (of both, if both have the name) and of all libs it needs, or of a service."""
    if target in specs.services and target not in specs.apps and target not in specs.libs:
        return set(specs.services[target].assets)
    waiting: list[App | Lib] = [
        spec for specs_by_name in (specs.apps, specs.libs) for name, spec in specs_by_name.items() if name == target
    ]
    if not waiting:
        raise unknown("app, lib or service", target, {*specs.apps, *specs.libs, *specs.services})
    found: set[Asset] = set()
    seen: set[str] = set()
    while waiting:
        spec = waiting.pop()
        found.update(spec.assets)
        new = [name for name in spec.libs if name not in seen and name in specs.libs]
        seen.update(new)
        waiting += [specs.libs[name] for name in new]
    return found


def set_asset(key: str, path: str) -> None:
    """Keep a snapshot of the file at `path`; a key that no spec declares is warned about."""
    from dusty_tasks.core.specs.rules import Wrong, check_asset_key

    try:
        check_asset_key(key)
    except Wrong as wrong:
        raise Failure(wrong.what, wrong.hint) from wrong
    source = path if path.startswith("/dev/") else local_path(path)
    size = assets.write_asset(session.home(), key, source)
    _note(f"assets set {key} from {source}")
    say(f"{key}: {size} bytes from {source}; the next {DUSTY} up sends them")
    warn_if_undeclared(key)


def warn_if_undeclared(key: str) -> None:
    """A spec that declares `key` may come later, or the key is misspelt: said, not refused. Broken specs are silence."""
    from dusty_tasks.core.text.problems import nearest

    try:
        specs = session.specs()
    except Failure:
        return
    holders: tuple[dict[str, Any], ...] = (specs.apps, specs.libs, specs.services)
    declared = {asset.key for named in holders for spec in named.values() for asset in spec.assets}
    containers: list[App | Service] = [*specs.apps.values(), *specs.services.values()]
    declared |= {secret for spec in containers for _, secret in build_secrets(spec)}
    if key not in declared:
        guess = nearest(key, declared)
        warn(f'no spec declares the asset "{key}"{f" (did you mean {guess}?)" if guess else ""}')


def read_asset(key: str) -> None:
    """Its bytes to stdout, as they are."""
    data = assets.read_asset(session.home(), _known(key))
    assert data is not None
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def unset_asset(key: str) -> None:
    """Forget it."""
    from dusty_tasks.effects.doors.lock import Busy, held
    from dusty_tasks.operations.code.staging import remove_leftovers

    assets.remove_asset(session.home(), _known(key))
    with suppress(Busy), held("up", verb="assets", home=session.home()):
        assets.remove_stagings(session.home())
    remove_leftovers(session.paths().state)
    _note(f"assets unset {key}")
    say(f"{key}: unset")


def _known(key: str) -> str:
    kept = assets.set_keys(session.home())
    if key not in kept:
        from dusty_tasks.core.text.problems import did_you_mean

        raise Failure(f'the asset "{key}" is not set', did_you_mean(key, kept) or f"{DUSTY} assets set {key} <path>")
    return key


def _note(what: str) -> None:
    from dusty_tasks.effects.home.config import record_note

    record_note(session.home(), what, warn)


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"
