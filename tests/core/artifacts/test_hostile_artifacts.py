"""What hostile strings can reach: each artifact is read back by a reader of its own (docs/specs.md).

Command lines are verbatim by contract, so the shell's reader judges all other strings; nginx and Compose themselves judge
in tests/e2e.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import PurePosixPath
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.artifacts.rendering import Rendering
from dusty_tasks.core.artifacts.table import Whole
from dusty_tasks.core.check.assembled import assemble_with_ports
from dusty_tasks.core.settings.model import HostSettings, Settings
from dusty_tasks.core.specs.model import Specs
from dusty_tasks.core.text.key_path import path_text
from dusty_tasks.core.text.problems import errors
from dusty_tasks.effects.specs.schemas import read_templates
from tests.core.specs.test_hostile_specs import FILES, HOSTILE, KEYS, STRINGS, checked, replaced

SURE = (
    "a;b} server { listen 1; } # it's",
    'say "hi" \\',
    "${X} $(reboot) `reboot`",
    "two\nlines\n- a\n- b: c",
    "' ; reboot ; '",
    "tab\there {{ x }} {% raw %} %s é\u202e",
    "0755",
)
COMMANDS = {"once", "always", "command", "install"}
"""Keys whose text is verbatim shell; `command` of a service is not among them."""
HOME = Settings(home="/dusty-home", host=HostSettings(root="/dusty-home/host"))


def compiled(specs: Specs, settings: Settings) -> dict[str, bytes] | None:
    """What other programs read of the stack of all bundles, or None if it has an error."""
    made = assemble_with_ports(specs, tuple(specs.bundles), settings, {})
    if errors(made.problems):
        return None
    return Rendering(Whole(made.stack, settings, "/specs"), read_templates()).contents()


def nginx_tokens(text: str) -> list[str]:
    """An nginx config as its words; quoted ones keep their quote as a first character."""
    found = re.findall(r"""#[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[{};]|(?:\\.|\$\{[^}]*\}|[^\s{};"'\\])+""", text)
    return [token for token in found if not token.startswith("#")]


def nginx_servers(text: str) -> list[tuple[str, ...]]:
    """The directives of a config as tuples of words; raises on brackets that do not match."""
    depth, words, directives = 0, [], []
    for token in nginx_tokens(text):
        if token in "{;}" and token:
            depth += {"{": 1, ";": 0, "}": -1}[token]
            assert depth >= 0
            assert token != "}" or not words
            if words:
                directives.append(tuple(words))
            words = []
        else:
            words.append(token)
    assert depth == 0 and not words
    return directives


@cache
def usual_directives() -> set[str]:
    """The directives in the config of the harmless specs."""
    files = compiled(checked(FILES)[0], HOME)
    assert files is not None
    return {words[0] for words in nginx_servers(files["nginx/dustyNginx.conf"].decode())}


def assert_harmless(specs: Specs, files: dict[str, bytes], *, has_plain_commands: bool) -> None:
    """Every artifact is what it would be for a harmless spec: same kinds of lines, nothing beside."""
    for path in files:
        parts = PurePosixPath(path).parts
        assert not {"..", "/", ""} & set(parts) and re.fullmatch(r"[A-Za-z0-9._/-]+", path)
    forwardings = [one for app in specs.apps.values() for one in app.forwardings]
    host_names = {one.host_name for one in forwardings}
    lines = files["hosts"].decode().splitlines()
    assert lines[0].startswith("# BEGIN") and lines[-1].startswith("# END")
    assert {tuple(line.split(" ")) for line in lines[1:-1]} == {("127.0.0.1", name) for name in host_names}
    directives = nginx_servers(files["nginx/dustyNginx.conf"].decode())
    listed = {(name, "1") for name in host_names}
    assert {words[0] for words in directives if (words[0].lstrip("\\"), *words[1:]) not in listed} <= usual_directives()
    assert {name for words in directives if words[0] == "server_name" for name in words[1:]} <= host_names
    ports = [*(one.host_port for one in forwardings), *{one.host_port for one in forwardings if one.kind == "http"}]
    assert sorted(int(words[1]) for words in directives if words[0] == "listen") == sorted(ports)
    compose = yaml.load(files["docker-compose.yml"], yaml.CSafeLoader)
    assert set(compose) <= {"name", "services", "volumes", "networks"}
    assert set(compose["services"]) <= {*specs.apps, *specs.services, "dustyInternalNginx"}
    for name, service in compose["services"].items():
        assert service["container_name"] == f"dusty_{name}_1"
    if has_plain_commands:
        for path, data in files.items():
            if path.startswith("commands/"):
                assert b"\0" not in data
                ended = subprocess.run(["sh", "-n"], input=data, capture_output=True, check=False)
                assert ended.returncode == 0, (path, ended.stderr)


def is_command(file: str, path: tuple[Any, ...]) -> bool:
    return bool(COMMANDS & set(path)) and not file.startswith("services/")


@pytest.mark.parametrize("where", STRINGS, ids=lambda where: f"{where[0]}:{path_text(where[1])}")
def test_no_free_text_breaks_out(where: tuple[str, tuple[Any, ...]]) -> None:
    for text in SURE:
        specs, problems = checked(replaced(*where, text))
        if not errors(problems):
            files = compiled(specs, HOME)
            if files is not None:
                assert_harmless(specs, files, has_plain_commands=False)


@given(st.sampled_from(STRINGS + KEYS), HOSTILE)
def test_no_string_breaks_out(where: tuple[str, tuple[Any, ...]], text: str) -> None:
    specs, problems = checked(replaced(*where, text))
    if not errors(problems):
        files = compiled(specs, HOME)
        if files is not None:
            assert_harmless(specs, files, has_plain_commands=not is_command(*where))


@given(st.dictionaries(st.sampled_from(["A", "B_1"]), st.sampled_from(SURE) | st.none(), max_size=2))
def test_values_arrive_in_compose_as_they_were_written(variables: dict[str, str | None]) -> None:
    """`$` doubled is Compose's way to write one; nothing else changes."""
    files = {**FILES, "services/redis.yml": {**FILES["services/redis.yml"], "environment": variables}}
    specs, problems = checked(files)
    assert errors(problems) == []
    for settings, name in ((HOME, "redis"), (replace(HOME, env={"web": variables}), "web")):
        made = compiled(specs, settings)
        assert made is not None
        found = yaml.load(made["docker-compose.yml"], yaml.CSafeLoader)["services"][name].get("environment", {})
        for variable, text in variables.items():
            if name == "web" and text is not None:  # It comes from a file of its own: see e2e/test_hostile_readers.
                assert variable not in found
                continue
            assert found[variable] == (text if text is None else text.replace("$", "$$"))


def test_the_readers_see_what_breaks_out() -> None:
    assert ("listen", "1") in nginx_servers("server { server_name a; } server { listen 1; }")
    with pytest.raises(AssertionError):
        nginx_servers("server { server_name a; }}")
    specs, _ = checked(FILES)
    files = compiled(specs, HOME)
    assert files is not None
    assert_harmless(specs, files, has_plain_commands=True)
    for path, wrong in (
        ("hosts", b"127.0.0.1 bank.test\n# END"),
        ("nginx/dustyNginx.conf", b"load_module x;"),
        ("docker-compose.yml", b"\ninclude: [x]\n"),
        ("commands/web/start.sh", b"'\n"),
    ):
        spoilt = {**files, path: files[path].replace(b"# END", wrong) if path == "hosts" else files[path] + wrong}
        with pytest.raises(AssertionError):
            assert_harmless(specs, spoilt, has_plain_commands=True)
