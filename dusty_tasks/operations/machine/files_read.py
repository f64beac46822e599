"""Files and folders of this machine that Compose or the builder reads for a container, looked at right before they do.

`validate` looks at those of the specs repo too (core/powers/links); here are also those of the repos, and what changed since the specs did.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dusty_tasks import session
from dusty_tasks.core.text.safe import printable
from dusty_tasks.effects.doors.failures import Failure

if TYPE_CHECKING:
    from dusty_tasks.core.powers.model import Power
    from dusty_tasks.core.settings.model import Settings
    from dusty_tasks.core.specs.model import Service
    from dusty_tasks.core.suites.target import Target


_FROM_CALLER = re.compile(
    r"^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*(?:#.*)?$|\$\{?([A-Za-z_]\w*)", re.MULTILINE | re.ASCII
)
"""A name without a value, or one within a value: Compose takes both from its own environment."""


def refuse_unsafe_reads(mappings: Mapping[str, Mapping[str, Any]], folders: Iterable[tuple[str, str]]) -> None:
    """Raise Failure for a file that would be read without an end, and for a path that a link leads out of what the stack may read.

    `mappings` are containers' entries of the Compose file; `folders` the id and the local path, or '', of each repo. A path outside by its name needs consent, which
    is another question.
    """
    from dusty_tasks.core.powers.links import paths_of_mapping

    if not any(mapping.keys() & {"env_file", "label_file", "build"} for mapping in mappings.values()):
        return
    from dusty_tasks.core.powers.folders import is_within, readable_folders
    from dusty_tasks.effects.doors.files import read_trouble

    roots = readable_folders(session.settings(), str(session.specs_root()), folders)
    real_roots = [os.path.realpath(root) for root in roots]
    troubles = []
    for name, mapping in mappings.items():
        for path, is_file in paths_of_mapping(mapping):
            real = os.path.realpath(path)
            if is_within(path, roots) and not is_within(real, real_roots):
                troubles.append(
                    f"{name}: {path} is a link that points outside the specs and repos of the stack, to {real}"
                )
            elif is_file and (trouble := read_trouble(path)):
                troubles.append(f"{name}: {path} cannot be read: {trouble}")
    if troubles:
        raise Failure(printable("; ".join(dict.fromkeys(troubles))), "put a small regular file there instead of a link")


def powers_of_env_files(mappings: Mapping[str, Mapping[str, Any]]) -> Iterator[Power]:
    """With an ssh Docker host: the caller's own variables that files of variables name, and Compose would fill in and send there."""
    from dusty_tasks.core.powers.folders import is_plain_variable
    from dusty_tasks.core.powers.links import listed
    from dusty_tasks.core.powers.model import Power, sent_variable
    from dusty_tasks.effects.doors.files import SMALL, read_bounded

    own = f"{session.settings().state}/"
    for name, mapping in mappings.items():
        paths = [
            str(item["path"] if isinstance(item, Mapping) else item).replace("$$", "$")
            for item in listed(mapping.get("env_file"))
        ]
        for path in paths:
            try:
                text = (read_bounded(path, SMALL) or b"").decode("utf-8", "replace") if not path.startswith(own) else ""
            except OSError:
                continue
            for variable in sorted({match[1] or match[2] for match in _FROM_CALLER.finditer(text)}):
                if variable in os.environ and not is_plain_variable(variable):
                    yield Power(name, f"env_file {path}", variable, sent_variable(variable))


def mappings_of_tests(
    target: Target, services: Mapping[str, Service], settings: Settings, specs_root: str
) -> dict[str, dict[str, Any]]:
    """What is read for the tests of a target, in the form of Compose entries: by its test image, its suites, and the services that they need."""
    from dusty_tasks.core.artifacts.compose import service_build
    from dusty_tasks.core.artifacts.compose_entry import env_files
    from dusty_tasks.core.powers.links import listed
    from dusty_tasks.core.suites.target import base_of

    _image, folder = base_of(target, settings)
    found: dict[str, dict[str, Any]] = {f"tests of {target.name}": {"build": {"context": folder}}} if folder else {}
    for suite in target.tests.suites:
        found[f"suite {suite.name}"] = {"env_file": env_files(listed(suite.compose.get("env_file")), specs_root)}
        for service in (services[name] for name in suite.services if name in services):
            found[service.name] = {
                "env_file": env_files(listed(service.compose.get("env_file")), specs_root),
                **({"build": service_build(service, specs_root)} if service.compose.get("build") else {}),
            }
    return found
