"""Names of images: which two spellings mean one image."""

from __future__ import annotations


def image_name(written: str) -> str:
    """The name as the engine lists it: Docker Hub's own prefixes left out, `:latest` written out."""
    name = written.removeprefix("docker.io/").removeprefix("index.docker.io/").removeprefix("library/")
    last = name.rpartition("/")[2]
    return name if ":" in last or "@" in last or not name else f"{name}:latest"


def is_same_image(shown: str, wanted: str) -> bool:
    """True if a container that the engine shows with image `shown` runs what `wanted` names now.

    The engine shows the name that the container was made with while that name still means its image, and the
    image's id (`sha256:…`, or its first 12 digits) once it does not.
    """
    return image_name(shown) == image_name(wanted)


def registry_of(written: str) -> str:
    """The registry to log in to: '' stands for the default one."""
    first, slash, _ = written.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else ""
