"""The table of artifacts: one place lists them, and each is known by the digest of the slice that it is made of."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dusty_tasks.core.artifacts import commands, table
from dusty_tasks.core.artifacts.rendering import Rendering
from dusty_tasks.core.artifacts.table import ARTIFACTS, Form, Row, Whole, rows
from dusty_tasks.core.settings.model import ContainerSettings, Settings
from dusty_tasks.core.specs.model import App, Lib
from dusty_tasks.core.specs.repo_ids import Repo
from dusty_tasks.core.stack.model import Route, Stack
from dusty_tasks.core.text import paths
from dusty_tasks.core.text.namespace import PROXY, Namespace
from dusty_tasks.core.text.namespace import STACK as STACK_NAMES
from dusty_tasks.core.text.value import cut
from dusty_tasks.effects.specs.schemas import read_templates

PACKAGE = Path(table.__file__).resolve().parents[2]
REPO = Repo("src/web", "/src/web", "", "/src/web")
WEB = App("web", "apps/web.yml", ("run",), repo=REPO, mount="/web", image="busybox:1", libs=("base",))
BASE = Lib("base", "libs/base.yml", REPO, "/base", install=("make",))
STACK = Stack(
    apps={"web": WEB},
    libs={"base": BASE},
    links={"web": ()},
    lib_order={"web": ("base",)},
    same_container_repos={"web": ("src/web",)},
    routes=(Route("web", 0, "web.test", 80, 5000, "http", 65000),),
)
SETTINGS = Settings(home="/h")


def keys(row: Row, settings: Settings = SETTINGS, stack: Stack = STACK) -> list[str]:
    return [made.key for made in row.files(Whole(stack, settings, "/specs"))]


class MoreHosts(NamedTuple):
    hosts_addresses: tuple[str, ...]
    up_wait: float


class MoreProxy(NamedTuple):
    routing: str
    bridge_ip: str
    hosts_mode: str
    is_reached_from_outside: bool
    names_of_host: tuple[str, ...]
    proxy_max_upload: str
    proxy_trusted: tuple[str, ...]
    namespace: Any
    https: str
    up_wait: float


@pytest.mark.parametrize(
    ("name", "slice", "more"), [("hosts", "HostsSettings", MoreHosts), ("nginx", "ProxySettings", MoreProxy)]
)
def test_a_field_that_a_slice_gets_makes_its_artifact_anew(
    name: str, slice: str, more: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = next(row for row in ARTIFACTS if row.name == name)
    other = Settings(home="/h", up_wait=7)
    assert keys(row) == keys(row, other), "what no slice holds makes nothing anew"
    before = keys(row)
    monkeypatch.setattr(table, slice, more)
    assert keys(row) != before and keys(row) != keys(row, other)
    (made,) = row.files(Whole(STACK, other, "/specs"))
    assert made.render(made.slice, read_templates()), "a renderer looks at its slice by names"


def test_a_field_that_a_part_of_a_spec_gets_makes_command_files_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    row = next(row for row in ARTIFACTS if row.name == "commands")
    other = replace(STACK, apps={"web": replace(WEB, volume_driver="nfs")})
    assert keys(row) == keys(row, stack=other)

    class More(NamedTuple):
        name: str
        file: str
        mount: str | None
        repo: Any
        assets: tuple[Any, ...]
        tests: Any
        once: tuple[str, ...]
        always: tuple[str, ...]
        scripts: tuple[Any, ...]
        volume_driver: str

    monkeypatch.setattr(commands, "AppPart", More)
    assert keys(row) != keys(row, stack=other)


@pytest.mark.parametrize("field", ContainerSettings.__dataclass_fields__)
def test_every_setting_in_the_slice_of_containers_makes_their_entries_anew(field: str) -> None:
    class Other:
        """Settings of which one is another."""

        def __getattr__(self, name: str) -> Any:
            return "changed" if name == field else getattr(SETTINGS, name)

    def of(settings: Any) -> dict[str, str]:
        rendering = Rendering(Whole(STACK, SETTINGS, "/specs"), read_templates())
        rendering._settings = cut(ContainerSettings, settings)
        return rendering._keys

    before, after = of(SETTINGS), of(Other())
    assert all(after[name] != key for name, key in before.items())


def test_a_second_namespace_reaches_every_artifact() -> None:
    other = Namespace("two")
    whole = Whole(STACK, replace(SETTINGS, namespace=other), "/specs")
    rendering = Rendering(whole, read_templates())
    made = {**rendering.contents(), "wanted.json": rendering.wanted}
    assert b"two_web_1" in rendering.compose and b"two_web_1" in rendering.wanted
    for path, data in made.items():
        text = data.decode()
        named = [name for name in ("web", PROXY) if STACK_NAMES.container(name) in text]
        assert not named and STACK_NAMES.network not in text and f"name: {STACK_NAMES.project}\n" not in text, path


@pytest.mark.parametrize("row", rows(Form.FILES), ids=lambda row: row.name)
def test_what_a_row_makes_has_the_paths_that_it_names(row: Row) -> None:
    for made in row.files(Whole(STACK, SETTINGS, "/specs")):
        assert tuple(made.render(made.slice, read_templates())) == made.paths
        assert all(path == row.path or path.startswith(row.path) for path in made.paths)


def listed_in(text: str) -> set[str]:
    """Which artifacts a module names, by their path or by the constant for it."""
    constants = {
        name: value
        for name, value in vars(paths).items()
        if isinstance(value, str) and value in {row.path for row in ARTIFACTS}
    }
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in constants.values():
            found.add(str(node.value))
        elif isinstance(node, ast.Name) and node.id in constants:
            found.add(str(constants[node.id]))
    return found


def test_one_module_lists_the_artifacts() -> None:
    """`dump` takes three of them along; a module that knows four keeps a list of its own."""
    named = {str(path.relative_to(PACKAGE)): listed_in(path.read_text()) for path in PACKAGE.rglob("*.py")}
    places_themselves = {"core/text/paths.py"}
    assert {path for path, found in named.items() if len(found) > 3} - places_themselves == {"core/artifacts/table.py"}


def test_a_second_list_is_found() -> None:
    text = 'PUSHED = ("hosts", "nginx/dustyNginx.conf")\nALSO = [COMPOSE_FILE, "origins.json"]\n'
    assert len(listed_in(text)) == 4
