"""What names, host_names, ports, paths and images may look like (docs/specs.md).

Each rule takes a value and raises Wrong with a sentence and a hint. The schemas name them as `format`; a value of
another type is let through, since the schema's `type` says what is wrong with it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from dusty_tasks.core.specs.repo_ids import repo_of
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.namespace import PROXY
from dusty_tasks.core.text.safe import shown, unsafe_part

RESERVED_MOUNTS = ("/cp", "/command_files", "/dusty_assets", "/proc", "/sys", "/dev")

_LOWER_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ASSET_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@+-]*")
_TIME = r"(?=[0-9])(?:[0-9]{1,3}d)?(?:[0-9]{1,4}h)?(?:[0-9]{1,5}m)?(?:[0-9]{1,6}s)?"
_SIZE = r"(?:0|[1-9][0-9]{0,8})[kKmMgG]?"  # These two are seldom needed, and not compiled before that.
NAME_RULES = {"app": _LOWER_NAME, "lib": _LOWER_NAME, "service": _WORD}
NOT_INTERPOLATED_HINT = "write the value, or ${{NAME}} for a variable of vars.yml"
NOT_INTERPOLATED = f"nothing is interpolated; {NOT_INTERPOLATED_HINT}"


class Wrong(ValueError):
    """A value breaks a rule: of which kind that is, what is wrong, and at most one hint."""

    def __init__(self, code: Code, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.code, self.what, self.hint = code, what, hint


def check_spec_name(kind: str, name: str) -> None:
    """The name of a spec, which is its file name without `.yml`."""
    if kind in ("app", "service") and name.lower() == PROXY.lower():
        raise Wrong(Code.SPEC_NAME, f"{shown(name)} is the proxy's own name", "rename the file")
    article = "an" if kind == "app" else "a"
    fine = _is_bundle_name(name) if kind == "bundle" else bool(NAME_RULES[kind].fullmatch(name))
    if not fine:
        nearest = nearest_name(kind, name)
        raise Wrong(
            Code.SPEC_NAME,
            f"{shown(name)} is not a name for {article} {kind}",
            f"rename the file to {nearest}.yml" if nearest else "",
        )


def nearest_name(kind: str, name: str) -> str:
    """The allowed name that looks most like `name`, or ''."""
    if kind == "bundle":
        return "".join(c for c in name if unicodedata.category(c)[0] != "C").strip().lstrip("-. ")
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    if kind == "service":
        return re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("._-")
    return re.sub(r"([._-])[._-]+", r"\1", re.sub(r"[^a-z0-9._-]+", "-", plain.lower())).strip("._-")


def _is_bundle_name(name: str) -> bool:
    # Control characters, undecodable bytes, line and paragraph separators.
    return (
        bool(name)
        and name[0] not in "-."
        and not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in name)
    )


def check_host_name(value: Any) -> None:
    """An LDH DNS name that is not reserved; capitals are fine."""
    if not isinstance(value, str):
        return
    labels = (name := value.lower()).split(".")
    hint = "letters, digits, hyphens and dots only, for example local.web.test"
    if len(value) > 253:
        raise Wrong(Code.HOST_NAME, f"a DNS name has at most 253 characters, not {len(value)}", hint)
    if not all(label.isascii() and _LABEL.fullmatch(label) for label in labels):
        unsafe = unsafe_part(value)
        why = f": it contains {unsafe}" if unsafe not in ("", "a blank") else ""
        raise Wrong(Code.HOST_NAME, f"{shown(value)} is not a DNS name{why}", _host_hint(value) or hint)
    if labels[-1].isdigit():
        raise Wrong(Code.HOST_NAME, f"{shown(value)} is not a DNS name: its last part is a number", hint)
    if name in ("localhost", "broadcasthost") or name.startswith("ip6-") or f".{name}".endswith(".docker.internal"):
        raise Wrong(Code.HOST_NAME, f"{shown(value)} is reserved", "another name, for example local.web.test")


def _host_hint(value: str) -> str:
    if "://" in value or "/" in value:
        bare = value.split("://")[-1].split("/")[0].split(":")[0]
        return f"the name alone: {bare}" if _is_host_name(bare) else ""
    if value.endswith(".") and _is_host_name(value[:-1]):
        return f"without the last dot: {value[:-1]}"
    if ":" in value and _is_host_name(value.split(":")[0]):
        return f"the name alone, and the port as host_port: {value.split(':')[0]}"
    if "_" in value and _is_host_name(value.replace("_", "-")):
        return f"no underscores; for example {value.replace('_', '-')}"
    return ""


def _is_host_name(value: str) -> bool:
    try:
        check_host_name(value)
    except Wrong:
        return False
    return bool(value)


def check_port(value: Any) -> None:
    """A whole number from 1 to 65535, written without quotes."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 65535:
        return
    is_quoted = isinstance(value, str) and value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= 65535
    hint = f"write {int(value)} without quotes or leading zeros" if is_quoted else ""
    raise Wrong(Code.PORT, f"{shown(value)} is not a port (1 to 65535)", hint)


def check_size(value: Any) -> None:
    """A size as nginx writes it: bytes, or a number with K, M or G; 0 is no limit."""
    if isinstance(value, (str, int)) and not isinstance(value, bool) and re.fullmatch(_SIZE, str(value)):
        return
    raise Wrong(
        Code.SIZE, f"{shown(value)} is not a size", "bytes, or a number with K, M or G, for example 2G; 0 for no limit"
    )


def check_timeout(value: Any) -> None:
    """A time as nginx writes it, from its largest unit to its smallest."""
    if not isinstance(value, str) or (re.fullmatch(_TIME, value) and any(digit in "123456789" for digit in value)):
        return
    hint = (
        f"{value}s" if value.isascii() and value.isdigit() and value.strip("0") else "for example 30s, 10m, 1h30m or 7d"
    )
    raise Wrong(Code.DURATION, f"{shown(value)} is not a time", hint)


def check_container_path(value: Any) -> None:
    """An absolute path in a container."""
    if not isinstance(value, str):
        return
    _check_plain(value, "a path", "letters, digits and / . _ - + @ % = , ~ only")
    if not value.startswith("/"):
        raise Wrong(
            Code.CONTAINER_PATH,
            f"{shown(value)} is not an absolute path",
            f"for example /{value.lstrip('./~') or 'app'}",
        )
    if ":" in value:
        raise Wrong(
            Code.CONTAINER_PATH, f'{shown(value)} contains ":"', "a mount cannot be written with a colon in its path"
        )
    if any(part in (".", "..") for part in value.split("/")):
        raise Wrong(
            Code.CONTAINER_PATH, f'{shown(value)} contains a "." or ".." component', "write the path it points to"
        )
    if not value.strip("/"):
        raise Wrong(
            Code.CONTAINER_PATH, f"{shown(value)} is the container's root", "a folder of its own, for example /app"
        )


def check_mount(value: Any) -> None:
    """A container path that Dusty and the kernel do not need themselves."""
    check_container_path(value)
    if not isinstance(value, str):
        return
    path = normal_path(value)
    for reserved in RESERVED_MOUNTS:
        if path == reserved or path.startswith(reserved + "/"):
            raise Wrong(
                Code.RESERVED_PATH,
                f"{shown(value)} is in {reserved}, which is reserved in a container",
                "a folder of its own, for example /app",
            )


def normal_path(path: str) -> str:
    """A container path in its one spelling: single slashes, none at the end."""
    return "/" + "/".join(part for part in path.split("/") if part)


def check_repo(value: Any) -> None:
    """A repo string (1.4)."""
    if not isinstance(value, str):
        return
    try:
        repo_of(value)
    except ValueError as error:
        if value.startswith("~"):
            raise Wrong(
                Code.REPO,
                f"{shown(value)} is in a home folder, which differs from person to person",
                f"for example github.com/org/name; `{DUSTY} repos override` then uses your own folder",
            ) from None
        raise Wrong(Code.REPO, f"{shown(value)} {error}", "for example github.com/org/name, or /path/to/repo") from None


def check_image(value: Any) -> None:
    """An image reference, as far as its characters go."""
    if not isinstance(value, str):
        return
    _check_plain(value, "an image", "for example python:3.12-slim")
    if not _IMAGE.fullmatch(value):
        raise Wrong(Code.IMAGE, f"{shown(value)} is not an image", "for example python:3.12-slim")


def check_build(value: Any) -> None:
    """A folder with a Dockerfile, or the URL of one: `https://host/repo.git#branch:folder`."""
    if not isinstance(value, str):
        return
    plain = re.sub(r"[#?&]", "", value) if "://" in value or value.startswith("git@") else value
    _check_plain(plain, "a path", "letters, digits and / . _ - + @ % = , ~ only")
    if value.startswith("~"):
        raise Wrong(Code.BUILD, f"{shown(value)} begins with ~", "an absolute path, or one inside the repo")


def _check_plain(value: str, noun: str, hint: str) -> None:
    if unsafe := unsafe_part(value):
        raise Wrong(Code.UNSAFE_TEXT, f"{shown(value)} contains {unsafe}", NOT_INTERPOLATED if "$" in value else hint)
    if not value:
        raise Wrong(Code.UNSAFE_TEXT, f"{noun} must not be empty")
    if value.startswith("-"):
        raise Wrong(Code.UNSAFE_TEXT, f'{shown(value)} starts with "-"')


def check_script_name(value: Any) -> None:
    """The name of a script: it becomes a file name."""
    _check_word(value, _WORD, "a name for a script", "letters, digits and . _ - only, a letter or digit first")


def check_suite_name(value: Any) -> None:
    """The name of a suite: a file name, and a word of `dusty test`."""
    _check_word(value, _WORD, "a name for a suite", "letters, digits and . _ - only, a letter or digit first")
    name = value.lower() if isinstance(value, str) else ""
    if name == "all":
        raise Wrong(Code.PART_NAME, f"{shown(value)} means every suite", "another name")
    if name == "setup":
        raise Wrong(Code.PART_NAME, f"{shown(value)} is the file that makes the test image", "another name")


def check_asset_key(value: Any) -> None:
    """The key of an asset: a file name in the store."""
    _check_word(value, _ASSET_KEY, "a name for an asset", "letters, digits and _ . - only, a letter or _ first")


def _check_word(value: Any, rule: re.Pattern[str], noun: str, hint: str) -> None:
    if isinstance(value, str) and not rule.fullmatch(value):
        unsafe = unsafe_part(value)
        raise Wrong(
            Code.PART_NAME, f"{shown(value)} is not {noun}" + (f": it contains {unsafe}" if unsafe else ""), hint
        )


def check_glob(value: Any) -> None:
    """A pattern of files in a repo."""
    if isinstance(value, str) and (not value or value.startswith("/") or ".." in value.split("/") or "\n" in value):
        raise Wrong(Code.GLOB, f"{shown(value)} is not a pattern inside the repo", "for example requirements*.txt")


def check_shell_words(value: Any) -> None:
    """Words as a shell would read them, on one line."""
    import shlex

    if not isinstance(value, str):
        return
    if "\n" in value:
        raise Wrong(Code.SHELL_WORDS, f"{shown(value)} contains a newline", "one line of words")
    try:
        shlex.split(value)
    except ValueError as error:
        raise Wrong(
            Code.SHELL_WORDS,
            f"{shown(value)} cannot be split into shell words: {str(error).lower()}",
            "close the quote",
        ) from None


FORMATS: dict[str, Callable[[Any], None]] = {
    "repo": check_repo,
    "mount": check_mount,
    "container_path": check_container_path,
    "image": check_image,
    "build": check_build,
    "host_name": check_host_name,
    "port": check_port,
    "script_name": check_script_name,
    "suite_name": check_suite_name,
    "asset_key": check_asset_key,
    "glob": check_glob,
    "shell_words": check_shell_words,
    "size": check_size,
    "timeout": check_timeout,
}
"""The `format` words of schemas/*.json."""
