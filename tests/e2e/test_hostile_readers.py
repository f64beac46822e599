"""nginx and Docker Compose themselves read what hostile specs compile to, and every translation of Compose keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from dusty_tasks.core.plan.given_values import env_file_text
from dusty_tasks.core.settings.model import NGINX_IMAGE
from dusty_tasks.core.text.problems import errors
from tests.core.artifacts.test_hostile_artifacts import HOME, SURE, compiled
from tests.core.spec_text import fine
from tests.core.specs import test_compose_keys as dialects
from tests.core.specs.test_hostile_specs import FILES, STRINGS, checked, replaced
from tests.core.specs.test_hostile_specs import SURE as NAMES

SAY_REFUSED = 'for file in /c/*.conf; do nginx -t -q -c "$file" || echo "refused $file"; done 2>&1'


def accepted_artifacts() -> list[dict[str, bytes]]:
    """The artifacts of all specs with a hostile string that the checks let through."""
    found = []
    for where in STRINGS:
        for text in {*SURE, *NAMES}:
            specs, problems = checked(replaced(*where, text))
            made = None if errors(problems) else compiled(specs, HOME)
            if made is not None:
                found.append(made)
    assert len(found) > 200
    return found


def test_nginx_accepts_every_config(rig: Any, tmp_path: Path) -> None:
    configs = {artifacts["nginx/dustyNginx.conf"] for artifacts in accepted_artifacts()}
    (tmp_path / "c").mkdir()
    for number, config in enumerate(sorted(configs)):
        (tmp_path / f"c/{number}.conf").write_bytes(config)
    test = [
        "docker",
        "run",
        "--rm",
        "--network",
        "none",
        "-v",
        f"{tmp_path}/c:/c:ro",
        NGINX_IMAGE,
        "sh",
        "-c",
        SAY_REFUSED,
    ]
    assert rig.run(test).stdout == ""
    (tmp_path / "c/wrong.conf").write_text("events {} http { server { listen 80; server_name a;} }}")
    assert "refused /c/wrong.conf" in rig.run(test).stdout


def test_compose_reads_values_as_they_were_written(rig: Any, tmp_path: Path) -> None:
    variables = {f"V{number}": text for number, text in enumerate({*SURE, *NAMES} - {"\0"})}
    files = {
        **FILES,
        "services/redis.yml": {**FILES["services/redis.yml"], "environment": variables, "env_file": []},
        "apps/web.yml": {**FILES["apps/web.yml"], "compose": {"environment": variables}},
    }
    specs, problems = checked(files)
    assert errors(problems) == []
    made = compiled(specs, HOME)
    assert made is not None
    read = compose_config(rig, tmp_path, made["docker-compose.yml"])
    for name in ("redis", "web"):
        # `config` prints a `$` doubled, so that its output can be read again.
        assert {
            key: text.replace("$$", "$") for key, text in read["services"][name]["environment"].items()
        } == variables


def test_compose_reads_given_values_as_they_were_set(rig: Any, tmp_path: Path) -> None:
    """Values of `dusty env set` come from an env_file, whose quoting is Compose's own."""
    hard = [
        "$A",
        "${A:-x}",
        "$$",
        "\\$A",
        "\\\\",
        "\\",
        "\\n",
        "a\nb\r\nc",
        '"',
        '\\"',
        "'",
        "' #x",
        "#x",
        " x ",
        "a=b",
        "`id`",
        "$(id)",
        "\t",
        "%s",
        "",
        "é\u2028",
    ]
    values = {f"V{number}": text for number, text in enumerate([*hard, *sorted({*SURE, *NAMES} - {"\0"})])}
    (tmp_path / "web.env").write_bytes(env_file_text(values).encode("utf-8", "surrogateescape"))
    text = f"services: {{web: {{image: b, environment: {{OWN: x}}, env_file: [{tmp_path}/web.env]}}}}\n"
    read = compose_config(rig, tmp_path, text.encode())["services"]["web"]["environment"]
    assert {key: value.replace("$$", "$") for key, value in read.items()} == {**values, "OWN": "x"}


def test_compose_accepts_every_translation(rig: Any, tmp_path: Path) -> None:
    table = next(mark for mark in dialects.test_service.pytestmark if mark.name == "parametrize").args[1]
    texts = {f"services/it{number}.yml": f"image: it\n{written}\n" for number, (written, _) in enumerate(table)}
    names = ", ".join(["redis", "mongo", *(f"it{number}" for number in range(len(table)))])
    specs = fine({**dialects.SERVICES, **texts, "bundles/all.yml": f"services: [{names}]\n"})
    made = compiled(specs, HOME)
    assert made is not None
    read = compose_config(rig, tmp_path, made["docker-compose.yml"])
    assert len(read["services"]) == len(table) + 2
    assert yaml.safe_load(made["docker-compose.yml"])["services"].keys() == read["services"].keys()


def compose_config(rig: Any, folder: Path, text: bytes) -> dict[str, Any]:
    """The file as Docker Compose understands it; a refusal is an AssertionError with its words."""
    (folder / "common.env").write_text("A=1\n")
    (folder / "docker-compose.yml").write_bytes(text.replace(b"/specs/common.env", f"{folder}/common.env".encode()))
    printed = rig.run(["docker", "compose", "-f", f"{folder}/docker-compose.yml", "config", "--format", "json"]).stdout
    read: dict[str, Any] = json.loads(printed)
    return read
