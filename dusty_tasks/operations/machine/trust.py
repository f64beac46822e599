"""Consent to powers: what the specs ask for beyond containers of their own is allowed once on this machine, or does not run.

`up` and `test` call `require` and `require_of_tests` before they change anything; `dusty trust` lists, allows and revokes. What was
allowed is kept in config.yml (`trust`), and so in its history.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dusty_tasks import session
from dusty_tasks.console import confirm, may_ask, say
from dusty_tasks.core.powers.model import (
    Asked,
    Power,
    digest_of,
    from_json,
    held_against,
    power_of_private_repo,
    power_of_specs_folder,
)
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.safe import printable
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.machine.files_read import mappings_of_tests, powers_of_env_files, refuse_unsafe_reads

if TYPE_CHECKING:
    from dusty_tasks.core.plan.wanted import Wanted
    from dusty_tasks.core.suites.target import Target

TRUSTED = "trust"
"""The key of config.yml."""


def specs_id() -> str:
    """What the specs in use are called in config.yml: the configured repo, or a folder whose own specs take its place."""
    from dusty_tasks.core.specs.repo_ids import repo_of

    written = session.settings().specs_repo
    if folder_that_takes_over() or not written:
        return str(session.specs_root())
    repo = repo_of(written)
    return repo.local_path or repo.id


def folder_that_takes_over() -> str:
    """The current folder, if its own specs are used instead of those that are configured; else ''."""
    from dusty_tasks.core.specs.repo_ids import repo_of

    local, settings = session.local_specs_root(), session.settings()
    if local is None or not settings.specs_repo:
        return ""
    configured = repo_of(settings.specs_repo)
    is_the_same = os.path.realpath(local) == os.path.realpath(settings.path_of(configured.id, configured.local_path))
    return "" if is_the_same else str(local)


def powers_now(wanted: Wanted) -> list[Power]:
    """All powers of the compiled stack, with those that only this machine can tell."""
    settings = session.settings()
    found = from_json(wanted.powers)
    if folder := folder_that_takes_over():
        found.insert(0, power_of_specs_folder(folder, settings.specs_repo))
    known = {power.value for power in found if power.key == "repo"}
    if settings.host.is_elsewhere:
        found += [
            power_of_private_repo(entry)
            for entry in wanted.repos
            if entry.local_path
            and entry.id not in settings.repo_overrides
            and entry.local_path not in known
            and _is_private(entry.local_path)
        ]
        found += powers_of_env_files({container.name: container.mapping for container in wanted.containers})
    return found


def _is_private(folder: str) -> bool:
    """True for a folder that only its owner may read and that is no checkout."""
    try:
        return not os.stat(folder).st_mode & 0o077 and not os.path.exists(os.path.join(folder, ".git"))
    except OSError:
        return False


def asked(powers: Sequence[Power]) -> Asked:
    """`powers` held against what was allowed to the specs in use."""
    return held_against(powers, session.settings().trust.get(specs_id(), ()))


def require(wanted: Wanted) -> None:
    """Raise Failure unless every power of the compiled stack was allowed; on a terminal the person is asked first."""
    refuse_unsafe_reads(
        {container.name: container.mapping for container in wanted.containers},
        ((entry.id, entry.local_path) for entry in wanted.repos),
    )
    settings = session.settings()
    if not wanted.powers and not settings.host.is_elsewhere and session.local_specs_root() is None:
        return
    _require(powers_now(wanted), "up")


def require_of_tests(target: Target) -> None:
    """The same for what `dusty test` runs: the target's test image, its suites, and the services that they need."""
    from dusty_tasks.core.powers.rules import powers_of_tests

    specs = session.specs()
    owner = specs.apps.get(target.name) if target.kind == "app" else specs.libs.get(target.name)
    if owner is None:
        return
    root = str(session.specs_root())
    mappings = mappings_of_tests(target, specs.services, session.settings(), root)
    refuse_unsafe_reads(mappings, ((repo.id, repo.local_path) for repo, _ in target.mounts))
    powers = powers_of_tests(owner, specs, session.settings(), root)
    if session.settings().host.is_elsewhere:
        powers += powers_of_env_files(mappings)
    new = asked(powers).new
    if new:
        _require([*(power for power in _all_powers() if power not in powers), *powers], f"test {target.name}", new)


def _all_powers() -> list[Power]:
    """Those of the stack, [] where nothing was compiled yet."""
    try:
        return powers_now(session.wanted())
    except Failure:
        return []


def _require(powers: Sequence[Power], verb: str, needed: Sequence[Power] | None = None) -> None:
    found = asked(powers)
    new = found.new if needed is None else tuple(needed)
    if not new:
        return
    text = question(new, found.gone)
    if may_ask():
        say(text)
        if confirm("Allow this on this machine?"):
            allow(powers)
            return
        raise Failure(
            f"{verb} stops here; no container was touched", f"{DUSTY} trust specs list shows what the specs ask for"
        )
    raise Failure(
        f"{text}\n{verb} stops here; no container was touched",
        f"read it, then: {DUSTY} trust specs allow {digest_of(powers)}",
    )


def question(new: Sequence[Power], gone: Sequence[str]) -> str:
    """What a person decides on: each new power with its place, its meaning and the commit that brought it, and what is gone."""
    lines = [f"the specs of {printable(specs_id())} ask for power over this machine that you have not allowed:"]
    for power in new:
        lines += [f"    {line}" for line in lines_of(power)]
    lines += [f"    no longer asked for: {printable(identity)}" for identity in gone]
    return "\n".join(lines)


def lines_of(power: Power, *, with_commit: bool = True) -> list[str]:
    """A power as people read it."""
    place = place_of(power)
    lines = [f"{place}: {power.identity}" if place else power.identity, f"    {printable(power.meaning)}"]
    commit = commit_of(place) if with_commit and place else ""
    return [*lines, f"    {commit}"] if commit else lines


def place_of(power: Power) -> str:
    """`file:line:col` of a power in the specs as they are now, '' for one that no spec file holds."""
    if not power.file:
        return ""
    from dusty_tasks.core.specs.model import Origin
    from dusty_tasks.core.specs.sources import source_of

    found, _problems = session.checked()
    return source_of(Origin(power.file, power.path), found.places).place


def commit_of(place: str) -> str:
    """The commit that brought the line at `place`, in words; '' where there is none to tell."""
    from dusty_tasks.effects.code.line_commits import read_line_commit

    file, line, _column = place.rsplit(":", 2)
    commit = read_line_commit(str(session.specs_root()), file, int(line))
    return printable(str(commit)) if commit else ""


def allow(powers: Sequence[Power]) -> None:
    """Keep in config.yml that the specs in use may have exactly these powers."""
    repo, identities = specs_id(), sorted({power.identity for power in powers})

    def change(config: dict[str, Any]) -> None:
        trusted = config.get(TRUSTED)
        config[TRUSTED] = {**(trusted if isinstance(trusted, dict) else {}), repo: identities}

    _change(f"trust specs allow {digest_of(powers)} ({repo})", change)


def revoke() -> bool:
    """Forget what was allowed to the specs in use; False if nothing was."""
    repo = specs_id()
    if repo not in session.settings().trust:
        return False

    def change(config: dict[str, Any]) -> None:
        del config[TRUSTED][repo]

    _change(f"trust specs revoke ({repo})", change)
    return True


def _change(what: str, change: Any) -> None:
    from dusty_tasks.console import warn
    from dusty_tasks.effects.home.config import change_config

    change_config(session.base_home(), what, change, warn)
    session.forget()
