"""Inodes of what containers mount, read here and as an ssh host prints them."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

from dusty_tasks.core.settings.model import Settings
from dusty_tasks.effects.code.copy_states import read_inodes
from dusty_tasks.effects.docker_host.files_there import inodes_of, print_inodes
from dusty_tasks.effects.docker_host.kinds import docker_host


def test_both_readings_agree_and_leave_out_what_is_not_there_and_sockets(tmp_path: Path) -> None:
    for name in ("file", "it's a file", "-f", "é"):
        (tmp_path / name).write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    (tmp_path / "gone").symlink_to("nowhere")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "sock"))
        paths = [
            str(tmp_path / name)
            for name in ("file", "it's a file", "-f", "é", "folder", "link", "gone", "sock", "absent")
        ]
        host = docker_host(Settings(home="/nowhere"))
        found = read_inodes(host, paths)
        printed = subprocess.run(["sh", "-c", print_inodes(paths)], capture_output=True, text=True, check=False).stdout
    assert inodes_of(printed.splitlines()) == found
    assert found == {path: os.stat(path).st_ino for path in paths[:6]}
    assert read_inodes(host, []) == {} and print_inodes([]) == ":"
