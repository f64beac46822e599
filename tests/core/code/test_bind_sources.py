"""What a container mounts, and whether it is still there."""

from __future__ import annotations

from dusty_tasks.core.code.bind_sources import lost_sources, replaced_sources

MAPPING = {"volumes": ["/persist/conf:/etc/conf:ro", "/persist/data:/data", "named:/n"]}
RECORD = {"inodes": {"/persist/conf": 1, "/persist/data": 2}}


def test_what_is_replaced_is_told_from_what_is_lost() -> None:
    now = {"/persist/data": 3}
    assert replaced_sources(MAPPING, RECORD["inodes"], now) == ["/persist/data"]
    assert lost_sources(MAPPING, RECORD, now) == ["/persist/conf"]
    assert lost_sources(MAPPING, RECORD, RECORD["inodes"]) == []


def test_nothing_is_lost_where_nothing_is_known() -> None:
    assert lost_sources(MAPPING, RECORD, {}) == lost_sources(MAPPING, {}, {"/persist/data": 2}) == []
