"""Which words of a repo's own git configuration a git of ours must not obey, and what takes them back. Pure.

A container that mounts a working tree may have written its `.git/config`, and so has whoever handed over a folder. git has no
option that leaves that file out, so each key that names a program is set once more on the command's own level, which beats it.
The configuration of the user and the system (credentials, ssh) holds as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

Pairs = Sequence[tuple[str, str]]
"""(key, value), in the order in which git reads them; a key may come more than once."""

ALWAYS: Pairs = (
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    ("submodule.recurse", "false"),
    # In the background they would hold the repo's lock, which they inherit.
    ("gc.autoDetach", "false"),
    ("maintenance.autoDetach", "false"),
)
"""For every git of ours; none of it needs a look at the repo."""
LFS_FILTER: Pairs = (
    ("filter.lfs.clean", "git-lfs clean -- %f"),
    ("filter.lfs.smudge", "git-lfs smudge -- %f"),
    ("filter.lfs.process", "git-lfs filter-process"),
    ("filter.lfs.required", "true"),
)
"""What `git lfs install` writes."""
UPLOAD_PACK = "--upload-pack=git-upload-pack"
"""For whatever talks to a remote: of `remote.*.uploadpack` git takes the first value, which is the repo's own."""
NO_LFS_FILTER: Pairs = (*((key, "") for key, _value in LFS_FILTER[:3]), ("filter.lfs.required", "false"))
"""Where git-lfs is not installed: pointers are files like all others."""
PROTOCOLS = ("file", "http", "https", "ssh")
"""Those of repos (core/repos.SCHEMES); each other one is a program that a URL can name."""

_NEUTRAL = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), neutral)
    for pattern, neutral in (
        (r"core\.(?:sshcommand|askpass|editor|pager)", ""),
        (r"core\.alternaterefscommand", ":"),
        (r"filter\..*\.(?:clean|smudge|process)", ""),
        (r"filter\..*\.required", "false"),
        (r"diff\.external", ""),
        (r"diff\..*\.(?:command|textconv)", ""),
        (r"merge\..*\.driver", ""),
        (r"merge\.verifysignatures", "false"),
        (r"remote\..*\.vcs", ""),
        (r"submodule\..*\.update", "checkout"),
        (r"gc\.recentobjectshook", ""),
        (r"lfs\.customtransfer\..*\.(?:path|args)", ""),
        (r"lfs\.(?:.*\.)?standalonetransferagent", ""),
        (r"lfs\.extension\..*\.(?:clean|smudge)", ""),
    )
)
"""Keys that name programs (filter and lfs: those that a file of the repo asks for), and the value with which none is run."""
_CREDENTIAL_HELPER = re.compile(r"credential\.(?:.*\.)?helper", re.IGNORECASE | re.DOTALL)

_WORDS = re.compile(rb"\[\s*([A-Za-z0-9.-]+)|([A-Za-z][A-Za-z0-9-]*)[ \t]*=")
_PLAIN = frozenset(
    b"core remote branch submodule user repositoryformatversion filemode bare logallrefupdates ignorecase precomposeunicode symlinks "
    b"url fetch merge rebase active name email worktree".split()
)


def is_plain(config: bytes) -> bool:
    """True if a config file holds nothing but what `git clone` writes: then nothing in it has to be taken back."""
    return all((section or key).lower() in _PLAIN for section, key in _WORDS.findall(config))


def pairs_of(listing: str) -> list[tuple[str, str]]:
    """The pairs of `git config --list -z`."""
    return [(key, value) for key, _, value in (entry.partition("\n") for entry in listing.split("\0") if entry)]


def answers(own: Pairs, outside: Pairs) -> list[tuple[str, str]]:
    """What the command must set so that no program of the repo's `own` configuration runs; `outside` is that of user and system."""
    found: dict[str, list[str]] = {}
    for key, value in own:
        if key in found or (key, value) in LFS_FILTER:
            continue
        values = [other for name, other in outside if name == key]
        neutral = next((neutral for pattern, neutral in _NEUTRAL if pattern.fullmatch(key)), None)
        if _CREDENTIAL_HELPER.fullmatch(key):
            found[key] = ["", *values]  # The empty one makes git forget those before it.
        elif neutral is not None:
            found[key] = [values[-1] if values else neutral]
    return [(key, value) for key, values in found.items() for value in values]


def last_value(pairs: Pairs, key: str) -> str:
    """The value that holds for `key`, '' for none."""
    return next((value for name, value in reversed(pairs) if name == key), "")


def as_environment(pairs: Iterable[tuple[str, str]], environ: Mapping[str, str]) -> dict[str, str]:
    """Variables that set these pairs for git and the gits that it starts, after those that `environ` sets already."""
    count = environ.get("GIT_CONFIG_COUNT", "")
    first = int(count) if count.isdecimal() else 0
    numbered = list(enumerate(pairs, first))
    return {
        **{f"GIT_CONFIG_KEY_{number}": key for number, (key, _value) in numbered},
        **{f"GIT_CONFIG_VALUE_{number}": value for number, (_key, value) in numbered},
        "GIT_CONFIG_COUNT": str(first + len(numbered)),
    }
