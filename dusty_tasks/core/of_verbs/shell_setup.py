"""`dusty` as a word of the user's shell: the lines that its start file gets, and which files there are for each shell (pure)."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Mapping
from typing import NamedTuple

SHELLS = ("bash", "zsh", "fish")
BEGIN, END = b"# BEGIN lines of Dusty", b"# END lines of Dusty"
SCRIPT_MARK = b"ompletion of dusty for "
"""In the first lines of every completion script of ours."""


class Places(NamedTuple):
    """Where a shell keeps what we add: a start file that gets a few marked lines ('' for none), and the completion script."""

    start_file: str
    script: str


def places(shell: str, user_home: str, environ: Mapping[str, str]) -> Places:
    """The files of one of SHELLS."""
    data = environ.get("XDG_DATA_HOME") or f"{user_home}/.local/share"
    config = environ.get("XDG_CONFIG_HOME") or f"{user_home}/.config"
    return {
        "bash": Places(f"{user_home}/.bashrc", f"{data}/bash-completion/completions/dusty"),
        "zsh": Places(f"{environ.get('ZDOTDIR') or user_home}/.zshrc", f"{data}/zsh/site-functions/_dusty"),
        "fish": Places("", f"{config}/fish/completions/dusty.fish"),
    }[shell]


def link_path(user_home: str) -> str:
    return f"{user_home}/.local/bin/dusty"


def lines_for(shell: str, script: str, user_home: str, *, adds_folder: bool) -> bytes:
    """The marked lines of a start file: with `adds_folder` the link's folder joins PATH, then the completion is loaded."""
    quoted = _quoted(script, user_home)
    folder = _quoted(posixpath.dirname(link_path(user_home)), user_home)
    lines = [f'case ":$PATH:" in *:{folder}:*) ;; *) export PATH={folder}:"$PATH" ;; esac'] if adds_folder else []
    if shell == "zsh":
        lines.append(
            f"if [[ -r {quoted} ]]; then (( $+functions[compdef] )) || {{ autoload -Uz compinit && compinit -i; }}; source {quoted}; fi"
        )
    else:
        lines.append(f"if [ -r {quoted} ]; then . {quoted}; fi")
    return b"".join([BEGIN, b"\n", *(f"{line}\n".encode() for line in lines), END, b"\n"])


def _quoted(path: str, user_home: str) -> str:
    """A path as a shell's word; below the home folder by $HOME, so that the file may be shared between machines."""
    inside = path.removeprefix(f"{user_home}/")
    return shlex.quote(path) if inside == path else f'"$HOME"/{shlex.quote(inside)}'


def with_lines(text: bytes, lines: bytes) -> bytes | None:
    """A start file's text with our lines in it, once; None where they are there already, the user loads the completion himself,
    or the marks do not pair up.
    """
    bare = without_lines(text)
    if bare is None or b"dusty completion " in bare:
        return None
    begun = re.search(rb"^" + re.escape(BEGIN) + rb"\r?$", text, re.MULTILINE)
    start = begun.start() if begun else len(text)
    before = bare[:start]
    wanted = before + (b"" if not before or before.endswith(b"\n") else b"\n") + lines + bare[start:]
    return None if wanted == text else wanted


def without_lines(text: bytes) -> bytes | None:
    """The text without our lines; None where a mark is missing: then nobody can tell what is ours."""
    kept, is_inside = [], False
    # Not splitlines(): a lone CR ends no line.
    for line in re.findall(rb"[^\n]*\n|[^\n]+", text):
        mark = line.rstrip(b"\r\n")
        if mark in (BEGIN, END):
            if is_inside == (mark == BEGIN):
                return None
            is_inside = mark == BEGIN
        elif not is_inside:
            kept.append(line)
    return None if is_inside else b"".join(kept)
