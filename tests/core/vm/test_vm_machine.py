"""A VM as settings describe it: qemu's words, the seed, what waits for the next start."""

from __future__ import annotations

import io
import shlex
import tarfile
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.vm.forwarding import Forward
from dusty_tasks.core.vm.machine import (
    LABELS,
    Boot,
    VmConfig,
    config_from_json,
    pending_changes,
    qemu_words,
)
from dusty_tasks.core.vm.seed import Keys, known_hosts_text, seed_disk, seed_files, ssh_config_text

DEFAULTS = VmConfig()
KEYS = Keys("ssh-ed25519 AAAA dusty\n", "PRIVATE\n", "ssh-ed25519 BBBB dusty\n")


def words(config: VmConfig = DEFAULTS, **more) -> list[str]:
    boot = Boot(**{"folder": "/h/vm", "system": "/h/vm/s.img", "kernel": "/h/vm/k", "initrd": "/h/vm/i", **more})
    return qemu_words(config, boot, (Forward("tcp", "127.0.0.1", 50022, 22), Forward("tcp", "127.0.0.1", 80, 80)))


def test_the_command_line_of_qemu() -> None:
    assert shlex.join(words(VmConfig(memory=1.5, ncpu=3))) == " ".join(
        """
        qemu-system-x86_64 -name guest=dusty,process=dusty-vm -nodefaults -no-user-config -display none
        -machine q35 -accel tcg -cpu max -smp 3 -m 1536M -rtc base=utc,clock=host
        -kernel /h/vm/k -initrd /h/vm/i
        -append 'root=/dev/vda ro console=ttyS0,115200 loglevel=4 panic=10 net.ifnames=0'
        -drive if=none,id=system,format=raw,file=/h/vm/s.img -device virtio-blk-pci,drive=system,serial=dusty-system
        -drive if=none,id=data,format=raw,file=/h/vm/data.img -device virtio-blk-pci,drive=data,serial=dusty-data
        -drive if=none,id=seed,format=raw,file=/h/vm/seed.img,readonly=on -device virtio-blk-pci,drive=seed,serial=dusty-seed
        -netdev user,id=net0,dhcpstart=10.0.2.15,hostfwd=tcp:127.0.0.1:50022-:22,hostfwd=tcp:127.0.0.1:80-:80
        -device virtio-net-pci,netdev=net0,romfile= -device virtio-rng-pci
        -chardev file,id=console,path=/h/vm/console.log -serial chardev:console
        -qmp unix:monitor,server=on,wait=off -pidfile /h/vm/qemu.pid -daemonize
        """.split()
    ).replace("  ", " ")


def test_a_comma_in_a_path_does_not_end_the_option() -> None:
    found = words(folder="/a,b", system="/a,b/s.img")
    assert "if=none,id=system,format=raw,file=/a,,b/s.img" in found
    assert "file,id=console,path=/a,,b/console.log" in found


def test_a_config_that_was_noted_is_read_back() -> None:
    full = VmConfig(8, 4, 50, "box", "hostnet", {"debug": True})
    assert config_from_json(asdict(full)) == full
    assert config_from_json({"memory": 1, "unknown": 2}) is None


CHANGED = {
    "memory": 8.0,
    "ncpu": 4,
    "disk": 50.0,
    "hostname": "box",
    "network": "hostnet",
    "daemon": {"debug": True},
}


@pytest.mark.parametrize("name", LABELS)
def test_every_setting_is_told_until_the_next_start(name: str) -> None:
    (line,) = pending_changes(VmConfig(), replace(VmConfig(), **{name: CHANGED[name]}))
    assert line.startswith(f"host.{name} is ") and line.endswith("it takes effect at the next start")


def test_every_field_of_the_config_is_a_setting() -> None:
    assert set(LABELS) == set(asdict(VmConfig()))
    assert pending_changes(VmConfig(), VmConfig()) == []


def test_the_seed_gives_the_vm_its_name_its_keys_and_the_engines_settings() -> None:
    data = seed_disk(seed_files("box", {"debug": True}, KEYS))
    assert len(data) % 512 == 0
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        entries = {entry.name: entry for entry in archive.getmembers()}
        texts = {name: archive.extractfile(entry).read().decode() for name, entry in entries.items() if entry.isfile()}
    assert texts["etc/hostname"] == "box\n" and texts["etc/docker/daemon.json"] == '{\n    "debug": true\n}\n'
    assert texts["root/.ssh/authorized_keys"] == KEYS.authorized
    assert entries["etc/ssh/ssh_host_ed25519_key"].mode == 0o600 and entries["root/.ssh"].mode == 0o700
    assert entries["etc"].mode == 0o755 and {entry.uid for entry in entries.values()} == {0}
    assert data == seed_disk(seed_files("box", {"debug": True}, KEYS))


def test_ssh_believes_this_host_key_alone() -> None:
    text = ssh_config_text("/h/my vm/100%", 50022)
    assert 'IdentityFile "/h/my vm/100%%/key"' in text and 'UserKnownHostsFile "/h/my vm/100%%/known_hosts"' in text
    assert "StrictHostKeyChecking yes" in text and "Port 50022" in text
    assert known_hosts_text(KEYS) == "dusty-vm ssh-ed25519 BBBB\n"


@given(
    st.dictionaries(
        st.text("abc/", min_size=1, max_size=9).map(lambda path: f"etc/{path.strip('/')}x"), st.text(), max_size=4
    )
)
def test_any_text_comes_out_of_the_seed_as_it_went_in(texts: dict[str, str]) -> None:
    texts = {path: text for path, text in texts.items() if not any(other.startswith(f"{path}/") for other in texts)}
    data = seed_disk({path: (text, 0o644) for path, text in texts.items()})
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = {entry.name: archive.extractfile(entry).read().decode() for entry in archive if entry.isfile()}
    assert found == texts
