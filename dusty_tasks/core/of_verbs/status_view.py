"""What `status` shows a person: a line for each part of the stack, what needs a look first; sums; the details of one part. Pure.

The facts are those of `status --json`. Texts are marked for colours (core/text/looks). A width of 0 means that nothing is cut: a pipe.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dusty_tasks.core.plan.container_state import (
    ABSENT,
    CREATED,
    FINISHED,
    OFF,
    PAUSED,
    RUNNING,
    STARTING,
    TONES,
    TROUBLES,
)
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.looks import Tone, between_marks, cut, linked, padded, painted, width_of, wrapped
from dusty_tasks.core.text.safe import printable
from dusty_tasks.core.text.wording import counted, short_age, size_text

Row = Mapping[str, Any]

NAME_SHARE = 3
"""A name takes at most this part of the width: what happens to it is worth more than its end."""
COMMIT = 7
"""Letters of a commit in the table; the details have more."""
SPARE = "  "
LEAST_NOTE = 24
"""Columns that the last one of the table needs to be worth its line: where there are fewer, the commits are left to the details."""


def overview(facts: Mapping[str, Any], width: int = 0, height: int = 0) -> str:
    """All of `status`; on a screen of `height` lines (0: as many as it takes) what needs a look stays, and the rest is counted."""
    head = [*heads(facts), ""]
    parts = [row for row in facts["stack"] if row["type"] != "lib"]
    libs = [row["name"] for row in facts["stack"] if row["type"] == "lib"]
    foot = [f"{painted('libs', Tone.QUIET)}  {', '.join(map(printable, libs))}"] if libs else []
    if facts["stack"] or facts["repos"]:
        foot += [sums(facts)] if height or not width else wrapped(sums(facts), width, "  ").split("\n")
    table = part_table(parts, width, shows_last=bool(height)) if parts else []
    room = max(height - len(head) - len(foot), 2) if height else len(table)
    if len(table) > room:
        # Its heading and the line that counts the others are of the table, too.
        left_out = urgent_first(parts)[room - 2 :]
        table = [*table[: room - 1], painted(f"… and {len(left_out)} more: {_by_state(left_out)}", Tone.QUIET)]
    lines = [*head, *table, *([""] if table and not height else []), *foot]
    return "\n".join(cut(line, width) if width else line for line in lines).rstrip("\n")


def heads(facts: Mapping[str, Any]) -> Iterator[str]:
    """Which bundles, on which Docker host; what of the machine stands in the way."""
    bundles, host = facts["bundles"], facts["docker_host"]
    if world := facts.get("world"):
        why = f" ({world['why']})" if world["why"] else ""
        yield f"world: {world['name']} on {world['address']}{why}"
    yield f"bundles: {', '.join(bundles) or f'none is activated ({DUSTY} bundles activate <name>)'}"
    if facts.get("disabled"):
        yield f"disabled on this machine: {', '.join(map(printable, facts['disabled']))} ({DUSTY} enable NAME)"
    if facts.get("overrides"):
        yield f"your overrides: {', '.join(map(printable, facts['overrides']))}"
    if host["answers"]:
        yield f"Docker host: {host['name']}, engine {host['engine']}, {host['cpus']} CPUs, {host['memory_gib']} GiB"
    elif host["state"] == OFF:
        yield f"Docker host: {host['name']} is {painted('off', Tone.WARNING)} ({DUSTY} up or {DUSTY} start starts it)"
    else:
        yield f"Docker host: {painted(host['trouble'], Tone.BAD)}; what runs there is unknown"


def urgent_first(rows: Iterable[Row]) -> list[Row]:
    """Failures, then what `up` would change, what is under way, what does not run; then the rest by name, the proxy last."""

    def rank(row: Row) -> tuple[int, bool, str]:
        condition = row.get("condition", "")
        order = (
            condition in TROUBLES,
            bool(row.get("pending")),
            condition in (STARTING, CREATED, PAUSED, ABSENT),
            condition not in (RUNNING, FINISHED),
        )
        return (
            next((number for number, is_so in enumerate(order) if is_so), len(order)),
            row["type"] == "proxy",
            row["name"],
        )

    return sorted(rows, key=rank)


def part_table(rows: Sequence[Row], width: int = 0, *, shows_last: bool = False) -> list[str]:
    """A line a part, with its heading: name, state, age, commit, and what is to be known of it: why it failed, what is pending, its URLs."""
    has_stats = any(row.get("stats") for row in rows)
    titles = ("name", "state", "age", *(("cpu", "memory") if has_stats else ()), "commit")
    urgent = urgent_first(rows)
    cells = [titles, *(tuple(_cells(row, has_stats)) for row in urgent)]
    columns = [max(map(width_of, column)) for column in zip(*cells, strict=True)]
    if width:
        columns[0] = min(columns[0], max(width // NAME_SHARE, len(titles[0])))
        if width - sum(columns) - len(SPARE) * len(columns) < LEAST_NOTE:
            columns.pop()
    shown = []
    room = width - sum(columns) - len(SPARE) * len(columns) if width else 0
    for row, note in zip(cells, ["", *(_note(each, room, shows_last=shows_last) for each in urgent)], strict=True):
        line = SPARE.join(padded(cut(cell, room), room) for cell, room in zip(row, columns, strict=False))
        line = f"{line}{SPARE}{note}".rstrip()
        shown.append(cut(line, width) if width else line)
    return [painted(shown[0], Tone.QUIET), *shown[1:]]


def _cells(row: Row, has_stats: bool) -> Iterator[str]:
    tone = TONES.get(row.get("condition", ""))
    yield printable(row["name"])
    yield painted(row["state"], tone) if tone else row["state"]
    yield painted(short_age(row.get("since", "")), Tone.QUIET)
    if has_stats:
        stats = row.get("stats") or {}
        yield f"{stats['cpu_percent']:.0f} %" if stats else ""
        yield size_text(stats["memory_bytes"]) if stats else ""
    commit = row.get("code", "").partition(",")[0]
    yield painted(commit if commit == "unknown" else "" if commit == "no commit" else commit[:COMMIT], Tone.QUIET)


def _note(row: Row, room: int = 0, *, shows_last: bool = False) -> str:
    """The one thing to know of a part, in a line; foreign words stay harmless. Of URLs, as many as fit `room` columns (0: all), the others counted.

    `shows_last`: why it was started last instead of its URLs, for those who watch.
    """
    why, pending = row.get("why", ""), row.get("pending", "")
    if why:
        # Its state has the status already.
        is_said = re.fullmatch(r"(?:ended|exited) with status \d+", why)
        return painted(f"{DUSTY} logs {row['name']} shows why" if is_said else _in_one_line(why), Tone.BAD)
    if pending:
        kind, _, cause = pending.partition(": ")
        return painted(f"up will {kind} it: {_in_one_line(cause)}", Tone.BUSY)
    if row.get("code", "").endswith("sync pending"):
        return painted("its code is not synced yet", Tone.BUSY)
    if shows_last and row.get("last"):
        return painted(_in_one_line(row["last"]), Tone.QUIET)
    routes = [printable(route) for route in row.get("routes", ())]
    shown = len(routes)
    while room and shown > 1 and len(" ".join(routes[:shown])) + len(" +0") * (shown < len(routes)) > room:
        shown -= 1
    more = [f"+{len(routes) - shown}"] if shown < len(routes) else []
    return " ".join([*map(linked, routes[:shown]), *more])


def _in_one_line(text: str) -> str:
    return between_marks(" ".join(text.split()), printable)


def sums(facts: Mapping[str, Any]) -> str:
    """`34 parts: 1 failed, 31 running; 2 changes pending; 5 repos, 1 to sync`."""
    parts = [row for row in facts["stack"] if row["type"] != "lib"]
    pending = sum(bool(row.get("pending")) for row in parts)
    sentences = []
    if parts:
        sentences.append(f"{counted(len(parts), 'part')}: {_by_state(parts)}")
    if pending:
        sentences.append(painted(f"{pending} pending ({DUSTY} plan)", Tone.BUSY))
    if facts["repos"]:
        behind = sum(row["sync"] not in ("up to date", "mounted itself", "unknown") for row in facts["repos"])
        to_sync = f", {painted(f'{behind} to sync', Tone.BUSY)}" if behind else ""
        sentences.append(f"{counted(len(facts['repos']), 'repo')}{to_sync}")
    return "; ".join(sentences)


def _by_state(rows: Sequence[Row]) -> str:
    numbers: dict[str, int] = {}
    for row in urgent_first(rows):
        condition = row.get("condition", "")
        numbers[condition] = numbers.get(condition, 0) + 1
    return ", ".join(
        painted(f"{number} {name}", TONES[name]) if name in TONES else f"{number} {name}"
        for name, number in numbers.items()
    )


def details(rows: Iterable[Row], repos: Sequence[Row], width: int = 0) -> str:
    """All that is known of parts, a block each: what the table has no room for. `repos`: those that are told of in the blocks."""
    return "\n\n".join("\n".join(_block(row, repos, width)) for row in urgent_first(rows))


def _block(row: Row, repos: Sequence[Row], width: int) -> Iterator[str]:
    yield f"{painted(printable(row['name']), Tone.STRONG)} ({row['type']})"
    stats = row.get("stats")
    tone = TONES.get(row.get("condition", ""))
    why = f": {row['why']}" if row.get("why") else ""
    facts = (
        ("state", f"{painted(row['state'], tone) if tone else row['state']}{_for(row)}{why}" if row["state"] else ""),
        ("stats", f"{stats['cpu_percent']:.1f} % CPU, {size_text(stats['memory_bytes'])}" if stats else ""),
        ("image", row.get("image", "")),
        *(("url", linked(route)) for route in row.get("routes", ())),
        ("ports", ", ".join(row.get("ports", ()))),
        ("code", row.get("code", "")),
        *(("repo", _repo_line(repo)) for repo in repos if repo["id"] in row.get("repos", ())),
        ("last", row.get("last", "")),
        ("pending", painted(_in_one_line(row.get("pending", "")), Tone.BUSY)),
    )
    for name, text in facts:
        if text:
            line = f"  {painted(name.ljust(9), Tone.QUIET)}{between_marks(text, _kept_lines)}"
            yield wrapped(line, width, " " * 9) if width else line


def _for(row: Row) -> str:
    """` for 3 hours`, ` about an hour ago`."""
    since = row.get("since", "")
    since = since[:1].lower() + since[1:]
    return "" if not since else f" {since}" if since.endswith("ago") else f" for {since}"


def _kept_lines(text: str) -> str:
    return "\n           ".join(printable(line) for line in text.split("\n"))


def _repo_line(repo: Row) -> str:
    made = ", ".join(filter(None, (repo["branch"], repo["commit"], repo["sync"], repo.get("git", ""))))
    return f"{repo['name']} ({repo['from']}): {made}"


def made_there_lines(repos: Iterable[Row]) -> Iterator[str]:
    """What was made in copies, what becomes of it, and the way to have it in the source."""
    for row in repos:
        for edit in row.get("made_there") or ():
            is_new = edit["what"] == "new"
            yield (
                f"{row['name']}: {edit['path']} was {'created' if is_new else 'changed'} on the Docker host; "
                f"the next sync with changes {'deletes' if is_new else 'overwrites'} it, but keeps a copy"
            )
        if row.get("made_there"):
            yield f"    hint: {DUSTY} sync {row['name']} --pull PATH fetches it into the source"
