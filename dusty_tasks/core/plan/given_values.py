"""Values that a person gave with `dusty env set`, and those that hold secrets of `dusty vars set`: Compose reads them from a file of mode 0600 for each container.

They may be secrets, so no artifact that is shown, pushed or kept on the Docker host holds them: the Compose file names the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dusty_tasks.core.specs.secret_values import with_secrets
from dusty_tasks.core.text.paths import Paths

FOLDER = "env"
"""Below state/: a cache, since config.yml and the folder of secrets hold the values."""
ENV_FILE = "env_file "
"""Before a path: the name under which Sources.environment has the digest of a file of variables."""


def given_values(env: Mapping[str, Mapping[str, str | None]], name: str) -> dict[str, str]:
    """The variables of app or service `name` that have a value; `env` is that of the settings."""
    return {variable: text for variable, text in env.get(name, {}).items() if text is not None}


def values_of_container(
    name: str, templates: Mapping[str, str], env: Mapping[str, Mapping[str, str | None]], secrets: Mapping[str, str]
) -> dict[str, str]:
    """All that Compose reads from the file of container `name`: its `templates` with their secrets, under what was given with `dusty env`."""
    others = env.get(name, {})
    of_specs = {variable: with_secrets(text, secrets) for variable, text in templates.items() if variable not in others}
    return {**of_specs, **given_values(env, name)}


def file_of(home: str, name: str) -> str:
    """The absolute path of the file for a container."""
    return Paths(home).kept(FOLDER, f"{name}.env")


def without_file(mapping: dict[str, Any], name: str) -> dict[str, Any]:
    """A container's Compose mapping without the file of given values: it is the same file whatever they are."""
    others = [entry for entry in mapping.get("env_file") or () if not str(entry).endswith(file_of("", name))]
    return (
        {key: value for key, value in {**mapping, "env_file": others}.items() if key != "env_file" or value}
        if "env_file" in mapping
        else mapping
    )


def files_of(
    env: Mapping[str, Mapping[str, str | None]],
    templates_by_name: Mapping[str, Mapping[str, str]],
    secrets: Mapping[str, str],
) -> dict[str, bytes]:
    """File name -> content, for those of the containers that have values or templates."""
    values = {name: values_of_container(name, templates, env, secrets) for name, templates in templates_by_name.items()}
    return {
        f"{name}.env": env_file_text(given).encode("utf-8", "surrogateescape")
        for name, given in values.items()
        if given or templates_by_name[name]
    }


def env_file_text(values: Mapping[str, str]) -> str:
    """Variables as Compose reads them from an `env_file`: in double quotes, where it undoes just these escapes."""
    return "".join(f'{name}="{_escaped(text)}"\n' for name, text in values.items())


def _escaped(text: str) -> str:
    for character, escape in (("\\", "\\\\"), ('"', '\\"'), ("$", "\\$"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(character, escape)
    return text
