"""Command files: what containers run. POSIX sh for dash, busybox and bash; the text is in templates/commands."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from dusty_tasks.core.artifacts.templates import Templates, shell_quoted
from dusty_tasks.core.artifacts.traced import Artifact
from dusty_tasks.core.specs.compose_values import stored_paths
from dusty_tasks.core.specs.model import App, Asset, CodeMount, Lib, Script, Tests, code_mounts
from dusty_tasks.core.specs.repo_ids import Repo
from dusty_tasks.core.specs.rules import normal_path
from dusty_tasks.core.text import shell_text
from dusty_tasks.core.text.memo import sha256
from dusty_tasks.core.text.value import cut


class VisibleAsset(NamedTuple):
    """An asset as a container sees it, with the place that declares it."""

    file: str
    position: int
    key: str
    path: str
    parent: str

    @property
    def number(self) -> str:
        """Stands for the path where a container keeps what it knows of it."""
        return sha256(self.path.encode()).hexdigest()[:12]


class AssetHolder(Protocol):
    """An app, lib or service, or the part of one that declares assets."""

    @property
    def file(self) -> str: ...
    @property
    def assets(self) -> tuple[Asset, ...]: ...


class Holder(AssetHolder, Protocol):
    """An app or a lib, or the part of one that command files are made of."""

    @property
    def mount(self) -> str | None: ...
    @property
    def repo(self) -> Repo | None: ...


class LibPart(NamedTuple):
    """A lib as the command files of those that depend on it see it."""

    name: str
    file: str
    mount: str
    repo: Repo
    install: tuple[str, ...]
    assets: tuple[Asset, ...]


class SuitesPart(NamedTuple):
    """An app or lib as its suites see it."""

    file: str
    mount: str | None
    repo: Repo | None
    assets: tuple[Asset, ...]
    tests: Tests | None
    mounts: tuple[CodeMount, ...]


class AppPart(NamedTuple):
    """An app as its own command files see it."""

    name: str
    file: str
    mount: str | None
    repo: Repo | None
    assets: tuple[Asset, ...]
    tests: Tests | None
    once: tuple[str, ...]
    always: tuple[str, ...]
    scripts: tuple[Script, ...]
    has_commands: bool
    mounts: tuple[CodeMount, ...]


class SuiteSlice(NamedTuple):
    """All that the files of suites are made of."""

    target: SuitesPart
    libs: tuple[LibPart, ...]
    """Those that it depends on, in lib order."""
    is_bound: bool
    """Containers mount the working trees themselves."""


class AppSlice(NamedTuple):
    """All that an app's command files are made of."""

    app: AppPart
    libs: tuple[LibPart, ...]
    is_bound: bool
    stored: tuple[str, ...]
    """Where `is_bound`: paths of its container whose files lie elsewhere (compose_values.stored_paths)."""
    believes: bool = False
    """It is to believe the stack's certificates: the setting `https` is not off."""


def app_slice(app: App, libs: Iterable[Lib], is_bound: bool = False, believes: bool = False) -> AppSlice:
    """What there is to see of an app, `libs` in lib order."""
    stored = tuple(stored_paths(app.compose)) if is_bound else ()
    return AppSlice(cut(AppPart, app), tuple(cut(LibPart, lib) for lib in libs), is_bound, stored, believes)


def suite_slice(target: App | Lib, libs: Iterable[Lib], is_bound: bool = False) -> SuiteSlice:
    """The same of an app's or a lib's suites."""
    return SuiteSlice(cut(SuitesPart, target), tuple(cut(LibPart, lib) for lib in libs), is_bound)


def app_paths(app: App) -> tuple[str, ...]:
    """The names of an app's command files."""
    start = ["start.sh"] if app.has_commands else []
    return (*start, *(f"scripts/{script.name}.sh" for script in app.scripts), *suite_paths(app))


def suite_paths(target: App | Lib) -> tuple[str, ...]:
    """The names of the files of suites."""
    return ("test/setup.sh", *(f"test/{suite.name}.sh" for suite in target.tests.suites)) if target.tests else ()


def render_app(of: AppSlice, templates: Templates) -> dict[str, Artifact]:
    """An app's command files by their name."""
    return {
        **({"start.sh": start_file(of, templates)} if of.app.has_commands else {}),
        **script_files(of.app, templates),
        **render_suites(SuiteSlice(cut(SuitesPart, of.app), of.libs, of.is_bound), templates),
    }


def start_file(of: AppSlice, templates: Templates) -> Artifact:
    """What the app's container runs."""
    return templates.render(
        "commands/start.sh",
        app=_lines(of.app, "once", "always"),
        believes=of.believes,
        assets=placed_assets(of.app, of.libs, of.is_bound, of.stored),
        places=places(of.app, of.libs, of.stored) if of.is_bound else (),
        libs=[_lines(lib, "install") for lib in of.libs if lib.install],
    )


def script_files(app: AppPart, templates: Templates) -> dict[str, Artifact]:
    """`scripts/<script>.sh` and its content, for each script of the app."""
    return {
        f"scripts/{script.name}.sh": templates.render(
            "commands/script.sh",
            file=app.file,
            index=index,
            mount=app.mount,
            command=with_arguments(script.command),
        )
        for index, script in enumerate(app.scripts)
    }


def render_suites(of: SuiteSlice, templates: Templates) -> dict[str, Artifact]:
    """`test/setup.sh`, `test/<suite>.sh` and their content."""
    target = of.target
    if target.tests is None:
        return {}
    common: dict[str, Any] = {
        "file": target.file,
        "mount": target.mount,
        "assets": placed_assets(target, of.libs, of.is_bound),
    }
    setup = templates.render(
        "commands/test_setup.sh",
        once=_items(target.tests.once),
        libs=[_lines(lib, "install") for lib in of.libs if lib.install],
        **common,
    )
    suites = {
        f"test/{suite.name}.sh": templates.render(
            "commands/test_suite.sh",
            index=index,
            default_args=setting_arguments(suite.default_args.strip()),
            command=with_arguments(suite.command),
            **common,
        )
        for index, suite in enumerate(target.tests.suites)
    }
    return {"test/setup.sh": setup, **suites}


_PLAIN_WORDS = r"""(?:[^'"\\$`;&|<>(){}\n#]|'[^']*'|"[^"\\$`]*")*"""


def setting_arguments(words: str) -> str:
    """The command that makes shell words, as the spec wrote them, the arguments; '' for none.

    What is more than plain and quoted words is handed to `eval` in quotes: broken, it breaks at its own run, and not the file.
    """
    if not words:
        return ""
    command = f"set -- {words}"
    return command if re.fullmatch(_PLAIN_WORDS, words) else f"eval {shell_quoted(command)}"


def visible_assets(spec: AssetHolder, libs: Iterable[AssetHolder]) -> list[VisibleAsset]:
    """The assets in the container of `spec`: its own, then those of its libs in lib order; each path once."""
    by_path: dict[str, VisibleAsset] = {}
    holders = [spec, *libs]
    for holder in holders:
        for index, asset in enumerate(holder.assets):
            found = VisibleAsset(holder.file, index, asset.key, asset.path, posixpath.dirname(asset.path))
            by_path.setdefault(asset.path, found)
    return list(by_path.values())


def placed_assets(
    spec: Holder, libs: Sequence[Holder], is_bound: bool, stored: Sequence[str] = ()
) -> list[VisibleAsset]:
    """The assets that start scripts put in their places: not those in a working tree, where a secret does not belong.

    `stored` are the paths of the container whose files lie elsewhere (compose_values.stored_paths), and are below a tree without being in it.
    """
    found = visible_assets(spec, libs)
    return [asset for asset in found if not asset_in_a_mount(asset.path, spec, libs, stored)] if is_bound else found


def asset_in_a_mount(path: str, spec: Holder, libs: Iterable[Holder], stored: Iterable[str] = ()) -> str:
    """The mount of code that an asset's place lies in, '' for none: the innermost mount on its way decides."""
    return next(
        (
            mount if is_in_tree else ""
            for mount, is_in_tree in places(spec, libs, stored)
            if f"{normal_path(path)}/".startswith(f"{mount}/")
        ),
        "",
    )


def places(spec: Holder, libs: Iterable[Holder], stored: Iterable[str]) -> list[tuple[str, bool]]:
    """The mounts of a container, and whether each is of code; what is inside another comes before it."""
    holders = [spec, *libs]
    trees = {normal_path(mount.path): True for holder in holders for mount in code_mounts(holder)}
    return sorted({**trees, **dict.fromkeys(stored, False)}.items(), key=lambda place: (-len(place[0]), place))


def with_arguments(commands: Sequence[str]) -> str:
    """The command items, each on lines of its own, with the arguments where core/text/shell_text puts them."""
    return shell_text.with_arguments(joined(commands).rstrip("\n"))


def joined(commands: Iterable[str]) -> str:
    """The command items, each on lines of its own."""
    return "\n".join(_items(commands))


def _lines(spec: AppPart | LibPart, *keys: str) -> Mapping[str, Any]:
    """What a template needs of a spec, its command items ready to stand on lines of their own."""
    named = {"name": spec.name, "file": spec.file, "mount": spec.mount}
    return {**named, **{key: _items(getattr(spec, key)) for key in keys}}


def _items(items: Iterable[str]) -> list[str]:
    """A YAML block ends in a newline, which a line of its own has already; further ones may belong to a here-document."""
    return [item.removesuffix("\n") for item in items]
