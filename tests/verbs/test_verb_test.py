"""`dusty test` up to the engine: tables, names, order, -n, --cached, what is said (real runs: tests/e2e/test_verbs_test.py)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from chosen import Chosen, Ended
from engines import Engine, engine

from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.code import repos
from dusty_tasks.operations.suites import image as suite_images
from dusty_tasks.operations.suites import prepare as suite_prepare
from dusty_tasks.operations.suites import run as suite_runs
from dusty_tasks.operations.suites.prepare import Prepared
from dusty_tasks.operations.suites.run import SuiteResult

__all__ = ["engine"]

WEB = """
    image: busybox:1
    commands: {always: [httpd -f]}
    test:
      image: busybox:1
      suites:
        - {name: unit, command: [./unit], description: Fast ones, default_args: "-v 'a b'"}
        - {name: net, command: [./net]}
        - {name: last, command: [./last]}
    """


class Runs:
    """Suites that end as they are told to; what was run, and in which order."""

    def __init__(self) -> None:
        self.codes: dict[str, int | Failure] = {}
        self.ran: list[tuple[str, list[str]]] = []
        self.closed = 0
        self.during: Callable[[], None] = lambda: None
        self.is_attached = False
        """They print what the stand-in for docker prints."""

    def run(
        self,
        _runner: object,
        suite: Any,
        arguments: list[str],
        attach: Callable[[list[str]], int],
        terminal: object = None,
    ) -> SuiteResult:
        self.ran.append((suite.name, list(arguments)))
        self.during()
        if self.is_attached:
            attach(["docker", "start", suite.name])
        code = self.codes.get(suite.name, 0)
        if isinstance(code, Failure):
            raise code
        return SuiteResult(suite.name, code, 1.25)


@pytest.fixture
def runs(dusty: Chosen, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Runs:
    dusty.write("apps/web.yml", WEB)
    runs = Runs()
    monkeypatch.setattr(
        suite_prepare,
        "prepare",
        lambda *_words: Prepared({"setup.sh": "", "unit.sh": "u", "net.sh": "n", "last.sh": "l"}, {}),
    )
    monkeypatch.setattr(suite_images, "ensure_test_image", lambda *_words, **_named: "sha256:image")
    monkeypatch.setattr("dusty_tasks.effects.engine.suite_projects.read_image", lambda *_words: ("sha256:image", {}))
    monkeypatch.setattr("dusty_tasks.operations.suites.memory.read_image", lambda *_words: ("sha256:image", {}))
    monkeypatch.setattr(suite_runs.SuiteRunner, "run", lambda *words, **named: runs.run(*words, **named))
    monkeypatch.setattr(suite_runs.SuiteRunner, "close", lambda _self: setattr(runs, "closed", runs.closed + 1))
    return runs


def test_without_a_target_everything_that_has_tests(dusty: Chosen, runs: Runs) -> None:
    assert [(row["name"], row["suites"]) for row in json.loads(dusty("test", "--json").out)] == [
        ("web", ["unit", "net", "last"])
    ]
    assert json.loads(dusty("test", "--json", "web").out)[0] == {
        "name": "unit",
        "description": "Fast ones",
        "default_args": "-v 'a b'",
    }
    assert dusty("test").out.splitlines() == ["target  kind  suites", "web     app   unit, net, last"]


def test_without_a_suite_its_suites(dusty: Chosen, runs: Runs) -> None:
    assert dusty("test", "web").out.splitlines() == [
        "suite  description  default arguments",
        "unit   Fast ones    -v 'a b'",
        "net",
        "last",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["wbe"], 'no app or lib named "wbe"\n    hint: did you mean "web"?'),
        (["aip"], 'hint: did you mean "api"?'),
        (["api"], "api has no tests\n    hint: those that have: web"),
        (["web", "unti"], 'no suite of web named "unti"\n    hint: did you mean "unit"?'),
        (["-n", "0", "web", "all"], "1 or more"),
        (["-n", "x"], "is not a number"),
        (["redis"], 'no app or lib named "redis"'),
    ],
)
def test_unknown_names_end_it_before_anything_runs(
    dusty: Chosen, runs: Runs, engine: Engine, words: list[str], said: str
) -> None:
    ended = dusty("test", *words)
    assert ended.code == 1 and said in ended.err and not runs.ran and not engine.calls and not engine.asked


def test_arguments_arrive_as_given_and_the_status_is_the_suites(dusty: Chosen, runs: Runs) -> None:
    runs.codes["unit"] = 3
    ended = dusty("test", "web", "unit", "-n", "a b", "", "--help", "x=1")
    assert runs.ran == [("unit", ["-n", "a b", "", "--help", "x=1"])]
    assert ended.code == 3 and ended.out.splitlines()[-1] == "TESTS unit FAILED"


def test_all_goes_on_after_a_failure_and_ends_with_a_table_and_the_highest_status(dusty: Chosen, runs: Runs) -> None:
    runs.codes.update(unit=2, net=5)
    ended = dusty("test", "web", "all")
    assert [name for name, _arguments in runs.ran] == ["unit", "net", "last"] and ended.code == 5 and runs.closed
    assert ended.out.splitlines()[-4:] == [
        "suite  result      time",
        "unit   FAILED (2)  1.2 s",
        "net    FAILED (5)  1.2 s",
        "last   PASSED      1.2 s",
    ]


@pytest.mark.parametrize("jobs", [1, 3])
def test_results_as_one_document_at_the_end(dusty: Chosen, runs: Runs, engine: Engine, jobs: int) -> None:
    runs.codes.update(unit=3, net=Failure("db is unhealthy", code=2))
    runs.is_attached = True
    engine.script('echo "of $2"; echo loud >&2')
    ended = dusty("test", "--json", "-n", str(jobs), "web", "all")
    found = json.loads(ended.out)
    assert (ended.code, found["ok"], found["exit_code"], found["target"]) == (3, False, 3, "web")
    assert [(each["name"], each["result"], each["exit_code"], each["seconds"]) for each in found["suites"]] == [
        ("unit", "failed", 3, 1.25),
        ("net", "failed", 2, 0.0),
        ("last", "passed", 0, 1.25),
    ]
    assert [sorted(each["printed"]) for each in found["suites"]][::2] == [["loud", "of unit"], ["loud", "of last"]]
    assert found["warnings"] == ["net: db is unhealthy"]
    assert (
        "of unit" in ended.err
        and "loud" in ended.err
        and "TESTS unit FAILED" in ended.err
        and "FAILED (3)" in ended.err
    )


def test_a_reused_result_and_a_failure_before_any_suite_as_json(dusty: Chosen, runs: Runs) -> None:
    dusty("test", "web", "unit")
    (suite,) = json.loads(dusty("test", "--json", "--cached", "web", "unit").out)["suites"]
    assert (suite["reused"], suite["result"], suite["seconds"], suite["printed"]) == (True, "passed", 1.25, [])
    (suite,) = json.loads(dusty("test", "--json", "--cached", "web", "unit", "--json").out)["suites"]
    assert suite["reused"] is False and runs.ran[-1] == ("unit", ["--json"])
    unknown = dusty("test", "--json", "web", "unti")
    assert unknown.code == 1 and json.loads(unknown.out)["problems"][0]["hint"] == 'did you mean "unit"?'


def test_all_takes_no_arguments_and_says_so(dusty: Chosen, runs: Runs) -> None:
    ended = dusty("test", "web", "all", "-n", "2")
    assert (
        all(arguments == [] for _name, arguments in runs.ran)
        and "-n 2 is ignored (options go before the target)" in ended.err
    )


def test_a_suite_that_cannot_be_started_fails_and_the_others_run(dusty: Chosen, runs: Runs) -> None:
    runs.codes["unit"] = Failure("db is unhealthy", code=2)
    ended = dusty("test", "web", "all")
    assert (
        ended.code == 2
        and "unit: db is unhealthy" in ended.err
        and len(runs.ran) == 3
        and "TESTS unit FAILED" in ended.out
    )


def test_several_at_once_are_all_run_and_listed_in_spec_order(dusty: Chosen, runs: Runs) -> None:
    ended = dusty("test", "-n", "3", "web", "all")
    assert sorted(name for name, _arguments in runs.ran) == ["last", "net", "unit"] and runs.closed
    assert [line.split()[0] for line in ended.out.splitlines()[-3:]] == ["unit", "net", "last"]


def test_an_interrupt_cleans_up_and_ends_with_130(dusty: Chosen, runs: Runs) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    runs.during = interrupt
    assert dusty("test", "web", "all").code == 130 and runs.closed and len(runs.ran) == 1


def test_cached_reuses_what_passed_with_the_same_inputs_and_says_so(dusty: Chosen, runs: Runs) -> None:
    def again(*words: str) -> Ended:
        runs.ran.clear()
        return dusty("test", "--cached", "web", *words)

    assert again("unit").code == 0 and runs.ran
    ended = again("unit")
    assert not runs.ran and "TESTS unit PASSED (reused: nothing that it depends on changed since" in ended.out
    again("unit", "other", "arguments")
    assert runs.ran
    assert (
        "PASSED (reused)" in again("unit", "other", "arguments").out.replace("(reused: nothing", "(reused)")
        and not runs.ran
    )


def test_a_failure_is_never_reused_and_forgets_what_passed(dusty: Chosen, runs: Runs) -> None:
    dusty("test", "--cached", "web", "unit")
    runs.codes["unit"] = 1
    assert dusty("test", "web", "unit").code == 1
    runs.ran.clear()
    assert dusty("test", "--cached", "web", "unit").code == 1 and runs.ran


def test_a_damaged_memory_counts_as_none(dusty: Chosen, runs: Runs) -> None:
    dusty("test", "--cached", "web", "unit")
    (dusty.home / "state/tests/results-web.json").write_text("{")
    runs.ran.clear()
    assert dusty("test", "--cached", "web", "unit").code == 0 and runs.ran


def test_the_specs_and_the_targets_repos_are_pulled_first_unless_told_not_to(
    dusty: Chosen, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulled: list[str] = []
    monkeypatch.setattr(repos, "pull_specs", lambda *_words, **_named: pulled.append("specs") or [])
    monkeypatch.setattr(repos, "pull_repos", lambda *_words, **_named: pulled.append("repos") or [])
    dusty("test", "web", "unit")
    assert pulled == ["specs", "repos"]
    dusty("test", "--no-pull", "web", "unit")
    assert pulled == ["specs", "repos"]


def test_required_assets_that_are_not_set_end_it_before_docker(
    dusty: Chosen, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    dusty.write("apps/web.yml", WEB.rstrip() + "\n    assets: [{name: KEY_A, path: /k}, {name: KEY_B, path: /l}]\n")
    ended = dusty("test", "--no-pull", "web", "unit")
    assert ended.code == 1 and "require assets that are not set: KEY_A, KEY_B" in ended.err and not engine.calls


def test_no_engine(dusty: Chosen, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    dusty.write("apps/web.yml", WEB)
    engine.is_down = True
    monkeypatch.setattr(
        "dusty_tasks.operations.machine.docker_host.ensure_running", lambda *_words, **_named: engine._fail_if_down()
    )
    ended = dusty("test", "--no-pull", "web", "unit")
    assert ended.code == 2 and "does not answer" in ended.err
