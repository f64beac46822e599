"""`dusty test`: run test suites in fresh containers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from dusty_tasks import session
from dusty_tasks.console import say, table_within, warn, width
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.verbs.shared.aside import aside
from dusty_tasks.verbs.shared.suite_output import Output, facts_of
from dusty_tasks.verbs.shared.words import misuse, say_json, unknown

if TYPE_CHECKING:
    from dusty_tasks.core.specs.model import Suite
    from dusty_tasks.core.suites.target import Target
    from dusty_tasks.effects.docker_host.host import DockerHost
    from dusty_tasks.operations.suites.memory import Memory
    from dusty_tasks.operations.suites.run import SuiteResult, SuiteRunner

ALL = "all"


def run(
    words: list[str],
    recreate: bool = False,
    no_pull: bool = False,
    cached: bool = False,
    jobs: int | None = None,
    json: bool = False,
) -> int | None:
    """Tables of what can be tested, or the run of one suite or of all; its exit status is ours."""
    if jobs is not None and jobs < 1:
        raise misuse("test", "-n takes the number of suites to run at once, 1 or more")
    if len(words) < 2:
        lists(words, no_pull, json)
        return None
    asked = Asked((), words[2:], words[1] == ALL, recreate, cached, jobs or 1, json)
    if not json:
        results, _output = tested(words, asked, no_pull)
        return max((result.code for result in results), default=0)
    with aside() as heard:
        results, output = tested(words, asked, no_pull)
    facts = facts_of(words[0], results, output, heard.warnings)
    say_json(facts)
    return int(facts["exit_code"])


def lists(words: list[str], no_pull: bool, json: bool) -> None:
    """Tables, or JSON, of the targets, or of the suites of one."""
    if not no_pull:
        if json:
            with aside():
                clone_specs()
        else:
            clone_specs()
    if words:
        list_suites(find_target(words[0]), json)
    else:
        list_targets(json)


def tested(words: list[str], asked: Asked, no_pull: bool) -> tuple[list[SuiteResult], Output]:
    """What came of the suites that the words name, and what they printed. Raises Failure."""
    if not no_pull:
        clone_specs()
    target = find_target(words[0])
    chosen_suites(target, words[1])
    if not no_pull:
        target = pulled(target)
    if asked.is_all and asked.arguments:
        warn(f"all takes no arguments: {' '.join(asked.arguments)} is ignored (options go before the target)")
        asked = asked._replace(arguments=[])
    return run_suites(target, asked._replace(suites=chosen_suites(target, words[1])))


def clone_specs() -> None:
    """A managed specs repo that was never fetched is cloned first: names cannot be checked without it. Raises Failure."""
    from dusty_tasks.operations.code.repos import Pulling, failure_of, pull_specs

    if session.settings().specs_repo and not session.specs_root().is_dir():
        if failure := failure_of(pull_specs(session.settings(), Pulling(say, warn, "test"))):
            raise failure
        session.forget()


def list_targets(json: bool) -> None:
    """Everything that has tests."""
    from dusty_tasks.core.suites.target import targets

    found = targets(session.specs())
    if json:
        say_json(
            [
                {"name": target.name, "kind": target.kind, "suites": [suite.name for suite in target.tests.suites]}
                for target in found.values()
            ]
        )
        return
    if not found:
        say("nothing in the specs has tests")
        return
    say(
        table_within(
            width(),
            ("target", "kind", "suites"),
            [
                (target.name, target.kind, ", ".join(suite.name for suite in target.tests.suites))
                for target in found.values()
            ],
        )
    )


def list_suites(target: Target, json: bool) -> None:
    """The suites of one target."""
    if json:
        say_json(
            [
                {"name": suite.name, "description": suite.description, "default_args": suite.default_args}
                for suite in target.tests.suites
            ]
        )
        return
    say(
        table_within(
            width(),
            ("suite", "description", "default arguments"),
            [(suite.name, suite.description, suite.default_args) for suite in target.tests.suites],
        )
    )


def find_target(name: str) -> Target:
    """An app or lib with tests, active or not. Raises Failure."""
    from dusty_tasks.core.suites.target import targets

    specs = session.specs()
    found = targets(specs)
    if name in found:
        return found[name]
    if name in specs.apps or name in specs.libs:
        raise Failure(f"{name} has no tests", f"those that have: {', '.join(found)}" if found else "")
    raise unknown("app or lib", name, {*specs.apps, *specs.libs})


def chosen_suites(target: Target, name: str) -> list[Suite]:
    """One suite, or all. Raises Failure."""
    if name == ALL:
        return list(target.tests.suites)
    suite = target.suite(name)
    if suite is None:
        raise unknown(f"suite of {target.name}", name, [*(suite.name for suite in target.tests.suites), ALL])
    return [suite]


def pulled(target: Target) -> Target:
    """Pull the specs and the target's repos; the target as the specs say afterwards. Raises Failure."""
    from dusty_tasks.operations.code.repos import Pulling, failure_of, pull_repos, pull_specs

    outcomes = pull_specs(session.settings(), Pulling(say, warn, f"test {target.name}"))
    if any(outcome.has_changed for outcome in outcomes):
        session.forget()
        target = find_target(target.name)
    if not failure_of(outcomes):
        repos = {repo.id: repo for repo, _mount in target.mounts}
        outcomes += pull_repos(repos.values(), session.settings(), Pulling(say, warn, f"test {target.name}"))
    if failure := failure_of(outcomes):
        raise failure
    return target


class Asked(NamedTuple):
    """What is to be run, and how."""

    suites: Sequence[Suite]
    arguments: list[str]
    is_all: bool
    """All suites of the target were asked for, which ends with a table."""
    recreate: bool
    cached: bool
    jobs: int
    json: bool
    """One document at the end tells of them."""


def run_suites(target: Target, asked: Asked) -> tuple[list[SuiteResult], Output]:
    """Everything from the Docker host on: sync, push, image, suites; the results in spec order, and what was printed."""
    from dusty_tasks.operations.machine import trust
    from dusty_tasks.operations.suites import image as suite_images
    from dusty_tasks.operations.suites import prepare as suite_prepare
    from dusty_tasks.operations.suites import run as suite_runs
    from dusty_tasks.operations.suites.memory import Memory

    trust.require_of_tests(target)
    settings, host, specs = (
        session.settings_for(repo for repo, _ in target.mounts),
        session.docker_host(),
        session.specs(),
    )
    tidy_up(host)
    prepared = suite_prepare.prepare(target, specs, asked.suites, host, settings, say)
    image_id = suite_images.ensure_test_image(
        target, prepared.files["setup.sh"], host, settings, is_asked_for=asked.recreate, say=say
    )
    runner = suite_runs.SuiteRunner(target, specs.services, str(session.specs_root()), host, settings)
    memory = Memory(runner, prepared, image_id)
    names = [suite.name for suite in asked.suites]
    output = Output(names, host, is_shared=asked.jobs > 1 and len(names) > 1, has_document=asked.json)
    try:
        results = run_each(runner, asked, memory, output)
    finally:
        runner.close()
    if asked.is_all:
        say(
            table_within(
                width(),
                ("suite", "result", "time"),
                [(result.suite_name, result_text(result), f"{result.seconds:.1f} s") for result in results],
            )
        )
    return results, output


def tidy_up(host: DockerHost) -> None:
    """Remove what killed test runs left; an engine that is off is no trouble yet."""
    from dusty_tasks.effects.docker_host.engine_line import EngineDown
    from dusty_tasks.effects.engine.http import Engine
    from dusty_tasks.effects.engine.suite_projects import remove_leftovers

    try:
        removed = remove_leftovers(Engine(host))
    except EngineDown:
        return
    if removed:
        say(f"removed what a killed test run had left: {removed} containers and networks")


def run_each(runner: SuiteRunner, asked: Asked, memory: Memory, output: Output) -> list[SuiteResult]:
    """The results in spec order; one failure does not stop the others."""
    from dusty_tasks.effects.engine.attached import own_streams
    from dusty_tasks.operations.suites.run import SuiteResult

    terminal = own_streams().terminal if len(asked.suites) == 1 and not asked.json else None

    def one(suite: Suite) -> SuiteResult:
        known = memory.passed(suite, asked.arguments) if asked.cached else None
        if known:
            say(f"TESTS {suite.name} PASSED (reused: nothing that it depends on changed since {known['time']})")
            return SuiteResult(suite.name, 0, known["seconds"], is_reused=True)
        try:
            result = runner.run(suite, asked.arguments, output.attach(suite.name), terminal=terminal)
        except Failure as failure:
            warn(f"{suite.name}: {failure}")
            result = SuiteResult(suite.name, failure.code, 0.0)
        memory.keep(suite, asked.arguments, result)
        if result.results_path:
            say(f"results of {suite.name}: {result.results_path}")
        say(f"TESTS {suite.name} {'FAILED' if result.code else 'PASSED'}")
        return result

    if not output.is_shared:
        return [one(suite) for suite in asked.suites]
    from dusty_tasks.effects.doors.parallel import threads

    pool = threads(asked.jobs, "suite")
    try:
        return list(pool.map(one, asked.suites))
    finally:
        # After ^C: what runs ends because its containers go; what waits never starts.
        runner.close()
        pool.shutdown(cancel_futures=True)


def result_text(result: SuiteResult) -> str:
    """`PASSED`, `FAILED (3)`, `PASSED (reused)`."""
    if result.code:
        return f"FAILED ({result.code})"
    return "PASSED (reused)" if result.is_reused else "PASSED"
