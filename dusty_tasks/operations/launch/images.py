"""Images that containers to be made need: pulled or stood in for, and built, before anything that runs is touched."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from dusty_tasks import session
from dusty_tasks.console import is_terminal, may_ask, progress, say
from dusty_tasks.core.plan.change import BUILD, PULL, Change, Options
from dusty_tasks.core.plan.found import UNREADABLE
from dusty_tasks.core.plan.image_changes import image_of
from dusty_tasks.core.plan.image_names import registry_of
from dusty_tasks.core.text.alike import Report, sentences
from dusty_tasks.core.text.paths import COMPOSE_FILE
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine import images
from dusty_tasks.effects.engine.acts import each_at_once
from dusty_tasks.effects.engine.compose import run_compose_build
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.operations.launch.reporter import Deeds
from dusty_tasks.operations.look import View
from dusty_tasks.operations.machine.consent import STAND_INS, Consent


def get_images(engine: Engine, view: View, options: Options, deeds: Deeds, consent: Consent) -> None:
    """Do the plan's pulls and builds. Raises Failure naming every image that could not be had."""
    pulls, builds = view.plan.of(PULL), view.plan.of(BUILD)
    log_in(engine, view, {change.name for change in (*pulls, *builds)})
    for change in (*pulls, *builds):
        deeds.begin(change)
    failures = [
        Failure(sentence, code=code) for sentence, code in sentences(_pull_all(engine, pulls, options, deeds, consent))
    ]
    if builds:
        failure = _build_all(engine, view, [change.name for change in builds], options)
        if failure:
            failures.append(failure)
        else:
            for change in builds:
                deeds.end(change)
    if failures:
        raise Failure("\n".join(map(str, failures)), code=max(failure.code for failure in failures))


def log_in(engine: Engine, view: View, names: set[str]) -> None:
    """Log in to the registries of the images in `names` that need it. Raises Failure where that fails."""
    images = {
        container.name: image_of(container, view.found.namespace)
        for container in view.wanted.containers
        if container.needs_login
    }
    registries = {registry_of(image) for name, image in images.items() if names & {image, name}}
    for registry in sorted(registries):
        log_in_to(registry, engine.host.engine_environment())


def log_in_to(registry: str, environment: Mapping[str, str]) -> None:
    """`docker login`, on a terminal with its own questions; '' is the default registry. Raises Failure where that fails."""
    argv = ["docker", "login", *([registry] if registry else [])]
    code = (
        process.run_attached(argv, env=environment)
        if may_ask() and is_terminal()
        else process.run(argv, env=environment).code
    )
    if code:
        raise Failure(
            f"docker login {registry or 'to the default registry'} did not work", f"{' '.join(argv)} by hand", code=2
        )


def _pull_all(engine: Engine, pulls: list[Change], options: Options, deeds: Deeds, consent: Consent) -> list[Report]:
    """Pull, and stand in where no registry answers and that is agreed to; what could not be had."""
    environment = engine.host.engine_environment()
    nginx_image = session.settings().nginx_image

    def pull(change: Change, may_make: bool) -> None:
        if options.pull and images.has_image(change.name, environment):
            failure = images.pull(change.name, say, environment)
            if failure and not images.is_stand_in(change.name, environment):
                raise failure
            deeds.end(change._replace(cause="still a stand-in, no registry answers") if failure else change)
            return
        how = images.ensure_image(
            change.name,
            say,
            env=environment,
            may_make=may_make,
            may_stand_in=True if change.name == nginx_image else None,
        )
        deeds.end(
            change._replace(cause=f"{change.cause}; no registry answers, so it is a stand-in")
            if how == "stand-in"
            else change
        )

    def pull_all(changes: list[Change], may_make: bool) -> dict[Change, Failure]:
        failures = each_at_once([partial(pull, change, may_make) for change in changes])
        return {change: failure for change, failure in zip(changes, failures, strict=True) if failure}

    failed = pull_all(pulls, consent.has_agreed(STAND_INS))
    needy = [change for change, failure in failed.items() if isinstance(failure, images.StandInNeeded)]
    if needy and consent.to(STAND_INS):
        failed = {
            **{change: failure for change, failure in failed.items() if change not in needy},
            **pull_all(needy, True),
        }
    return [Report(change.name, str(failure), code=failure.code) for change, failure in failed.items()]


def _build_all(engine: Engine, view: View, names: list[str], options: Options) -> Failure | None:
    settings = session.settings()
    digests = {name: view.sources.contexts.get(name, "") for name in names}
    unreadable = [
        f"{name}: {digest.removeprefix(UNREADABLE)}"
        for name, digest in digests.items()
        if digest.startswith(UNREADABLE)
    ]
    if unreadable:
        return Failure("\n".join(unreadable), "the builder could not read it either")
    with progress("building") as tell:
        return run_compose_build(
            engine.host, settings.paths.artifact(COMPOSE_FILE), digests, settings.state, pull=options.pull, tell=tell
        )
