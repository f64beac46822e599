"""What became of repos that were to be synced, and what people are told of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from dusty_tasks.core.text.alike import Report, sentences
from dusty_tasks.effects.code.receipts import Receipt
from dusty_tasks.effects.doors.failures import Failure

if TYPE_CHECKING:
    from dusty_tasks.core.code.replaced import Kept

SYNCED, UP_TO_DATE, FAILED = "synced", "up to date", "failed"


@dataclass(frozen=True, slots=True)
class SyncOutcome:
    """What became of one repo."""

    repo_id: str
    name: str
    """What people call the repo: the short name where only one has it, else the id."""
    status: str
    """`synced`, `up to date`, `failed`."""
    source: str = ""
    kind: str = ""
    changed: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    kept: tuple[Kept, ...] = ()
    """What was created on the Docker host, and lies aside now."""
    kept_in: str = ""
    notes: tuple[str, ...] = ()
    receipt: Receipt = field(default_factory=dict)
    before: str = ""
    """The fingerprint in the receipt until now."""
    paths: frozenset[bytes] | None = None
    """Where the source differs from what was sent before, as `a/b`; None where nobody knows."""
    sent_at: float = 0.0
    """When it lay in the copy, by time.monotonic."""
    taken: int = 0
    """What `last_taken` said of the repo's lock while this sync held it; 0 if it did not take it."""
    failure: Failure | None = None

    def __str__(self) -> str:
        if self.failure:
            return f"{self.name}: {self.failure}"
        first = f"{self.status} {self.name}: {len(self.changed)} changed, {len(self.deleted)} deleted, from {self.source} ({self.kind})"
        return "\n".join([first, *self.details()])

    def details(self) -> list[str]:
        """What a person must hear of it, however short the rest is: notes, and each file that had to go and is kept."""
        from dusty_tasks.core.code.replaced import kept_lines

        return [*(f"    {note}" for note in self.notes), *kept_lines(self.kept, self.kept_in, self.name)]


class Synced(list[SyncOutcome]):
    """One outcome a repo, in order."""

    receipts: Mapping[str, Receipt] = MappingProxyType({})
    """What lies on the Docker host now, as far as it was read."""


def failure_of(outcomes: Iterable[SyncOutcome]) -> Failure | None:
    """All failures as one, or None: exit 1 if each is for the user to mend, else 2."""
    failed = [outcome for outcome in outcomes if outcome.failure]
    if not failed:
        return None
    said = sentences(
        Report(outcome.name, str(outcome.failure), (outcome.source, outcome.repo_id), outcome.failure.code)
        for outcome in failed
        if outcome.failure
    )
    return Failure("\n".join(sentence for sentence, _code in said), code=max(code for _sentence, code in said))
