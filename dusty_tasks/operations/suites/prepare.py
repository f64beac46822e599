"""What a test run needs on the Docker host before its image: code, test files and assets of the target."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from dusty_tasks import session
from dusty_tasks.core.artifacts.commands import render_suites, suite_slice
from dusty_tasks.core.artifacts.mount_points import of_test_target
from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.plan.push_changes import FOR_TESTS, digest_text
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.specs.compose_values import spec_paths
from dusty_tasks.core.specs.model import Service, Specs, Suite
from dusty_tasks.core.suites.project import throw_away
from dusty_tasks.core.suites.target import Target, base_of, mounts_of
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import ASSETS_OF_SUITES, ASSETS_THERE, COMMANDS_THERE
from dusty_tasks.effects.code.rsync import push_folder
from dusty_tasks.effects.docker_host.files import PRIVATE, read_host_json, write_host_json
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.doors.failures import Failure, refuse_errors
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.home.assets import read_asset, set_keys
from dusty_tasks.effects.observe.docker_host import ASSETS_PUSHED
from dusty_tasks.effects.specs.schemas import read_templates
from dusty_tasks.operations.code.copy_of_repo import with_mounts
from dusty_tasks.operations.code.sources import stack_repos
from dusty_tasks.operations.code.staging import staged
from dusty_tasks.operations.code.sync import How, sync_repos
from dusty_tasks.operations.code.sync_outcome import failure_of

Say = Callable[[str], None]


class Prepared(NamedTuple):
    """The rendered test files by name (`setup.sh`, `<suite>.sh`), and the fingerprints of the synced repos by id."""

    files: dict[str, str]
    fingerprints: dict[str, str]


def prepare(
    target: Target, specs: Specs, suites: Sequence[Suite], host: DockerHost, settings: Settings, say: Say
) -> Prepared:
    """Bring everything there. Raises Failure: variables and assets that are not set, working trees without mount points, a sync that failed, no engine."""
    from dusty_tasks.operations.machine.docker_host import ensure_running

    services = {name: specs.services[name] for suite in suites for name in suite.services if name in specs.services}
    own = (specs.apps if target.kind == "app" else specs.libs)[target.name]
    refuse_unset({spec.file for spec in (own, *target.libs, *services.values())})
    required = {asset.key for service in services.values() for asset in service.assets if asset.is_required}
    missing = sorted((target.required_keys | required) - set_keys(settings.paths.base))
    if missing:
        raise Failure(
            f"the tests of {target.name} require assets that are not set: {', '.join(missing)}",
            f"{DUSTY} assets set {missing[0]} <path>",
        )
    ensure_running(Engine(host), yes=False)
    if settings.sync_mode == "bind":
        ensure_mount_points_of(target, suites, settings)
    log_in(target, specs, suites, host, settings)
    fingerprints = synced(target, specs, host, settings, say)
    files = render(target, specs, settings)
    with staged({f"test/{name}": text.encode() for name, text in files.items()}, settings.state) as folder:
        push_folder(host, f"{folder}/test", host.path(COMMANDS_THERE, target.name, "test"))
    paths = {path for service in services.values() for path in spec_paths(service.compose)}
    if paths:
        from dusty_tasks.operations.launch.pushes import add_spec_files

        add_spec_files(host, paths)
    assets = {
        asset.key: data for asset in target.assets if (data := read_asset(settings.paths.base, asset.key)) is not None
    }
    if target.assets:
        note_assets(host, target.assets_folder, assets)
        with staged(assets, settings.state) as folder:
            push_folder(host, folder, host.path(ASSETS_THERE, target.assets_folder))
    for service in services.values():
        push_assets_of(service, host, settings)
    return Prepared(files, fingerprints)


def ensure_mount_points_of(target: Target, suites: Sequence[Suite], settings: Settings) -> None:
    """What the containers of these suites mount below the working trees has a place there. Raises Failure."""
    from dusty_tasks.operations.code.bound_mounts import ensure_mount_points

    mounts = mounts_of(target, settings)
    mappings = {
        suite.name: {**suite.compose, "volumes": [*throw_away(suite.compose.get("volumes", ())), *mounts]}
        for suite in suites
    }
    ensure_mount_points(
        mappings, {settings.path_of(repo.id, repo.local_path) for repo, _mount in target.mounts}, yes=False
    )


def refuse_unset(files: Collection[str]) -> None:
    """Raises Failure for variables without a value in what test containers have of these spec files."""
    from dusty_tasks.core.check.assembled import with_unset_in_tests_refused

    specs, problems = session.checked()
    refuse_errors(with_unset_in_tests_refused(problems, specs, files))


def push_assets_of(service: Service, host: DockerHost, settings: Settings) -> None:
    """The assets of a suite's service; one that is not set is an empty file, as in the stack."""
    keys = {asset.key for asset in service.assets}
    found = {key: data for key in keys if (data := read_asset(settings.paths.base, key)) is not None}
    if keys:
        note_assets(host, f"{os.path.basename(ASSETS_OF_SUITES)}/{service.name}", found)
        with staged({**dict.fromkeys(keys, b""), **found}, settings.state) as folder:
            push_folder(host, folder, host.path(ASSETS_OF_SUITES, service.name))


def note_assets(host: DockerHost, folder: str, assets: Mapping[str, bytes]) -> None:
    """Beside what `up` pushed: it takes away what lies there of an asset that is no longer set. Raises Failure."""
    digest = digest_text({key: hashlib.sha256(data).hexdigest() for key, data in assets.items()})
    pushed = read_host_json(host, ASSETS_PUSHED)
    if digest and pushed.get(folder) not in (digest, FOR_TESTS + digest):
        write_host_json(host, ASSETS_PUSHED, {**pushed, folder: FOR_TESTS + digest}, PRIVATE)


def render(target: Target, specs: Specs, settings: Settings) -> dict[str, str]:
    """The test files of a target, active or not."""
    templates = read_templates()
    spec = (specs.apps if target.kind == "app" else specs.libs)[target.name]
    slice = suite_slice(spec, target.libs, settings.sync_mode == "bind")
    return {os.path.basename(path): artifact.text for path, artifact in render_suites(slice, templates).items()}


def synced(target: Target, specs: Specs, host: DockerHost, settings: Settings, say: Say) -> dict[str, str]:
    """Sync the same-container repos; their fingerprints by id ({} where containers see the working trees themselves)."""
    if settings.sync_mode == "bind":
        return {}
    known = {entry.id: entry for entry in stack_repos()}
    repos = {repo.id: repo for repo, _mount in target.mounts}
    mounts = of_test_target(specs.apps[target.name] if target.kind == "app" else specs.libs[target.name], target.libs)
    entries = [
        with_mounts(
            known.get(repo.id) or RepoEntry(repo.id, repo.written, repo.url, repo.local_path), mounts.get(repo.id, ())
        )
        for repo in repos.values()
    ]
    outcomes = sync_repos(entries, host, settings, How(say, f"test {target.name}"), [*known.values()])
    if failure := failure_of(outcomes):
        raise failure
    return {outcome.repo_id: str(outcome.receipt.get("fingerprint", "")) for outcome in outcomes}


def log_in(target: Target, specs: Specs, suites: Sequence[Suite], host: DockerHost, settings: Settings) -> None:
    """Log in to the registries of the images that need it: the target's and the suites' services'. Raises Failure."""
    from dusty_tasks.core.plan.image_names import registry_of
    from dusty_tasks.operations.launch.images import log_in_to

    services = [specs.services[name] for suite in suites for name in suite.services]
    images = [
        service.compose["image"] for service in services if service.image_requires_login and "image" in service.compose
    ]
    images += [base_of(target, settings)[0]] if target.tests.image_requires_login and target.tests.image else []
    for registry in sorted({registry_of(name) for name in images}):
        log_in_to(registry, host.engine_environment())
