"""Records of what containers were started with, as a damaged file may hold them."""
from __future__ import annotations

from typing import Any

import pytest

from dusty_tasks.core.plan.started import sound

GOOD = {"container_id": "1", "mapping": {"image": "i"}, "ready": False}


@pytest.mark.parametrize("read", [None, [], "x", 5, {"web": 5}, {"web": None}, {"web": {**GOOD, "mapping": []}}, {"web": {**GOOD, "repos": "r"}},
                                  {"web": {**GOOD, "container_id": 1}}, {"web": {**GOOD, "assets": None}}])
def test_what_is_no_record_is_left_out(read: Any) -> None:
    assert sound(read) == {}
    assert sound({**read, "db": GOOD} if isinstance(read, dict) else read) == ({"db": GOOD} if isinstance(read, dict) else {})
