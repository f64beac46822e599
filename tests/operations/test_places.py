"""From a key of the Compose file to its spec line, for the causes of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dusty_tasks.operations.places import place_finder


class Rows(list[dict[str, Any]]):
    """Counts how often somebody goes through it."""

    walks = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self.walks += 1
        return super().__iter__()


def test_rows_are_gone_through_once_however_many_places_are_asked_for() -> None:
    rows = Rows(
        {"lines": [n, n], "key": f"services.a{n}", "from": f"apps/a{n}.yml:1:1", "spec_key": ""} for n in range(2000)
    )
    place_of = place_finder(lambda: {"docker-compose.yml": rows})
    assert [place_of(f"a{n}", ("image",)) for n in range(2000)] == [f"apps/a{n}.yml:1:1" for n in range(2000)]
    assert rows.walks == 1
