"""The test image of a target: its base with `once` and its libs' installs done, kept until what it was made from changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dusty_tasks.core.artifacts.compose import ROOT
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.suites.image import ImageInputs, labels_of, remake_cause, setup_command
from dusty_tasks.core.suites.target import Target, base_of, mounts_of
from dusty_tasks.core.text.namespace import KIND_LABEL, RUN_LABEL, STAND_IN_LABEL
from dusty_tasks.core.text.safe import plain_lines
from dusty_tasks.effects.code.file_digests import digest_of_matches
from dusty_tasks.effects.code.working_tree import read_commit
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.lock import held
from dusty_tasks.effects.engine.acts import run_remove
from dusty_tasks.effects.engine.builds import BUILD_LOG, run_build
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.images import StandInNeeded, ensure_image
from dusty_tasks.effects.engine.suite_projects import read_image, run_label, undisturbed
from dusty_tasks.operations.machine.consent import STAND_INS, Consent
from dusty_tasks.voices import heard_by

Say = Callable[[str], None]


def ensure_test_image(
    target: Target, setup_text: str, host: DockerHost, settings: Settings, *, is_asked_for: bool, say: Say
) -> str:
    """The id of an up-to-date test image, made if need be. Raises Failure: the base cannot be had, or the setup fails."""
    engine = Engine(host)
    with held(f"test-image:{target.name}", verb=f"test {target.name}", home=settings.home, wait=600):
        inputs = ImageInputs(
            _base_id(target, engine, settings, say),
            setup_text,
            mounts_of(target, settings),
            code_versions(target, settings),
        )
        found = read_image(engine, engine.host.namespace.test_image(target.name))
        cause = remake_cause(target.name, found[1] if found else None, inputs, is_asked_for=is_asked_for)
        if found and not cause:
            return found[0]
        say(f"building the test image of {target.name}: {cause}")
        made = _make(target, inputs, engine, say)
        if found and found[0] != made:
            # Nothing names it any more. One that a test still runs from is refused, and goes with the next.
            process.run(["docker", "rmi", found[0]], env=host.engine_environment())
        return made


def code_versions(target: Target, settings: Settings) -> dict[str, str]:
    """What counts as a version of each same-container repo: the files of `test.inputs` for its own, else the commit."""
    versions = {}
    for repo, _mount in target.mounts:
        path = settings.path_of(repo.id, repo.local_path)
        by_files = target.tests.inputs if target.repo and repo.id == target.repo.id else ()
        versions[repo.id] = digest_of_matches(path, by_files) if by_files else read_commit(path)
    return versions


def _base_id(target: Target, engine: Engine, settings: Settings, say: Say) -> str:
    name, folder = base_of(target, settings)
    env = engine.host.engine_environment()
    if folder:
        name = f"{engine.host.namespace.test_image(target.name)}_base"
        failure = run_build(
            ["docker", "build", "--force-rm", "--tag", name, folder],
            env,
            f"{settings.state}/{BUILD_LOG}",
            lambda step: say(f"building {step}"),
        )
        if failure:
            raise failure
    else:
        try:
            ensure_image(name, say, env=env, may_make=False)
        except StandInNeeded:
            if not Consent().to(STAND_INS):
                raise
            ensure_image(name, say, env=env)
    found = read_image(engine, name)
    if not found:
        raise Failure(f"the image {name} does not exist", code=2)
    return found[0]


def _make(target: Target, inputs: ImageInputs, engine: Engine, say: Say) -> str:
    env = engine.host.engine_environment()
    # A base that is a stand-in would hand its label down, and this image is none.
    labels = {**labels_of(target.name, inputs), KIND_LABEL: "test", RUN_LABEL: run_label(), STAND_IN_LABEL: ""}
    flags = [word for name, value in labels.items() for word in ("--label", f"{name}={value}")]
    flags += [word for mount in inputs.mounts for word in ("--volume", mount)]
    command = setup_command(tuple(asset.path for asset in target.assets))
    made = process.run(
        ["docker", "create", "--user", ROOT, "--entrypoint", "", *flags, inputs.base, *command], env=env, check=True
    )
    container_id = made.out.strip()
    try:
        code = _attached(["docker", "start", "--attach", container_id], env, say)
        if code:
            raise Failure(
                f"the setup of the tests of {target.name} exited with status {code}; the previous test image, if any, is kept"
            )
        words = [
            "docker",
            "commit",
            "--change",
            "ENTRYPOINT []",
            container_id,
            engine.host.namespace.test_image(target.name),
        ]
        return process.run(words, env=env, check=True).out.strip()
    finally:
        with undisturbed():
            run_remove(engine, container_id)


def _attached(argv: Sequence[str], env: Mapping[str, str], say: Say) -> int:
    """Run it on our own streams; where what is said goes elsewhere, what it prints goes there as well."""
    if not heard_by():
        return process.run_attached(argv, env=env)

    def hear(line: bytes) -> None:
        say(plain_lines(line.decode("utf-8", "replace").removesuffix("\n")))

    return process.run_by_lines(argv, hear, hear, env=env)
