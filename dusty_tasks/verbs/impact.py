"""`dusty impact`: what a change of the specs does to everybody who works with them, told without Docker, root, network or settings."""

from __future__ import annotations

import tempfile

from dusty_tasks import session
from dusty_tasks.console import say
from dusty_tasks.core.text.problems import errors
from dusty_tasks.effects.code.commits import History
from dusty_tasks.effects.doors.failures import Failure, refuse_errors
from dusty_tasks.effects.doors.source_lines import told
from dusty_tasks.operations.impact import Found, Tree, compare, surroundings
from dusty_tasks.verbs.shared.words import misuse, say_json


def run(words: list[str], markdown: bool = False, json: bool = False) -> int:
    """Compare the specs of BASE with those of HEAD, or with the working tree. Raises Failure for broken specs and unknown commits."""
    if len(words) > 1:
        raise misuse("impact", f'unexpected argument "{words[1]}"')
    if markdown and json:
        raise misuse("impact", "--markdown and --json are two forms of one answer: choose one")
    root = str(session.specs_root())
    history = History(root)
    base_word, dots, head_word = (words[0] if words else "").partition("..")
    head = history.commit(head_word or "HEAD")
    base = history.common_ancestor(history.commit(base_word) if base_word else history.usual_base(), head)
    with tempfile.TemporaryDirectory(prefix="dusty-impact-") as folder:
        base_root = history.lay_out(base, f"{folder}/base")
        head_root = history.lay_out(head, f"{folder}/head") if dots else root
        found = _compared(base_root, head_root, f"{folder}/home")
    if json:
        say_json(_as_json(base, head if dots else "", found))
    else:
        from dusty_tasks.core.of_verbs import impact_text

        make = impact_text.markdown if markdown else impact_text.text
        say(make(found.impacts, found.settings, found.notes).rstrip("\n"))
    return 0


def _compared(base_root: str, head_root: str, home: str) -> Found:
    before, problems = session.read_specs(base_root)
    if errors(problems):
        raise Failure(
            f"the specs of the base are broken, so what runs there is unknown:\n{told(problems)}",
            "compare with a commit whose specs are fine",
        )
    now, problems = session.read_specs(head_root)
    refuse_errors(problems)
    return compare(Tree(base_root, before), Tree(head_root, now), surroundings(home))


def _as_json(base: str, head: str, found: Found) -> dict[str, object]:
    """A stable form; `head` is '' for a working tree."""
    from dusty_tasks.core.of_verbs.impact import UNCHANGED, to_json

    return {
        "base": base,
        "head": head,
        "changes": any(impact.status != UNCHANGED for impact in found.impacts) or bool(found.settings),
        "bundles": [to_json(impact) for impact in found.impacts if not impact.is_sum],
        "together": next((to_json(impact) for impact in found.impacts if impact.is_sum), None),
        "settings": [unfitting._asdict() for unfitting in found.settings],
        "notes": found.notes,
    }
