"""What the copy of a repo gained or changed on the Docker host since its last sync: a look at all of it, for `status -v` alone."""

from __future__ import annotations

from dusty_tasks.core.code.replaced import edits
from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.effects.code.copy_states import read_states
from dusty_tasks.effects.code.fingerprint import read_rules, read_source
from dusty_tasks.effects.code.receipts import Receipt
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.code.copy_of_repo import CopyOfRepo


def edits_of_copy(
    entry: RepoEntry, source_path: str, host: DockerHost, settings: Settings, receipt: Receipt
) -> list[tuple[bytes, str]] | None:
    """(path, `new` or `changed`), as far as a sync would delete or overwrite it; None where that cannot be told: the source is gone, the
    Docker host is away, or nobody remembers what was sent. Raises nothing.
    """
    try:
        rules = read_rules(source_path, settings.sync_exclude)
        copy = CopyOfRepo(host, settings, entry, source_path, read_source(source_path, rules))
        if copy.last_fingerprint != receipt.get("fingerprint"):
            return None
        states = read_states(host, host.path(copy.below))
        return edits(lambda folder: states.get(folder, ()), copy.sent, copy.guard(copy.records()))
    except (OSError, Failure):
        return None
