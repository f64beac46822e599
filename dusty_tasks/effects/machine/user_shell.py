"""The user's own shell: a link to this program in ~/.local/bin, and completion. Nothing of his is overwritten; all of it can be undone."""

from __future__ import annotations

import contextlib
import os
import pwd
import stat
from typing import NamedTuple

from dusty_tasks import resources
from dusty_tasks.core.of_verbs.shell_setup import (
    SCRIPT_MARK,
    SHELLS,
    Places,
    lines_for,
    link_path,
    places,
    with_lines,
    without_lines,
)
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import read_bytes, write_atomically


class ShellSetup(NamedTuple):
    """What may be added for this user; '' and () where nothing is to be added."""

    link: str = ""
    """The path of the link to make."""
    target: str = ""
    shell: str = ""
    """The shell that gets completion."""
    writes: tuple[tuple[str, bytes], ...] = ()
    """Each file to write, and its new content."""

    @property
    def has_folder_on_path(self) -> bool:
        """True if the link works in this shell already."""
        return os.path.dirname(self.link) in os.get_exec_path()


def read_shell_setup() -> ShellSetup:
    """What is missing for `dusty` to be a word of this user's shell."""
    home, launcher = os.path.expanduser("~"), own_launcher()
    if not os.path.isdir(home):
        return ShellSetup()
    link = link_path(home)
    has_name = any(os.access(f"{folder}/dusty", os.X_OK) for folder in os.get_exec_path())
    if has_name or os.path.lexists(link) or not launcher:
        link = ""
    shell = os.path.basename(os.environ.get("SHELL") or _login_shell())
    if shell not in SHELLS or not (link or has_name or os.path.lexists(link_path(home))):
        # Completion is for the word `dusty`.
        return ShellSetup(link, launcher if link else "")
    writes = tuple(_missing_files(shell, places(shell, home, os.environ), home))
    return ShellSetup(link, launcher if link else "", shell if writes else "", writes)


def completion_setup(shell: str) -> ShellSetup:
    """What one of SHELLS lacks of completion alone; '' for the user's own shell. Raises Failure for a shell that has none."""
    name = shell or os.path.basename(os.environ.get("SHELL") or _login_shell())
    if name not in SHELLS:
        raise Failure(f"there is no completion for {name or 'this shell'}", f"name one of {', '.join(SHELLS)}")
    home = os.path.expanduser("~")
    return ShellSetup(shell=name, writes=tuple(_missing_files(name, places(name, home, os.environ), home)))


def _login_shell() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_shell
    except KeyError:
        return ""


def own_launcher() -> str:
    """The launcher of this checkout; '' for an installed wheel, which has put its command on the PATH itself."""
    path = str(resources.PACKAGE.parent / "dusty")
    return path if os.access(path, os.X_OK) and os.path.isfile(path) else ""


def _missing_files(shell: str, where: Places, home: str) -> list[tuple[str, bytes]]:
    script = completion_script(shell)
    found = read_bytes(where.script)
    if found is not None and SCRIPT_MARK not in found[:200]:
        return []  # Somebody else's.
    files = [] if found == script else [(where.script, script)]
    text = _start_file_text(shell, where, home) if where.start_file else None
    return [*files, (where.start_file, text)] if text is not None else files


def _start_file_text(shell: str, where: Places, home: str) -> bytes | None:
    """What the start file is to hold, None if it does. Lines that add to PATH stay: it is they who put the folder there."""
    found = read_bytes(where.start_file) or b""
    adding, plain = (
        with_lines(found, lines_for(shell, where.script, home, adds_folder=adds)) for adds in (True, False)
    )
    is_on_path = os.path.dirname(link_path(home)) in os.get_exec_path()
    if adding is None or (plain is None and is_on_path):
        return None
    return plain if is_on_path else adding


def completion_script(shell: str) -> bytes:
    return (resources.folder("templates") / "completion" / shell).read_bytes()


def set_up_shell(setup: ShellSetup) -> list[str]:
    """Make the link and write the files; what was done, in sentences. Raises Failure."""
    done = []
    if setup.link:
        try:
            os.makedirs(os.path.dirname(setup.link), exist_ok=True)
            os.symlink(setup.target, setup.link)
        except OSError as error:
            raise Failure(
                f"{setup.link} cannot be created:  {error.strerror}", "link it by hand, or leave it"
            ) from error
        done.append(
            f"linked {setup.link} to {setup.target}"
            + ("" if setup.has_folder_on_path else "; a new shell finds it by the name dusty")
        )
    for path, content in setup.writes:
        _write(path, content)
        done.append(f"wrote {path}")
    return done


def _write(path: str, content: bytes) -> None:
    """Through a link (a folder of dotfiles), with the mode and group that it has; under `sg docker` a new file would be docker's."""
    real = os.path.realpath(path)
    found = os.stat(real) if os.path.exists(real) else None
    write_atomically(real, content, stat.S_IMODE(found.st_mode) if found else 0o644)
    with contextlib.suppress(OSError):
        os.chown(real, -1, (found or os.stat(os.path.expanduser("~"))).st_gid)


class Left(NamedTuple):
    """Something of ours in the user's home folder."""

    kind: str
    """`link`, `lines` or `script`."""
    path: str


def found_setup() -> list[Left]:
    """What set_up_shell left for this user, of whichever shell."""
    home = os.path.expanduser("~")
    found, launcher, link = [], own_launcher(), link_path(home)
    if launcher and os.path.islink(link) and os.path.realpath(link) == os.path.realpath(launcher):
        found.append(Left("link", link))
    for where in (places(shell, home, os.environ) for shell in SHELLS):
        text = read_bytes(where.start_file) if where.start_file else None
        if text is not None and without_lines(text) not in (None, text):
            found.append(Left("lines", where.start_file))
        if SCRIPT_MARK in (read_bytes(where.script) or b"")[:200]:
            found.append(Left("script", where.script))
    return found


def undo_setup(left: Left) -> None:
    """Take it away; a start file that held nothing else goes as well. Raises OSError, Failure."""
    if left.kind != "lines":
        os.unlink(left.path)
        return
    text = without_lines(read_bytes(left.path) or b"")
    if text:
        _write(left.path, text)
    elif text is not None and not os.path.islink(left.path):
        os.unlink(left.path)
