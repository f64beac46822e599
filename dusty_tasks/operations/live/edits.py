"""An edit on its way: what a save changed, when it was seen, and when it lay in the copy."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

from dusty_tasks.core.code.reloading import is_editors_file, leaves

if TYPE_CHECKING:
    from dusty_tasks.operations.code.sync_outcome import SyncOutcome


class Edit(NamedTuple):
    """One change of one repo, as it was sent."""

    began: float
    """When it was seen first, by time.monotonic."""
    visible: float
    """When it lay in the copy."""
    outcome: SyncOutcome

    @property
    def repo_id(self) -> str:
        return self.outcome.repo_id

    @property
    def files(self) -> Collection[bytes]:
        """What was sent or taken away, but for what an editor made for itself."""
        paths = self.outcome.paths
        if paths is None:
            return [os.fsencode(name) for name in (*self.outcome.changed, *self.outcome.deleted)]
        return [path for path in leaves(paths) if not is_editors_file(path)]
