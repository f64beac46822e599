"""The helper as values (`helper`), and as a program in a machine of its own (`box`, `installed`)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from hosts_box import USER, Box, Machine

from dusty_tasks.effects.hosts.helper import install_script, planned_files
from dusty_tasks.effects.hosts.section import HELPER_PATH, helper_module


@pytest.fixture(scope="session")
def helper() -> SimpleNamespace:
    """The names of the helper's file."""
    return SimpleNamespace(**helper_module())


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    with Machine("helper", engine=False) as machine:
        machine.run(["useradd", "-m", "-s", "/bin/sh", USER])
        yield machine


@pytest.fixture
def box(machine: Machine) -> Iterator[Box]:
    """The machine with a fresh hosts file; the helper is the checkout's, called as root."""
    box = Box(machine)
    box.reset()
    yield box
    box.reset()


@pytest.fixture
def installed(box: Box) -> Iterator[Box]:
    """The same with helper and rule in place, put there by the very script that `hosts install` runs."""
    files = planned_files("#" + box.sh(f"id -u {USER}").stdout.strip(), ())
    box.machine.run(["sh", "-s"], input=install_script(files))
    yield box
    box.sh(f"rm -rf /etc/sudoers.d/dusty* {os.path.dirname(HELPER_PATH)}")
