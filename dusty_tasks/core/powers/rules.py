"""Which powers the specs of a stack ask for (core/powers): of containers by their Compose keys (keys), and what is read on this machine.

What leads out by a link is not seen here: core/powers/links asks for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dusty_tasks.core.powers.folders import (
    is_within,
    local_folder_of,
    private_folder,
    readable_folders,
    whole_image_name,
)
from dusty_tasks.core.powers.keys import Container
from dusty_tasks.core.powers.model import Power
from dusty_tasks.core.powers.mounts import written_below_persist
from dusty_tasks.core.settings.model import ContainerSettings
from dusty_tasks.core.specs.compose_values import joined
from dusty_tasks.core.specs.model import App, Lib, Origin, Service, Specs, Tests
from dusty_tasks.core.specs.sources import Places, source_place
from dusty_tasks.core.stack.https import reserved_suffix, secured
from dusty_tasks.core.stack.model import Stack, file_of
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import CONFIG_FILE, path_text
from dusty_tasks.core.text.problems import Place, Problem


def powers_of(stack: Stack, settings: ContainerSettings, specs_root: str) -> list[Power]:
    """All powers that the specs of `stack` ask for, by container, in the order of the specs' keys."""
    around = Around(stack, settings, specs_root)
    found: list[Power] = []
    for app in stack.apps.values():
        found += around.of_app(app)
    for service in stack.services.values():
        found += around.of_service(service)
    for lib in stack.libs.values():
        found += around.of_tests(lib, lib.tests)
    found += around.of_repos()
    found += around.of_certificates()
    return found


def powers_of_tests(owner: App | Lib, specs: Specs, settings: ContainerSettings, specs_root: str) -> list[Power]:
    """The powers of what `dusty test` runs for an app or lib, active or not: test image, suites, and their services."""
    suites = owner.tests.suites if owner.tests else ()
    services = {name: specs.services[name] for suite in suites for name in suite.services if name in specs.services}
    repos = {owner.repo.id: owner.repo} if owner.repo else {}
    around = Around(Stack(services=services, repos=repos), settings, specs_root)
    found = list(around.of_tests(owner, owner.tests))
    for service in services.values():
        found += around.of_service(service)
    return found


def power_warnings(powers: Iterable[Power], places: Places) -> list[Problem]:
    """Powers in the form of problems, each at its place: what CI prints."""
    return [
        Problem(
            source_place(Origin(power.file, power.path), places) if power.file else Place(CONFIG_FILE),
            path_text(power.path),
            Code.NEEDS_CONSENT,
            f"needs consent: {power.holder}: {power.value}: {power.meaning}",
            is_warning=True,
        )
        for power in powers
    ]


class Around:
    """What a container's powers are judged by: where the specs and the stack's repos lie, and which names the stack has."""

    def __init__(self, stack: Stack, settings: ContainerSettings, specs_root: str) -> None:
        self.stack, self.settings, self.specs_root = stack, settings, specs_root
        self.readable = readable_folders(
            settings, specs_root, ((repo.id, repo.local_path) for repo in stack.repos.values())
        )
        self.images = {
            whole_image_name(name)
            for name in (
                settings.nginx_image,
                *(app.image for app in stack.apps.values() if app.image),
                *(
                    str(service.compose["image"])
                    for service in stack.services.values()
                    if service.compose.get("image") and not service.compose.get("build")
                ),
            )
        }
        """Those that containers run and do not build themselves."""
        self.shared = written_below_persist(stack)
        self.names = {*stack.apps, *stack.services, *(route.host_name for route in stack.routes)}

    def of_app(self, app: App) -> Iterator[Power]:
        context = joined(self._repo_folder(app), app.build) if app.build is not None else ""
        container = Container(self, f"app {app.name}", Origin(app.file, ("compose",)), app.name, context)
        if context:
            yield from container.of_folder("build", context, "/", ("build",))
        if app.build_options:
            builder = Container(
                self, f"app {app.name}", Origin(app.file, ()), app.name, context, self._repo_folder(app)
            )
            yield from builder.powers({"build": app.build_options})
        yield from container.powers(app.compose)
        yield from self.of_tests(app, app.tests)

    def of_service(self, service: Service) -> Iterator[Power]:
        container = Container(self, f"service {service.name}", Origin(service.file, ()), service.name)
        yield from container.powers(service.compose)
        if service.compose.get("build") and service.compose.get("image"):
            yield from container.image_names([service.compose["image"]], ("image",))

    def of_tests(self, owner: App | Lib, tests: Tests | None) -> Iterator[Power]:
        """Of the test image and the suites of an app or lib."""
        if tests is None:
            return
        if tests.build is not None:
            container = Container(self, f"tests of {owner.name}", Origin(owner.file, ("test",)), owner.name)
            yield from container.of_folder("build", tests.build, self._repo_folder(owner), ("test", "build"))
        for index, suite in enumerate(tests.suites):
            container = Container(
                self,
                f"suite {suite.name} of {owner.name}",
                Origin(owner.file, ("test", "suites", index, "compose")),
                owner.name,
            )
            yield from container.powers(suite.compose)

    def of_repos(self) -> Iterator[Power]:
        """Local folders that specs name as repos, where they look like anything but code; an override is the user's own word."""
        holders: list[App | Lib] = [*self.stack.apps.values(), *self.stack.libs.values()]
        for holder in holders:
            repo = holder.repo
            folder = local_folder_of(repo) if repo else ""
            if (
                repo is None
                or not folder
                or repo.id in self.settings.repo_overrides
                or is_within(folder, [self.specs_root])
            ):
                continue
            if why := private_folder(folder, self.settings.paths.base):
                yield Power(
                    f"repo {repo.id}",
                    "repo",
                    folder,
                    f"copies {folder} into a container; {why}",
                    holder.file,
                    ("repo",),
                )

    def of_certificates(self) -> Iterator[Power]:
        """Names that sites of the internet may have, and that this machine's authority would sign for."""
        for name, route in secured(self.stack.routes, self.settings.https).items():
            if reserved_suffix(name):
                continue
            is_app = route.app_name in self.stack.apps
            yield Power(
                f"{'app' if is_app else 'service'} {route.app_name}",
                "https",
                name,
                f"gets a certificate for {name}; this machine's certificate authority may then sign for it and all names below it",
                file_of(self.stack, route.app_name),
                ("host_forwarding", route.index, "host_name"),
            )

    def _repo_folder(self, holder: App | Lib) -> str:
        return self.settings.path_of(holder.repo.id, holder.repo.local_path) if holder.repo else "/"
