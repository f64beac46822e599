"""What a `build` key of the Compose file names beside its context. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dusty_tasks.core.code.dockerignore import DEFAULT_NAME
from dusty_tasks.core.specs.compose_values import joined, local_folder, pairs_of


class Context(NamedTuple):
    """An additional context: a folder of this machine, or the image of another service, or neither (an image, a URL)."""

    name: str
    folder: str = ""
    service: str = ""
    is_ignoring: bool = True
    """False for an image that lies in a folder: there is no .dockerignore in that."""


def contexts_of(build: Any) -> Iterator[Context]:
    """The additional contexts of a `build` as docker-compose.yml has it: with `$$` for `$`."""
    for name, text in pairs_of(build.get("additional_contexts") if isinstance(build, Mapping) else None):
        text = text.replace("$$", "$")
        yield Context(
            name,
            local_folder(text),
            text.removeprefix("service:") if text.startswith("service:") else "",
            "oci-layout://" not in text,
        )


def dockerfile_names(build: Any) -> tuple[str, ...]:
    """Where the builder looks for the Dockerfile, from the context on."""
    named = str(build.get("dockerfile") or "") if isinstance(build, Mapping) else ""
    return (named.replace("$$", "$"),) if named else (DEFAULT_NAME, DEFAULT_NAME.lower())


def outside_args(build: Any, environ: Mapping[str, str]) -> dict[str, str]:
    """The build arguments that are named without a value, and what `environ` gives them."""
    args = build.get("args") if isinstance(build, Mapping) else None
    named = (
        [name for name, value in args.items() if value is None]
        if isinstance(args, Mapping)
        else [str(item) for item in args or () if "=" not in str(item)]
    )
    return {name: environ[name] for name in named if name in environ}


def with_whole_contexts(build: Mapping[str, Any], root: str) -> dict[str, Any]:
    """The same with additional contexts from `root` on: Compose would start at the folder of its file."""
    given = build.get("additional_contexts")
    if not given:
        return dict(build)
    whole = {
        name: joined(root, text) if text and local_folder(text) == text else text for name, text in pairs_of(given)
    }
    return {
        **build,
        "additional_contexts": whole
        if isinstance(given, Mapping)
        else [f"{name}={text}" for name, text in whole.items()],
    }
