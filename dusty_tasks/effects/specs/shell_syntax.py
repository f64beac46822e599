"""`sh -n`: what the shell says of commands that it would have to run. Nothing of them is run."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from itertools import islice

from dusty_tasks.core.check.shell import Refusal
from dusty_tasks.core.text.memo import sha256
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import read_bytes, write_atomically

EACH = """
cd "$1" || exit 1
for file in *; do
    said=$("$2" -n "./$file" 2>&1) || printf '%s\\n%s\\n\\001\\n' "$file" "$said"
done
"""
"""Words: a folder of scripts, the shell. Prints the name of each that is refused, what is said of it, and a line with a character 1."""
KEPT = 20_000
"""Texts that are remembered as accepted."""
PATIENCE = 120.0


def read_refusals(texts: Iterable[str], cache_path: str, *, is_kept: bool = True) -> dict[str, Refusal]:
    """Text -> why the shell refuses it, for those that it does.

    What it accepted before is known from `cache_path`, and not asked again; what it accepts now is added there if `is_kept`.
    """
    by_digest = {sha256(text.encode()).hexdigest()[:20]: text for text in texts}
    accepted = dict.fromkeys((read_bytes(cache_path) or b"").decode("ascii", "ignore").split()) if by_digest else {}
    asked = {digest: text for digest, text in by_digest.items() if digest not in accepted}
    if not asked:
        return {}
    from shutil import which

    refused = _refused(asked, "sh")
    is_bash = (
        set(refused) - set(_refused({digest: asked[digest] for digest in refused}, "bash"))
        if refused and which("bash")
        else set()
    )
    if is_kept and len(refused) < len(asked):
        new = [digest for digest in asked if digest not in refused]
        _remember(cache_path, [*new, *islice(accepted, max(0, KEPT - len(new)))])
    return {asked[digest]: Refusal(line, what, digest in is_bash) for digest, (line, what) in refused.items()}


def _refused(texts: dict[str, str], shell: str) -> dict[str, tuple[int, str]]:
    """Name of a text -> (line, what the shell says), all in one process of ours."""
    if not texts:
        return {}
    from tempfile import TemporaryDirectory

    from dusty_tasks.effects.doors import process

    with TemporaryDirectory(prefix="dusty-commands-") as folder:
        for name, text in texts.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(f"{text}\n")
        printed = process.run(["sh", "-c", EACH, "sh", folder, shell], timeout=PATIENCE).out
    found = {}
    for record in printed.split("\n\1\n"):
        name, _, said = record.partition("\n")
        if name in texts:
            found[name] = _said(said)
    return found


def _said(said: str) -> tuple[int, str]:
    """`./x: 3: Syntax error: …`, `./x: line 3: syntax error …`, `./x: line 3: syntax error: …` -> (3, `syntax error …`)."""
    first = said.splitlines()[0] if said else "it is refused"
    match = re.fullmatch(r"[^:]*: (?:line )?(\d+): (.*)", first)
    what = match.group(2) if match else first
    return int(match.group(1)) if match else 0, what[:1].lower() + what[1:]


def _remember(path: str, digests: Collection[str]) -> None:
    try:
        write_atomically(path, "\n".join(digests).encode())
    except Failure:
        pass  # A cache that cannot be written costs time, not the run.
