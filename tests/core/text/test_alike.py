"""One error of many is one error with a list."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.text.alike import OWN, Report, merged, sentences

DNS = "`git clone -- {url} {path}.making` exited with status 128:\n    ssh: Could not resolve hostname git.test: Name or service not known"


def of_repo(name: str, text: str = DNS) -> Report:
    url, path = f"ssh://git@git.test/org/{name}", f"/home/me/.dusty/repos/git.test/org/{name}"
    return Report(f"git.test/org/{name}", text.format(url=url, path=path), (url, path), 2)


def test_five_repos_with_one_cause_are_one_error() -> None:
    said = sentences(map(of_repo, "abcde"))
    assert said == [
        (f"each of 5 ({', '.join(f'git.test/org/{name}' for name in 'abcde')}): {DNS.format(url=OWN, path=OWN)}", 2)
    ]


def test_one_alone_keeps_its_own_words() -> None:
    ((said, code),) = sentences([of_repo("a")])
    assert "/repos/git.test/org/a.making" in said and code == 2


def test_a_hundred_containers_with_one_cause_are_named_once_each() -> None:
    reports = [
        Report(
            f"app-{n}",
            f"exited with status 127; its last lines:\n    sh: app-{n}: not found\n    see http://app-{n}.test/",
            (f"http://app-{n}.test/",),
            2,
        )
        for n in range(100)
    ]
    ((said, _),) = sentences(reports, " ")
    assert (
        said.count("\n") == 2
        and all(f"app-{n}," in said for n in range(99))
        and said.startswith("each of 100 (app-0, app-1,")
    )


def test_causes_that_differ_stay_apart_and_in_order() -> None:
    reports = [
        Report("a", "is down"),
        Report("b", "is unhealthy"),
        Report("c", "is down"),
        Report("d", "is down", code=2),
    ]
    assert sentences(reports, " ") == [("each of a and c is down", 1), ("b is unhealthy", 1), ("d is down", 2)]


def test_a_name_inside_another_word_stays() -> None:
    (one,) = merged([Report("a", "has a cat-a and a"), Report("b", "has b cat-a and b")])
    assert one.text == f"has {OWN} cat-a and {OWN}"


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(("x", "y", "z"))), unique_by=lambda pair: pair[0]))
def test_nobody_is_lost_and_each_cause_is_said_once(pairs: list[tuple[str, str]]) -> None:
    found = merged(Report(f"app-{name}", f"fails with {cause}") for name, cause in pairs)
    assert sorted(name for each in found for name in each.names) == sorted(f"app-{name}" for name, _ in pairs)
    assert len(found) == len({cause for _, cause in pairs})
