"""Every state has its colour."""

from __future__ import annotations

from dusty_tasks.core.plan import container_state
from dusty_tasks.core.text.looks import Tone


def test_every_state_has_a_colour_and_only_trouble_is_red() -> None:
    others = {"PROXY", "DUSTY", "LOOPS"}
    names = {
        value
        for name, value in vars(container_state).items()
        if name.isupper() and isinstance(value, str) and name not in others and not name.startswith("_")
    }
    assert names == container_state.TONES.keys()
    assert {name for name, tone in container_state.TONES.items() if tone == Tone.BAD} == container_state.TROUBLES
