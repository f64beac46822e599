"""What can be tested: apps and libs of the specs with suites, active or not, and what their test containers see."""

from __future__ import annotations

from typing import NamedTuple

from dusty_tasks.core.artifacts.bound_git import folder_volumes
from dusty_tasks.core.artifacts.commands import VisibleAsset, visible_assets
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.specs.model import App, CodeMount, Lib, Specs, Suite, Tests, code_mounts
from dusty_tasks.core.specs.repo_ids import Repo
from dusty_tasks.core.stack.assemble import lib_order_of
from dusty_tasks.core.text.paths import ASSETS_THERE, COMMANDS_THERE, COPIES, EXCHANGED


class Target(NamedTuple):
    """An app or lib with tests."""

    name: str
    kind: str
    """`app` or `lib`."""
    tests: Tests
    repo: Repo | None
    mounts: tuple[tuple[Repo, CodeMount], ...]
    """Same-container repos and where they are: its own first, then its libs' in lib order."""
    libs: tuple[Lib, ...]
    """The libs it depends on, dependencies first."""
    assets: tuple[VisibleAsset, ...]
    required_keys: frozenset[str]

    @property
    def assets_folder(self) -> str:
        """Its folder in persist/dusty_assets: an app's own; a lib's is named so that it is no app's."""
        return self.name if self.kind == "app" else f"LIB_{self.name}"

    def suite(self, name: str) -> Suite | None:
        return next((suite for suite in self.tests.suites if suite.name == name), None)


def targets(specs: Specs) -> dict[str, Target]:
    """All targets by name. An app and a lib of one name never both have tests (1.1)."""
    found = [
        target
        for kind, group in (("app", specs.apps), ("lib", specs.libs))
        for spec in group.values()
        if (target := _target(specs, kind, spec))
    ]
    return {target.name: target for target in sorted(found, key=lambda target: target.name)}


def _target(specs: Specs, kind: str, spec: App | Lib) -> Target | None:
    if spec.tests is None or not spec.tests.suites:
        return None
    libs = [specs.libs[name] for name in lib_order_of(specs.libs, spec.libs)]
    mounts = dict.fromkeys(
        (holder.repo, mount) for holder in (spec, *libs) for mount in code_mounts(holder) if holder.repo
    )
    required = frozenset(asset.key for holder in (spec, *libs) for asset in holder.assets if asset.is_required)
    return Target(
        spec.name, kind, spec.tests, spec.repo, tuple(mounts), tuple(libs), tuple(visible_assets(spec, libs)), required
    )


def mounts_of(target: Target, settings: Settings) -> tuple[str, ...]:
    """The volumes of its containers on the Docker host, as for an app (4.4)."""
    root = settings.host.root.rstrip("/")
    assets = (f"{root}/{ASSETS_THERE}/{target.assets_folder}:/dusty_assets:ro",) if target.assets else ()
    if settings.sync_mode == "bind":
        repos = [
            volume
            for repo, mount in target.mounts
            for volume in folder_volumes(settings.path_of(repo.id, repo.local_path), mount, settings)
        ]
    else:
        repos = [
            f"{root}/{COPIES}/{repo.id}{'/' if mount.folder else ''}{mount.folder}:{mount.path}"
            for repo, mount in target.mounts
        ]
    return (
        f"{root}/{EXCHANGED}/{target.name}:/cp",
        f"{root}/{COMMANDS_THERE}/{target.name}:/command_files",
        *assets,
        *repos,
    )


def base_of(target: Target, settings: Settings) -> tuple[str, str]:
    """(image, '') to pull, or ('', folder) to build: the image below the test image (1.3)."""
    if target.tests.image:
        return target.tests.image, ""
    folder = target.tests.build or "."
    if not folder.startswith("/") and target.repo:
        folder = f"{settings.path_of(target.repo.id, target.repo.local_path)}/{folder}".rstrip("/")
    return "", folder
