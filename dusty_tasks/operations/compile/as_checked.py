"""When a step is up to date: by what its inputs and outputs were when it was checked.

doit records the state of a file_dep after the action, so an edit made meanwhile would be taken for done, and it looks at
targets for existence alone. This looks at the inputs before the action reads them, and at what the action left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dusty_tasks.core.text.memo import digest
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.file_states import tree_states


class AsChecked:
    """An `uptodate` callable. `inputs` gives what the step reads, `outputs` are the files and folders that it leaves.

    `outputs` are compared by state: an edit or a deletion is noticed, and a file that was only touched costs one run that
    writes nothing.
    """

    def __init__(self, inputs: Callable[[], object], outputs: tuple[str, ...]) -> None:
        self.inputs, self.outputs = inputs, outputs
        self.found: list[object] = []
        """The states of the outputs, as this process found or left them."""
        self._seen = self._noted = ""

    def __repr__(self) -> str:
        return "inputs and artifacts as they were left"

    def __call__(self, task: Any, values: dict[str, Any]) -> bool:
        """As doit asks: `values` are what it kept of the step's last end, and `task` what takes what to keep of this one."""
        is_done = self.is_as_left(values)
        if self._seen:
            task.value_savers.append(self.left)
        return is_done

    def is_as_left(self, values: Mapping[str, Any]) -> bool:
        """True if inputs and outputs are as `values` says, which `left` gave when the step ended last."""
        self._seen = ""
        try:
            self._seen = digest(self.inputs())
        except (Failure, OSError):
            return False  # The step itself says what is wrong.
        return bool(values.get("seen") == self._seen and values.get("left") == self._look())

    def left(self) -> dict[str, str]:
        """What to keep of the step that ended now."""
        return {"seen": self._seen, "left": self._noted}

    def noting(self, action: Callable[[], None]) -> Callable[[], None]:
        """`action`, and right after it a look at what it left: doit would look when others may have written there again."""

        def acted() -> None:
            action()
            self._noted = self._look()

        return acted

    def _look(self) -> str:
        self.found = [tree_states(path) for path in self.outputs]
        return digest(self.found)
