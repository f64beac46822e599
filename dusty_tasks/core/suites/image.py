"""When the image of a test target is made anew, and why."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import NamedTuple

from dusty_tasks.core.specs.repo_ids import shown_names
from dusty_tasks.core.text.namespace import TARGET_LABEL, TEST_LABELS


class ImageInputs(NamedTuple):
    """Everything that a test image is made from."""

    base: str
    """Id of the image below it."""
    setup_text: str
    """test/setup.sh: assets, lib installs and `once`."""
    mounts: tuple[str, ...]
    code: dict[str, str]
    """What counts as a version of the code, by repo id: a commit, or a digest of the files that `test.inputs` matches."""


def labels_of(target_name: str, inputs: ImageInputs) -> dict[str, str]:
    """The labels of the image made from `inputs`: all that the next run needs to judge it."""
    return {
        TARGET_LABEL: target_name,
        f"{TEST_LABELS}base": inputs.base,
        f"{TEST_LABELS}setup": _digest(inputs.setup_text),
        f"{TEST_LABELS}mounts": _digest(json.dumps(inputs.mounts)),
        f"{TEST_LABELS}code": json.dumps(inputs.code, sort_keys=True),
    }


def remake_cause(target_name: str, found: Mapping[str, str] | None, inputs: ImageInputs, *, is_asked_for: bool) -> str:
    """Why the image must be made anew, or '' if it need not. `found` are its labels, None without an image."""
    if found is None:
        return "there is none yet"
    if is_asked_for:
        return "asked for with --recreate"
    wanted = labels_of(target_name, inputs)
    for key, cause in (
        ("base", "its base image changed"),
        ("setup", "its setup changed: once, lib installs or assets"),
        ("mounts", "its mounts changed"),
    ):
        if found.get(TEST_LABELS + key) != wanted[TEST_LABELS + key]:
            return cause
    return _code_cause(found.get(f"{TEST_LABELS}code", ""), inputs.code)


def _code_cause(recorded: str, code: Mapping[str, str]) -> str:
    try:
        former = json.loads(recorded)
    except ValueError:
        former = {}
    if former == code:
        return ""
    for repo_id in code:
        before, now = former.get(repo_id, ""), code[repo_id]
        if before != now:
            what = f" ({before[:10]} -> {now[:10]})" if before and now else ""
            return f"the code of {shown_names(code)[repo_id]} changed{what}"
    return "its repos changed"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def setup_command(asset_paths: tuple[str, ...]) -> list[str]:
    """Runs setup.sh, then deletes the copies of assets whatever became of it: no secret gets into an image."""
    script = 'sh /command_files/test/setup.sh; status=$?; rm -f -- "$@"; exit $status'
    return ["sh", "-c", script, "dusty", *asset_paths]
