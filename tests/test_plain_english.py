"""Words that we no longer use, in messages, help texts and docs: a native reader stumbles over them (docs/architecture.md)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RETIRED = {
    r"one word too many": 'unexpected argument "…"',
    r"words and options": "[arguments] [options]",
    r"is not a verb": "there is no command",
    r"[Hh]ave a look at it": "review it",
    r"put back the": "restored the …",
    r"see to a": "check …",
    r"may end otherwise": "whose inputs have changed",
    r"have ended count": "exited containers are included",
    r"go on as they": "follow new output",
    r"with times\b": "show timestamps",
    r"belongs? into": "belong in; add … to",
    r"is ours within": "is within … of this machine's",
    r"finds fault": "reports an error",
    r"closed to this account": "this account may not use",
    r"no rule is about": "no rule excludes it",
    r"therefore stays": "left …",
    r"status is ours": "exits with the command's status",
    r"comes as it is": "an off-the-shelf …",
    r"commands bring it": "to install it, run",
    r"ended with status": "exited with status",
    r"\bwas made and (?:never|not)\b": "was created …",
    r"keeps ending": "keeps exiting",
    r"[Nn]obody noted": "was not recorded",
    r"started anew|made anew after": "restarted, recreated",
    r"that was broken off left": "left by an interrupted …",
    r"[Nn]othing takes connections": "nothing accepts connections",
    r"leads (?:out|nowhere)\b": "points outside …, resolves to nothing",
    r"\bis no (?:signal|action|folder of|Compose key|line of)\b": "is not a …",
    r"declared nowhere": "is not declared",
    r"in case alone": "only in case",
    r"is no (?:regular file|folder to)": "is not a …",
    r"compared anew|read anew by": "again",
    r"\^C ends": "press ^C to stop",
    r"takes no words": "takes no arguments",
    r"\ba file of Dusty's belongs": "Dusty needs a file there",
    r"not to be found": "cannot be found",
    r"checks everything anew": "checks everything again",
    r"goes on where this one ended": "continues where this one stopped",
    r"broken[- ]off restore|persist/ was broken off": "interrupted",
    r"\bfailed by itself": "failed on its own",
    r"[Nn]othing changes for anybody": "for anyone",
    r"is no value for YAML": "cannot be written as YAML",
    r"is no (?:time|UTF-8):|is no app or service|is no machine's": "is not a …",
    r"link out of the specs": "a link that points outside the specs",
    r"link leads (?:from there|to)": "points to …",
    r"making a stand-in": "building a stand-in",
    r"Make (?:it, empty|a VM)": "Create …",
    r"is in no git repo": "is not in a git repo",
    r"to whoever runs": "anyone who …",
    r"look where it comes from": "find out where it comes from",
    r"\bnames lead nowhere": "the names do not resolve",
    r"[Nn]obody agreed that": "nobody agreed to …",
    r"\b[Ss]hall (?:Dusty|I|it|accept)": "a question that begins with the verb: Install …? [y/N]",
}
"""Pattern -> what a native would write."""
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "CHANGELOG.md"]


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a module that are no docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def test_no_message_says_it_any_more() -> None:
    texts = [
        (f"{path.relative_to(ROOT)}:{line}", " ".join(text.split()))
        for path in sorted((ROOT / "dusty_tasks").rglob("*.py"))
        for line, text in literals(path)
        if " " in text
    ]
    texts += [(str(path.relative_to(ROOT)), " ".join(path.read_text("utf-8").split())) for path in PAGES]
    any_of_them = re.compile("|".join(RETIRED))
    suspects = [(place, text) for place, text in texts if any_of_them.search(text)]
    found = [
        f"{place}: {pattern}: write: {better}"
        for pattern, better in RETIRED.items()
        for place, text in suspects
        if re.search(pattern, text)
    ]
    assert found == []
