"""What `status` shows: what needs a look first, whatever the width; sums that add up."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from recorded import facts, part, repo

from dusty_tasks.core.of_verbs import status_view
from dusty_tasks.core.plan.container_state import FAILED, NOT_ANSWERING, RUNNING, STARTING, TONES, TROUBLES
from dusty_tasks.core.text.looks import Tone, painted, plain, width_of

NAMES = st.text("abcxyz-019", min_size=1, max_size=40)
PARTS = st.builds(
    part,
    NAMES,
    st.sampled_from(sorted(TONES)),
    why=st.sampled_from(["", "exited with status 1", "does not answer at http://a.test/: nothing listens\nthere"]),
    pending=st.sampled_from(["", "restart: its code changed, main.py is new"]),
    code=st.sampled_from(["", "92c058489c", "92c058489c, sync pending", "no commit", "unknown"]),
    routes=st.lists(st.sampled_from(["http://a.example.test/", "b.test:1717"]), max_size=3),
    type=st.sampled_from(["app", "service", "proxy"]),
)
STACKS = st.lists(PARTS, max_size=60, unique_by=lambda row: row["name"])


@given(STACKS, st.integers(20, 140), st.integers(8, 60))
def test_a_screen_is_never_left_in_width_or_height_and_counts_what_it_leaves_out(
    stack: list[dict[str, Any]], columns: int, lines: int
) -> None:
    shown = status_view.overview(facts(stack), columns, lines).split("\n")
    assert len(shown) <= lines and all(width_of(line) <= columns for line in shown)
    named = {
        row["name"] for row in stack if columns >= 140 and any(plain(line).startswith(row["name"]) for line in shown)
    }
    more = re.search(r"and (\d+) more", plain("\n".join(shown)))
    if columns >= 140:
        assert len(stack) - len(named) <= (int(more[1]) if more else 0)


@given(STACKS)
def test_failures_come_first_then_what_is_pending_and_each_part_has_one_line(stack: list[dict[str, Any]]) -> None:
    table = [plain(line) for line in status_view.part_table(stack)]
    assert len(table) == len(stack) + 1 if stack else True
    order = [row["name"] for row in status_view.urgent_first(stack)]
    assert [line.split()[0] for line in table[1:]] == order
    ranks = [
        (row["condition"] not in TROUBLES, not row["pending"]) for name in order for row in stack if row["name"] == name
    ]
    ranks = [(is_fine, False if not is_fine else is_done) for is_fine, is_done in ranks]
    assert ranks == sorted(ranks)


@given(STACKS)
def test_the_sums_add_up(stack: list[dict[str, Any]]) -> None:
    said = plain(status_view.sums(facts(stack)))
    if stack:
        total, _, states = said.partition("; ")[0].partition(": ")
        assert int(total.split()[0]) == len(stack) == sum(int(each.split()[0]) for each in states.split(", "))


def test_failed_is_red_pending_is_what_will_be_done_and_urls_are_shown_of_what_is_fine() -> None:
    failed = part(
        "a", FAILED, "failed (exited 1)", why="exited with status 1", pending="start: it exited with status 1"
    )
    silent = part("b", NOT_ANSWERING, why="does not answer at http://b.test/: nothing listens")
    pending = part("c", pending="recreate: its image changed", routes=["http://c.test/"])
    fine = part("d", RUNNING, routes=["http://d.test/"])
    fresh = part("e", STARTING, since="Less than a second")
    lines = {
        line.split()[0]: line for line in map(str, status_view.part_table([fine, fresh, pending, silent, failed])[1:])
    }
    assert list(lines) == ["a", "b", "c", "e", "d"]
    assert painted("dusty logs a shows why", Tone.BAD) in lines["a"]
    assert painted("failed (exited 1)", Tone.BAD) in lines["a"]
    assert painted("does not answer at http://b.test/: nothing listens", Tone.BAD) in lines["b"]
    assert painted("up will recreate it: its image changed", Tone.BUSY) in lines["c"]
    assert plain(lines["d"]).split() == ["d", "running", "3h", "http://d.test/"]
    assert plain(lines["e"]).split() == ["e", "starting", "0s"]


def test_urls_that_do_not_fit_are_counted_and_none_is_cut_that_need_not_be() -> None:
    row = part("a", routes=["http://a.example.test/", "http://b.example.test:8080/", "c.test:1717"])
    assert plain(status_view.part_table([row])[1]).endswith(
        " http://a.example.test/ http://b.example.test:8080/ c.test:1717"
    )
    assert plain(status_view.part_table([row], 84)[1]).endswith("http://a.example.test/ http://b.example.test:8080/ +1")
    assert plain(status_view.part_table([row], 60)[1]).endswith("http://a.example.test/ +2")


def test_cpu_and_memory_have_columns_where_they_were_asked_for() -> None:
    used = part("a", stats={"cpu_percent": 12.4, "memory_bytes": 3 << 20})
    head, line = (plain(text).split() for text in status_view.part_table([used]))
    assert head == ["name", "state", "age", "cpu", "memory", "commit"]
    assert line[3:] == ["12", "%", "3.0", "MiB"]
    assert "cpu" not in status_view.part_table([part("a")])[0]


def test_who_watches_sees_what_each_part_was_last_started_for() -> None:
    row = part("a", last="restarted: repo web was synced", routes=["http://a.test/"])
    shown, watched = (plain(status_view.overview(facts([row]), 120, height)) for height in (0, 24))
    assert "http://a.test/" in shown and "repo web was synced" not in shown
    assert "restarted: repo web was synced" in watched and "http://a.test/" not in watched


def test_repos_are_summed_up_and_libs_are_named() -> None:
    lib = {"name": "common", "type": "lib", "state": "", "condition": "", "why": "", "routes": [], "pending": ""}
    shown = plain(
        status_view.overview(facts([part("a"), lib], [repo("x"), repo("y", sync="3 files changed"), repo("z")]))
    ).split("\n")
    assert shown[-2:] == ["libs  common", "1 part: 1 running; 3 repos, 1 to sync"]


def test_what_was_made_in_a_copy_is_told_with_the_way_to_have_it() -> None:
    edited = repo("db", made_there=[{"path": "db/1.sql", "what": "new"}, {"path": "a", "what": "changed"}])
    assert list(status_view.made_there_lines([repo("x"), edited])) == [
        "db: db/1.sql was created on the Docker host; the next sync with changes deletes it, but keeps a copy",
        "db: a was changed on the Docker host; the next sync with changes overwrites it, but keeps a copy",
        "    hint: dusty sync db --pull PATH fetches it into the source",
    ]
