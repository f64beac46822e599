"""Command files: what containers run. POSIX sh for dash, busybox and bash; the text is in templates/commands."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dusty_tasks.core.artifacts.templates import Templates, shell_quoted
from dusty_tasks.core.artifacts.traced import Artifact
from dusty_tasks.core.specs.compose_values import stored_paths
from dusty_tasks.core.specs.model import App, Lib
from dusty_tasks.core.specs.rules import normal_path
from dusty_tasks.core.stack.model import Stack
from dusty_tasks.core.text import shell_text


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
        return hashlib.sha256(self.path.encode()).hexdigest()[:12]


class CommandFiles(NamedTuple):
    """All command files of one app or lib, not rendered yet."""

    folder: str
    """Its name: that of their folder below build/commands."""
    key: str
    """What they are made of, as text: with the same key and the same templates they are the same."""
    paths: tuple[str, ...]
    render: Callable[[Templates], dict[str, Artifact]]
    """Path -> file, for all of `paths`."""


def command_files(stack: Stack, is_bound: bool = False) -> Iterator[CommandFiles]:
    """The command files of each app and each lib of the stack that has any; `is_bound`: containers mount the working trees themselves."""
    for app in stack.apps.values():
        libs = [stack.libs[name] for name in stack.lib_order[app.name]]
        scripts = (f"scripts/{script.name}.sh" for script in app.scripts)
        yield _command_files(
            app,
            libs,
            ("start.sh", *scripts, *_test_paths(app)),
            (
                app.mount,
                app.always,
                app.once,
                app.scripts,
                app.assets,
                app.tests,
                stored_paths(app.compose) if is_bound else (),
            ),
            _render_app,
            is_bound,
        )
    for lib in stack.libs.values():
        if lib.tests:
            libs = [stack.libs[name] for name in stack.lib_order[f"lib/{lib.name}"]]
            yield _command_files(lib, libs, _test_paths(lib), (lib.mount, lib.assets, lib.tests), _render_lib, is_bound)


def _command_files(
    target: App | Lib,
    libs: list[Lib],
    paths: tuple[str, ...],
    parts: tuple[object, ...],
    render: Callable[[Any, list[Lib], Templates, bool], dict[str, Artifact]],
    is_bound: bool,
) -> CommandFiles:
    key = repr((target.file, parts, is_bound, [(lib.file, lib.mount, lib.install, lib.assets) for lib in libs]))
    return CommandFiles(target.name, key, paths, lambda templates: render(target, libs, templates, is_bound))


def _render_app(app: App, libs: list[Lib], templates: Templates, is_bound: bool) -> dict[str, Artifact]:
    return {
        "start.sh": start_file(app, libs, templates, is_bound),
        **dict(script_files(app, templates)),
        **dict(test_files(app, libs, templates, is_bound)),
    }


def _render_lib(lib: Lib, libs: list[Lib], templates: Templates, is_bound: bool) -> dict[str, Artifact]:
    return dict(test_files(lib, libs, templates, is_bound))


def _test_paths(target: App | Lib) -> tuple[str, ...]:
    return ("test/setup.sh", *(f"test/{suite.name}.sh" for suite in target.tests.suites)) if target.tests else ()


def start_file(app: App, libs: Sequence[Lib], templates: Templates, is_bound: bool = False) -> Artifact:
    """What the app's container runs; `libs` in lib order."""
    return templates.render(
        "commands/start.sh",
        app=_lines(app, "once", "always"),
        assets=placed_assets(app, libs, is_bound, stored_paths(app.compose)),
        places=places(app, libs, stored_paths(app.compose)) if is_bound else (),
        libs=[_lines(lib, "install") for lib in libs if lib.install],
    )


def script_files(app: App, templates: Templates) -> Iterator[tuple[str, Artifact]]:
    """`scripts/<script>.sh` and its content, for each script of the app."""
    for index, script in enumerate(app.scripts):
        yield (
            f"scripts/{script.name}.sh",
            templates.render(
                "commands/script.sh",
                file=app.file,
                index=index,
                mount=app.mount,
                command=with_arguments(script.command),
            ),
        )


def test_files(
    target: App | Lib, libs: Sequence[Lib], templates: Templates, is_bound: bool = False
) -> Iterator[tuple[str, Artifact]]:
    """`test/setup.sh`, `test/<suite>.sh` and their content; `libs` are those that the target depends on, in lib order."""
    if target.tests is None:
        return
    common: dict[str, Any] = {
        "file": target.file,
        "mount": target.mount,
        "assets": placed_assets(target, libs, is_bound),
    }
    yield (
        "test/setup.sh",
        templates.render(
            "commands/test_setup.sh",
            once=_items(target.tests.once),
            libs=[_lines(lib, "install") for lib in libs if lib.install],
            **common,
        ),
    )
    for index, suite in enumerate(target.tests.suites):
        yield (
            f"test/{suite.name}.sh",
            templates.render(
                "commands/test_suite.sh",
                index=index,
                default_args=setting_arguments(suite.default_args.strip()),
                command=with_arguments(suite.command),
                **common,
            ),
        )


_PLAIN_WORDS = re.compile(r"""(?:[^'"\\$`;&|<>(){}\n#]|'[^']*'|"[^"\\$`]*")*""")


def setting_arguments(words: str) -> str:
    """The command that makes shell words, as the spec wrote them, the arguments; '' for none.

    What is more than plain and quoted words is handed to `eval` in quotes: broken, it breaks at its own run, and not the file.
    """
    if not words:
        return ""
    command = f"set -- {words}"
    return command if _PLAIN_WORDS.fullmatch(words) else f"eval {shell_quoted(command)}"


def visible_assets(spec: App | Lib, libs: Iterable[Lib]) -> list[VisibleAsset]:
    """The assets in the container of `spec`: its own, then those of its libs in lib order; each path once."""
    by_path: dict[str, VisibleAsset] = {}
    holders: list[App | Lib] = [spec, *libs]
    for holder in holders:
        for index, asset in enumerate(holder.assets):
            found = VisibleAsset(holder.file, index, asset.key, asset.path, posixpath.dirname(asset.path))
            by_path.setdefault(asset.path, found)
    return list(by_path.values())


def placed_assets(
    spec: App | Lib, libs: Sequence[Lib], is_bound: bool, stored: Sequence[str] = ()
) -> list[VisibleAsset]:
    """The assets that start scripts put in their places: not those in a working tree, where a secret does not belong.

    `stored` are the paths of the container whose files lie elsewhere (compose_values.stored_paths), and are below a tree without being in it.
    """
    found = visible_assets(spec, libs)
    return [asset for asset in found if not asset_in_a_mount(asset.path, spec, libs, stored)] if is_bound else found


def asset_in_a_mount(path: str, spec: App | Lib, libs: Iterable[Lib], stored: Iterable[str] = ()) -> str:
    """The mount of code that an asset's place lies in, '' for none: the innermost mount on its way decides."""
    return next(
        (
            mount if is_in_tree else ""
            for mount, is_in_tree in places(spec, libs, stored)
            if f"{normal_path(path)}/".startswith(f"{mount}/")
        ),
        "",
    )


def places(spec: App | Lib, libs: Iterable[Lib], stored: Iterable[str]) -> list[tuple[str, bool]]:
    """The mounts of a container, and whether each is of code; what is inside another comes before it."""
    holders: list[App | Lib] = [spec, *libs]
    trees = {normal_path(holder.mount): True for holder in holders if holder.repo and holder.mount}
    return sorted({**trees, **dict.fromkeys(stored, False)}.items(), key=lambda place: (-len(place[0]), place))


def with_arguments(commands: Sequence[str]) -> str:
    """The command items, each on lines of its own, with the arguments where core/text/shell_text puts them."""
    return shell_text.with_arguments(joined(commands).rstrip("\n"))


def joined(commands: Iterable[str]) -> str:
    """The command items, each on lines of its own."""
    return "\n".join(_items(commands))


def _lines(spec: App | Lib, *keys: str) -> Mapping[str, Any]:
    """What a template needs of a spec, its command items ready to stand on lines of their own."""
    named = {"name": spec.name, "file": spec.file, "mount": spec.mount}
    return {**named, **{key: _items(getattr(spec, key)) for key in keys}}


def _items(items: Iterable[str]) -> list[str]:
    """A YAML block ends in a newline, which a line of its own has already; further ones may belong to a here-document."""
    return [item.removesuffix("\n") for item in items]
