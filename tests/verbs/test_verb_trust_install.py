"""Trusting the authority: made where there is none, and one sudo for the stores and the hosts section."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from chosen import Chosen

from dusty_tasks.core.of_verbs.trust_stores import Store
from dusty_tasks.effects.hosts import section as hosts_file
from dusty_tasks.operations.machine import authority

SUDO = '#!/bin/sh\necho "$*" >>"$COUNTED"\n[ "$1" != -n ] || shift\nexec "$@"\n'


@pytest.fixture
def sudo(dusty: Chosen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which each call of a `sudo` that lets everything through is a line; the hosts file is one of the test's own."""
    (tmp_path / "bin").mkdir()
    for name, text in (("sudo", SUDO), ("helper", f"#!/bin/sh\ncat >{tmp_path}/given\necho changed\n")):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("COUNTED", str(tmp_path / "counted"))
    monkeypatch.setattr(hosts_file, "HELPER_PATH", str(tmp_path / "bin/helper"))
    monkeypatch.setattr(hosts_file, "foreign_part", lambda _path: "")
    monkeypatch.setattr(hosts_file, "read_hosts_file", lambda *_path: b"127.0.0.1 localhost\n")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    store = Store(
        "system", "this system", (("touch", str(tmp_path / "added")),), (), True, file=str(tmp_path / "added")
    )
    monkeypatch.setattr(authority, "stores", lambda *_: [store])
    return tmp_path / "counted"


def start(dusty: Chosen, hosts: str) -> None:
    dusty.write(
        "apps/page.yml",
        "image: busybox\ncommands: {always: [run]}\nhost_forwarding: [{host_name: page.test, host_port: 80, container_port: 80}]\n",
    )
    dusty.write("bundles/page.yml", "apps: [page]\n")
    dusty("bundles", "activate", "page")
    dusty.config.write_text(dusty.config.read_text() + f"https: on\n{hosts}")


@pytest.mark.parametrize("hosts", ["", "hosts: {mode: file}\n"])
def test_the_stores_and_the_hosts_section_take_one_sudo(dusty: Chosen, sudo: Path, tmp_path: Path, hosts: str) -> None:
    start(dusty, hosts)
    ended = dusty("trust", "install", "--yes")
    assert ended.code == 0 and "and write the hosts section" in ended.out and "127.0.0.1 page.test" in ended.out, ended
    assert len(sudo.read_text().splitlines()) == 1 and (tmp_path / "added").exists()
    assert "127.0.0.1 page.test\n" in (tmp_path / "given").read_text()
    assert "mode: file" in dusty.config.read_text()
    folder = dusty.home / "https"
    (leaf,) = (folder / "leaf").glob("*.pem")
    shown = subprocess.run(
        ["openssl", "x509", "-noout", "-ext", "subjectAltName", "-in", leaf], capture_output=True, text=True, check=True
    )
    assert shown.stdout.split()[-1] == "DNS:page.test"


@pytest.mark.parametrize("mode", ["off", "localhost"])
def test_where_the_hosts_file_is_left_alone_it_is_left_alone(
    dusty: Chosen, sudo: Path, tmp_path: Path, mode: str
) -> None:
    start(dusty, f"hosts: {{mode: {mode}}}\n")
    ended = dusty("trust", "install", "--yes")
    assert ended.code == 0 and "hosts section" not in ended.out
    assert len(sudo.read_text().splitlines()) == 1 and not (tmp_path / "given").exists()


def test_localhost_names_and_the_users_own_stores_take_no_sudo(
    dusty: Chosen, sudo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Store(
        "browsers:x", "browsers (x)", (("touch", str(tmp_path / "own")),), (), False, file=str(tmp_path / "own")
    )
    of_root = authority.stores(None, "", "")  # type: ignore[arg-type]
    monkeypatch.setattr(authority, "stores", lambda *_: [*of_root, own])
    start(dusty, "hosts: {mode: localhost}\n")
    ended = dusty("trust", "install", "--user", "--yes")
    assert ended.code == 0 and (tmp_path / "own").exists() and not (tmp_path / "added").exists()
    assert not sudo.exists() and "every store of yours has it" not in ended.out
    assert dusty("trust", "uninstall", "--user").code == 1


def test_a_hostile_spec_gets_no_certificate_for_a_site_of_the_internet(dusty: Chosen, sudo: Path) -> None:
    start(dusty, "")
    dusty.write(
        "apps/page.yml",
        "image: busybox\ncommands: {always: [run]}\nhost_forwarding: [{host_name: example.com, host_port: 80, container_port: 80}]\n",
    )
    ended = dusty("trust", "install", "--yes")
    assert ended.code == 1 and "app page: https: example.com" in ended.err
    assert not (dusty.home / "https").exists() and not sudo.exists()


def test_without_https_there_is_no_authority(dusty: Chosen, sudo: Path) -> None:
    ended = dusty("trust", "install", "--yes")
    assert ended.code == 1 and "config set https on" in ended.err and not (dusty.home / "https").exists()
