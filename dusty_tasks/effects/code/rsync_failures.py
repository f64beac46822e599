"""What it means when rsync ends with an error, by its exit code and its words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.code.owners import FORBIDDEN, NotOurs
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import ToolFailed

BACKUP_RACE = re.compile(
    r"make_backup\(.*\) failed: File exists|\Arsync error: error in file IO \(code 11\) at rsync\.c\(\d+\) \[[Rr]eceiver.*\]\s*\Z"
)
"""Two processes of rsync make the folder of --backup-dir at once, and the second takes its being there for an error: the generator says so, the
receiver ends without a word of its own. It is there when rsync is run again."""
_AT_THE_SOURCE = re.compile(r"\[sender\]|send_files failed|Permission denied \(publickey")


def failure_of(
    host: DockerHost, argv: Sequence[str], finished: process.Finished, changed: tuple[str, ...]
) -> ToolFailed:
    """What rsync's end means, which had changed some of its files before."""
    kind, hint = ToolFailed, ""
    # rsync says this one on stdout, among the names.
    in_the_way = [line for line in finished.out.splitlines() if line.startswith("cannot delete non-empty directory")]
    if "No space left on device" in finished.err:
        hint = f"the disk of {host.name} is full: {DUSTY} disk inspect"
    elif any(FORBIDDEN.search(line) and not _AT_THE_SOURCE.search(line) for line in finished.err.splitlines()):
        kind = NotOurs
    elif in_the_way:
        hint = "that folder of the copy holds excluded files, which a sync never deletes: remove them there, or change the exclude"
    elif finished.code in host.codes_of_a_cut_line:
        hint = f"the connection to {host.name} was lost; the next sync continues where this one stopped"
    return kind(
        [word for word in argv if not word.startswith("--filter")],
        finished.code,
        "\n".join([*in_the_way, finished.err or finished.out]),
        hint,
        changed,
    )
