"""What the parts of a world's stack differ in from the base's: their inputs, compared one by one. Pure.

Both are rendered with the settings of the base, but for the sources of repos: a folder that holds the same is no difference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import NamedTuple

from dusty_tasks.core.plan.differences import mapping_differences
from dusty_tasks.core.plan.found import Sources
from dusty_tasks.core.plan.wanted import Wanted, WantedContainer
from dusty_tasks.core.text.key_path import KeyPath


class Inputs(NamedTuple):
    """What one of both stacks is made of."""

    wanted: Wanted
    sources: Sources


class Moved(NamedTuple):
    """A repo that the world takes from another folder."""

    repo_id: str
    shown: str
    """Its name for people."""
    folder: str
    """Of the world."""
    former: str
    """Of the base."""
    is_other: bool
    """What is in them differs."""

    def __str__(self) -> str:
        return f"repo {self.shown} comes from {self.folder} (base: {self.former})"


class Difference(NamedTuple):
    """One, and the key of the container's entry whose place tells where it comes from; None where no spec says it."""

    what: str
    path: KeyPath | None = None


def differences(base: Inputs, world: Inputs, moved: Iterable[Moved]) -> dict[str, Difference]:
    """Part -> the first thing in which it differs, for those that do; the proxy is no part."""
    moved = list(moved)
    before = {container.name: container for container in base.wanted.containers}
    found: dict[str, Difference] = {}
    for container in world.wanted.containers:
        if container.kind == "proxy":
            continue
        former = before.get(container.name)
        difference = (
            _difference(former, container, base.sources, world.sources, moved)
            if former
            else Difference("the base does not have it", ())
        )
        if difference:
            found[container.name] = difference
    return found


def _difference(
    before: WantedContainer, now: WantedContainer, former: Sources, sources: Sources, moved: list[Moved]
) -> Difference | None:
    for repo in moved:
        if repo.is_other and repo.repo_id in now.repo_ids:
            return Difference(str(repo))
    if former.contexts.get(now.name) != sources.contexts.get(now.name):
        return Difference(f"what its image is built from differs in {now.build_context}", ("build",))
    entry = json.loads(_at_former_places(json.dumps(now.mapping), moved))
    for difference in mapping_differences(json.loads(json.dumps(before.mapping)), entry, frozenset()):
        return Difference(difference.what, difference.path)
    if before.always_digest != now.always_digest or former.command_files.get(now.name) != sources.command_files.get(
        now.name
    ):
        return Difference("what it runs at each start differs", ("commands", "always"))
    for path in now.spec_files:
        if former.spec_files.get(path) != sources.spec_files.get(path):
            return Difference(f"{path} of the specs differs", ("volumes",))
    if former.environment.get(now.name) != sources.environment.get(now.name):
        return Difference("its environment differs", ("environment",))
    if (before.asset_keys, before.secrets, before.repo_ids) != (now.asset_keys, now.secrets, now.repo_ids):
        return Difference("its spec differs", ())
    return None


def _at_former_places(text: str, moved: Iterable[Moved]) -> str:
    """With the folders of the base in place of those of the world, so that a folder with the same content is no difference."""
    for repo in moved:
        folder, former = (json.dumps(path)[1:-1] for path in (repo.folder, repo.former))
        text = re.sub(f'{re.escape(folder)}(?=[/:"\\\\$]|$)', former.replace("\\", r"\\"), text)
    return text
