"""`dusty`: the verbs that choose, on a DUSTY_HOME with specs of a few lines."""

from __future__ import annotations

import pytest
from chosen import chosen_home

dusty = pytest.fixture(chosen_home, name="dusty")
