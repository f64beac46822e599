"""What `impact` prints: lines for a terminal, and Markdown for the comment of a pull request. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from dusty_tasks.core.of_verbs.impact import CHANGED, GONE, NEW, UNCHANGED, Impact, Unfitting
from dusty_tasks.core.plan.change import CREATE, HOSTS, RECREATE, REMOVE, RESTART, Kind
from dusty_tasks.core.text.called import PLAIN
from dusty_tasks.core.text.safe import printable
from dusty_tasks.core.text.wording import counted

NOTHING = "Nothing changes for anyone."
MARKER = f"<!-- {PLAIN} impact -->"
"""The first line of the comment: whoever writes it again finds it by this."""
MOST_CHARACTERS = 60_000
"""Of the Markdown; GitHub takes 65,536 in a comment."""
COUNTED: dict[Kind, str] = {CREATE: "created", RECREATE: "recreated", RESTART: "restarted", REMOVE: "removed"}


def text(impacts: Sequence[Impact], settings: Sequence[Unfitting], notes: Iterable[str]) -> str:
    """For a person, plain."""
    lines: list[str] = [headline(impacts, settings)]
    for impact in impacts:
        if impact.status != UNCHANGED:
            lines += ["", f"{impact.title}: {sums(impact)}"]
            lines += [f"    {line}" for line in details(impact)] if says_more(impact, impacts) else []
    if settings:
        lines += ["", "personal settings", *(f"    {line}" for line in map(setting_line, settings))]
    lines += [f"note: {note}" for note in notes]
    return "\n".join(lines)


def headline(impacts: Sequence[Impact], settings: Sequence[Unfitting]) -> str:
    """One sentence: whom it touches."""
    touched = [impact for impact in impacts if impact.status != UNCHANGED]
    if not touched:
        return "Nothing that runs changes." if settings else NOTHING
    alone = [impact for impact in impacts if not impact.is_sum]
    changed = [impact for impact in touched if not impact.is_sum]
    return f"{len(changed)} of {counted(len(alone), 'bundle')} change{'s' if len(changed) == 1 else ''}."


def sums(impact: Impact) -> str:
    """`1 container recreated, 2 restarted; the hosts file changes`."""
    if impact.status == GONE:
        return "the bundle is removed"
    counts = [(len(impact.plan.of(kind)), word) for kind, word in COUNTED.items() if impact.plan.of(kind)]
    said = [
        f"{counted(number, 'container')} {word}" if i == 0 else f"{number} {word}"
        for i, (number, word) in enumerate(counts)
    ]
    parts = [", ".join(said)] if said else []
    parts += [f"{counted(len(impact.images), 'image')} to pull"] if impact.images else []
    parts += ["the hosts file changes"] if impact.needs_root else []
    parts += [f"{counted(len(impact.powers), 'power')} to allow"] if impact.powers else []
    parts += [f"{counted(len(impact.assets), 'asset')} to set"] if impact.assets else []
    parts = parts or ([counted(len(impact.plan.changes), "small change")] if impact.plan.changes else ["no container"])
    return ("new bundle: " if impact.status == NEW else "") + "; ".join(parts)


def details(impact: Impact) -> Iterator[str]:
    """One line a change, in the order in which `up` does them; then names, ports and what people must do."""
    yield from (str(change) for change in impact.plan.changes if change.kind != HOSTS)
    for word, values in zip(("new", "gone"), impact.names, strict=True):
        if values:
            yield f"{word} names: {', '.join(values)}"
    for word, ports in zip(("new", "gone"), impact.ports, strict=True):
        if ports:
            yield f"{word} ports of the proxy: {', '.join(map(str, ports))}"
    if impact.needs_root:
        yield "the hosts section changes, which needs the hosts helper"
    for power in impact.powers:
        yield f"to allow: {power.holder}: {power.key}: {power.value} ({power.meaning}), {power.file}"
    for key in impact.assets:
        yield f"to set: asset {key}"


def says_more(impact: Impact, impacts: Sequence[Impact]) -> bool:
    """False for a sum that is what one of the bundles is already."""
    return not (impact.is_sum and any(impact._replace(title=other.title, is_sum=False) == other for other in impacts))


def setting_line(unfitting: Unfitting) -> str:
    return f"{unfitting.setting}: {unfitting.what}, {unfitting.place}"


def markdown(impacts: Sequence[Impact], settings: Sequence[Unfitting], notes: Iterable[str]) -> str:
    """At most MOST_CHARACTERS: what does not fit is counted. Text of specs is shown as it is, never as markup."""
    head = [
        MARKER,
        f"**{headline(impacts, settings)}** What the next `{PLAIN} up` changes for anyone who runs the base:",
        "",
    ]
    head += [
        f"- **{_plain(impact.title)}**: {_plain(sums(impact))}" for impact in impacts if impact.status != UNCHANGED
    ] or ["nothing."]
    foot = [f"> {_plain(note)}" for note in notes]
    room = MOST_CHARACTERS - sum(len(line) + 1 for line in foot) - 200
    blocks = [
        _folded(impact.title, details(impact))
        for impact in impacts
        if impact.status in (CHANGED, NEW) and says_more(impact, impacts)
    ]
    if settings:
        blocks.append(_folded("personal settings", [setting_line(each) for each in settings]))
    return "\n".join([*_fitting(head, blocks, room), *(["", *foot] if foot else [])]) + "\n"


def _fitting(head: Sequence[str], blocks: Sequence[list[str]], room: int) -> list[str]:
    """As many whole lines as fit; every block that is begun is closed."""
    lines, left, cut = [], room, 0
    for line in head:
        left -= len(line) + 1
        if left < 0:
            cut += 1
        else:
            lines.append(line)
    for opening, *inside, closing in blocks:
        needed = len(opening) + len(closing) + 2
        if left - needed < 0:
            cut += len(inside)
            continue
        left -= needed
        kept = []
        for line in inside:
            left -= len(line) + 1
            if left >= 0:
                kept.append(line)
        cut += len(inside) - len(kept)
        lines += [opening, *kept, closing]
    return [*lines, *([f"and {counted(cut, 'line')} more"] if cut else [])]


def _folded(title: str, lines: Iterable[str]) -> list[str]:
    inside = [printable(line) for line in lines]
    fence = "`" * max(3, 1 + max((len(run) for line in inside for run in re.findall("`+", line)), default=0))
    return [f"\n<details><summary>{_plain(title)}</summary>\n\n{fence}text", *inside, f"{fence}\n</details>"]


def _plain(words: str) -> str:
    """Text that Markdown and HTML leave alone: names and values of specs may hold anything."""
    return re.sub(r"([\\`*_\[\]<>#|~&@])", lambda found: f"&#{ord(found[0])};", printable(words))
