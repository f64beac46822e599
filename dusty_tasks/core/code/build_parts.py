"""What a `build` key of the Compose file names beside its context. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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


def with_whole_paths(build: Mapping[str, Any], root: str) -> dict[str, Any]:
    """The same with all paths of this machine from `root` on, but for the context: Compose would start at the folder of its file."""
    return {
        key: _WITH_PATHS[key](value, root) if key in _WITH_PATHS and value else value for key, value in build.items()
    }


def _whole_contexts(given: Any, root: str) -> Any:
    whole = {name: _whole_context(text, root) for name, text in pairs_of(given)}
    return whole if isinstance(given, Mapping) else [f"{name}={text}" for name, text in whole.items()]


def _whole_context(text: str, root: str) -> str:
    """A folder, or an image in one (`oci-layout://…`), from `root` on; what is no folder as it is."""
    folder = local_folder(text)
    return text.removesuffix(folder) + joined(root, folder) if folder else text


def _whole_keys(given: Any, root: str) -> Any:
    """Keys and agents of ssh: `id=path`."""
    if isinstance(given, Mapping):
        return {name: joined(root, str(path)) if path else path for name, path in given.items()}
    whole = []
    for item in given:
        name, is_path, path = str(item).partition("=")
        whole.append(f"{name}={','.join(joined(root, part) for part in path.split(','))}" if is_path else item)
    return whole


def _whole_caches(given: Any, root: str) -> Any:
    """Caches in folders: `type=local,src=path`."""
    return (
        [",".join(_whole_option(option, root) for option in str(item).split(",")) for item in given]
        if isinstance(given, list)
        else given
    )


def _whole_option(option: str, root: str) -> str:
    name, is_given, path = option.partition("=")
    return f"{name}={joined(root, path)}" if is_given and name in ("src", "dest") else option


_WITH_PATHS: dict[str, Callable[[Any, str], Any]] = {
    "additional_contexts": _whole_contexts,
    "ssh": _whole_keys,
    "cache_from": _whole_caches,
    "cache_to": _whole_caches,
}
