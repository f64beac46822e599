"""Repo strings and repo ids (docs/specs.md, "Repos")."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from dusty_tasks.core.text.safe import unsafe_part

LONGEST = 2048
"""Characters of a repo string: its id becomes a path, of which no system takes more than 4,096 bytes."""
SCHEMES = ("http", "https", "ssh", "file")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
_USER = re.compile(r"[A-Za-z0-9._~%+][A-Za-z0-9._~%+:=-]*")
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)")
_AUTHORITY = re.compile(r"(?:(?P<user>[^@/]*)@)?(?P<host>[^/:@]*)(?::(?P<port>[0-9]*))?")
_SCP = re.compile(r"(?:(?P<user>[^@/:]*)@)?(?P<host>[^/:@]+):(?P<path>.*)")


class Repo(NamedTuple):
    """A repo as a spec names it."""

    written: str
    """As the spec spells it: the key of `repo_overrides`."""
    id: str
    """The URL without scheme, user, port and `.git`: `github.com/org/x`, `src/x`."""
    url: str
    """What git clones; '' for a local-path repo, which is used where it is."""
    local_path: str = ""
    """The folder of a local-path repo, else ''."""

    @property
    def short_name(self) -> str:
        return self.id.rsplit("/", 1)[-1]


@lru_cache(maxsize=8192)
def repo_of(written: str) -> Repo:
    """The repo that `written` names; raises ValueError with a sentence about what is wrong with it."""
    if len(written) > LONGEST:
        raise ValueError(f"has {len(written)} characters, and at most {LONGEST} make a path")
    if unsafe := unsafe_part(written):
        raise ValueError(f"contains {unsafe}")
    if not written or written.startswith("-"):
        raise ValueError('starts with "-"' if written else "is empty")
    if written.startswith("/"):
        return _local(written)
    if match := _URL.fullmatch(written):
        return _from_url(written, match["scheme"].lower(), match["rest"])
    if "::" in written:
        raise ValueError(f"uses {written.partition('::')[0]}::, which is not supported ({', '.join(SCHEMES)} are)")
    if match := _SCP.fullmatch(written):
        _check_account(match["user"], match["host"])
        return Repo(written, _id(match["host"].lower(), match["path"]), written)
    host, _, path = written.partition("/")
    if written.startswith((".", "~")) or not path:
        raise ValueError("is neither host/org/name, nor a URL, nor an absolute path")
    _check_account(None, host)
    return Repo(written, _id(host.lower(), path), f"ssh://git@{written.rstrip('/')}")


def _local(written: str) -> Repo:
    if ":" in written:
        raise ValueError('contains ":", which cannot be mounted')
    repo_id = _id("", written)
    return Repo(written, repo_id, "", "/" + "/".join(part for part in written.split("/") if part))


def _from_url(written: str, scheme: str, rest: str) -> Repo:
    if scheme not in SCHEMES:
        raise ValueError(f"uses {scheme}://, which is not supported ({', '.join(SCHEMES)} are)")
    authority, slash, path = rest.partition("/")
    if scheme == "file":
        if authority not in ("", "localhost"):
            raise ValueError("names a host in a file:// URL; write file:///path")
        return Repo(written, _id("", path), written)
    match = _AUTHORITY.fullmatch(authority)
    if not match or not slash:
        raise ValueError("is not a URL of a repo")
    _check_account(match["user"], match["host"])
    url = written.rstrip("/")
    if scheme in ("http", "https") and not url.endswith(".git"):
        url += ".git"
    return Repo(written, _id(match["host"].lower(), path), url)


def _check_account(user: str | None, host: str) -> None:
    if not _HOST.fullmatch(host):
        raise ValueError(f'names no valid host ("{host}")')
    if user is not None and not _USER.fullmatch(user):
        raise ValueError(f'names no valid user ("{user}")')


def _id(host: str, path: str) -> str:
    """The id of `path` on `host`; each of its components is a plain folder name, since the id becomes a path."""
    parts = [part for part in path.split("/") if part]
    if parts and parts[-1].endswith(".git"):
        parts[-1] = parts[-1][: -len(".git")]
    if not parts or "" in parts:
        raise ValueError("names no repo")
    if ".." in parts or "." in parts:
        raise ValueError('contains a ".." or "." component')
    if ":" in "".join(parts):
        raise ValueError('contains ":" in its path, which cannot be mounted')
    if parts[0].startswith("-") or (not host and parts[0] == ".receipts"):
        raise ValueError(f'has a path that starts with "{parts[0]}"')
    return "/".join([host, *parts] if host else parts)


def drop_former_bundles(config: dict[str, Any], specs_repo: str) -> list[str]:
    """Take the active bundles out of a config.yml that is about to name another specs repo ('': none); their names.

    Two spellings of one repo are one: its bundles stay.
    """
    former = str(config.get("specs_repo") or "")
    if not former or (specs_repo and _id_or_text(former) == _id_or_text(specs_repo)):
        return []
    return [str(name) for name in config.pop("bundles", None) or ()]


def _id_or_text(written: str) -> str:
    try:
        return repo_of(written).id
    except ValueError:
        return written  # Refused when the whole config is checked.


class Login(NamedTuple):
    """A URL as git may show it, and what was taken out of it."""

    url: str
    user: str = ""
    password: str = ""
    place: str = ""
    """`https://host:port`: for whom the password is meant."""


def login_of(url: str) -> Login:
    """`url` without its password: that of http(s) goes to git by another way, ssh takes none."""
    from urllib.parse import unquote

    match = _URL.fullmatch(url)
    account, at, rest = match["rest"].partition("/")[0].rpartition("@") if match else ("", "", "")
    user, colon, password = account.partition(":")
    if not match or not at or not colon:
        return Login(url)
    path = match["rest"].partition("/")[1:]
    shown = f"{match['scheme']}://{f'{user}@' if user else ''}{rest}{''.join(path)}"
    if match["scheme"].lower() not in ("http", "https"):
        return Login(shown)
    return Login(shown, unquote(user), unquote(password), f"{match['scheme']}://{rest}")


def shown_names(repo_ids: Iterable[str]) -> dict[str, str]:
    """Repo id -> what people call it: the short name where it is unique among these ids, else the id."""
    ids = list(dict.fromkeys(repo_ids))
    short = [repo_id.rsplit("/", 1)[-1] for repo_id in ids]
    return {repo_id: name if short.count(name) == 1 else repo_id for repo_id, name in zip(ids, short, strict=True)}
