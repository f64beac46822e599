"""A VM's folder and its process: disks, keys, the monitor, and what is told of a VM that came to nothing. No VM is started."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dusty_tasks.core.vm.forwarding import Forward, ForwardPlan
from dusty_tasks.core.vm.machine import EMULATED, MONITOR, Boot, VmFiles
from dusty_tasks.core.vm.recipe import recipe
from dusty_tasks.core.vm.seed import ALIAS
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.vm import building, disks, running
from dusty_tasks.effects.vm.monitor import MonitorGone, connected

GIB = 1 << 30


def system_environment() -> dict[str, str]:
    return {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}


@pytest.fixture
def files(tmp_path: Path) -> VmFiles:
    # Longer than the path of a socket may be.
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    return VmFiles(str(folder))


def test_the_data_disk_grows_and_never_shrinks(files: VmFiles) -> None:
    env = system_environment()
    assert disks.ensure_data_disk(files.data, 1, env).startswith("made the data disk, 1 GiB")
    assert os.stat(files.data).st_size == GIB and os.stat(files.data).st_blocks * 512 < 100 << 20
    assert stat.S_IMODE(os.stat(files.data).st_mode) == 0o600
    with open(files.data, "rb+") as file:
        file.seek(500 << 20)
        file.write(b"kept")
    assert disks.ensure_data_disk(files.data, 1, env) == ""
    assert "grows from 1 to 2 GiB" in disks.ensure_data_disk(files.data, 2, env)
    assert "never made smaller" in disks.ensure_data_disk(files.data, 1, env)
    assert os.stat(files.data).st_size == 2 * GIB
    with open(files.data, "rb") as file:
        file.seek(500 << 20)
        assert file.read(4) == b"kept"
    checked = subprocess.run(["e2fsck", "-fn", files.data], env=env, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_a_data_disk_that_was_not_finished_is_made_anew(files: VmFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_words, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(process, "run", killed)
        with pytest.raises(KeyboardInterrupt):
            disks.ensure_data_disk(files.data, 1, system_environment())
    assert not os.path.exists(files.data)
    assert disks.ensure_data_disk(files.data, 1, system_environment()).startswith("made")


def test_keys_are_made_once_and_for_this_account_alone(files: VmFiles) -> None:
    keys = disks.ensure_keys(files)
    assert disks.ensure_keys(files) == keys
    assert keys.authorized.startswith("ssh-ed25519 ") and "PRIVATE KEY" in keys.host_private
    assert stat.S_IMODE(os.stat(files.folder).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(files.key).st_mode) == 0o600
    os.unlink(f"{files.host_key}.pub")  # a run that was killed between the two
    assert disks.ensure_keys(files).host_public != keys.host_public


def test_ssh_takes_the_configuration(files: VmFiles) -> None:
    keys = disks.ensure_keys(files)
    disks.write_ssh_config(files, keys, 50022)
    shown = subprocess.run(["ssh", "-F", files.ssh_config, "-G", ALIAS], capture_output=True, text=True, check=True)
    lines = shown.stdout.splitlines()
    assert {"hostname 127.0.0.1", "port 50022", "user root", f"identityfile {files.key}"} <= set(lines)
    assert f"userknownhostsfile {files.known_hosts}" in lines and "stricthostkeychecking true" in lines


class FakeMonitor(threading.Thread):
    """A socket that speaks as qemu does: a greeting, an event in between, and an answer a command."""

    def __init__(self, files: VmFiles, answers: dict[str, str]) -> None:
        super().__init__(daemon=True)
        self.answers, self.told = answers, list[str]()
        handle = os.open(files.folder, os.O_RDONLY)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(f"/proc/self/fd/{handle}/{MONITOR}")
        self.socket.listen()
        os.close(handle)
        self.start()

    def run(self) -> None:
        while True:
            stream, _ = self.socket.accept()
            file = stream.makefile("rw", newline="\n")
            file.write('{"QMP": {"version": {}, "capabilities": []}}\n')
            file.flush()
            for line in file:
                asked = json.loads(line)
                words = asked.get("arguments", {}).get("command-line", "")
                if words:
                    self.told.append(words)
                    file.write('{"event": "RTC_CHANGE", "data": {}}\n')
                file.write(json.dumps({"return": self.answers.get(words, "") if words else {}}) + "\n")
                file.flush()


@pytest.mark.skipif(sys.platform != "linux", reason="the path of the socket goes through /proc")
def test_forwards_are_read_and_changed_through_the_monitor(files: VmFiles) -> None:
    line = "  TCP[HOST_FORWARD]  12       127.0.0.1    80       10.0.2.15    80     0     0\r\n"
    taken = "Could not set up host forwarding rule 'tcp:127.0.0.1:81-:81'"
    monitor = FakeMonitor(
        files,
        {
            "info usernet": line,
            "hostfwd_add net0 tcp:127.0.0.1:81-:81": taken,
            "hostfwd_remove net0 tcp:127.0.0.1:80": "host forwarding rule for tcp:127.0.0.1:80 removed",
        },
    )
    assert running.read_forwards(files) == (Forward("tcp", "127.0.0.1", 80, 80),)
    add = tuple(Forward("tcp", "127.0.0.1", port, port) for port in (81, 82))
    assert running.apply_forwards(files, ForwardPlan((Forward("tcp", "127.0.0.1", 80, 80),), add)) == [(add[0], taken)]
    assert monitor.told[1:] == [
        "hostfwd_remove net0 tcp:127.0.0.1:80",
        "hostfwd_add net0 tcp:127.0.0.1:81-:81",
        "hostfwd_add net0 tcp:127.0.0.1:82-:82",
    ]


def test_a_monitor_that_nobody_serves_is_named(files: VmFiles) -> None:
    with pytest.raises(MonitorGone, match="does not answer"), connected(files.folder):
        pass
    with pytest.raises(MonitorGone), connected(f"{files.folder}/nowhere"):
        pass


def test_a_pid_of_another_program_is_not_the_vm(files: VmFiles) -> None:
    assert running.pid_of(files) == 0
    Path(files.pid).write_text(f"{os.getpid()}\n")
    assert running.pid_of(files) == 0
    with subprocess.Popen(["sh", "-c", "sleep 60; :", "qemu", files.pid]) as child:
        Path(files.pid).write_text(f"{child.pid}\n")
        deadline = time.monotonic() + 10
        # Right after its start a process has no command line yet.
        while not running.pid_of(files) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert running.pid_of(files) == child.pid
        assert running.wait_until_gone(files, 0.2)
        running.quit_now(files, patience=0.2)
        assert running.pid_of(files) == 0


def test_a_vm_of_another_folder_is_found(files: VmFiles, tmp_path: Path) -> None:
    words = ["-name", "guest=dusty,process=dusty-vm", "-pidfile", str(tmp_path / "former/vm/qemu.pid")]
    with subprocess.Popen(["sh", "-c", "sleep 60; :", "qemu", *words]) as child:
        deadline = time.monotonic() + 10
        # Right after its start a process has no command line yet.
        while (found := running.other_vms(files)) == [] and time.monotonic() < deadline:
            time.sleep(0.01)
        child.kill()
    assert running.Stray(child.pid, str(tmp_path / "former/vm")) in found


def test_the_last_lines_of_the_console(files: VmFiles) -> None:
    assert running.console_lines(files) == []
    Path(files.console).write_bytes(b"\r\n".join(b"line %d" % number for number in range(9000)) + b"\r\n\xff\r\n")
    assert running.console_lines(files, 3) == ["line 8998", "line 8999", "�"]


def test_kvm_is_believed_after_a_trial_alone(files: VmFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    boot = Boot(files.folder, "/s", "/k", "/i")
    tried = []

    def trial(argv, **_options):
        tried.append(argv)
        return process.Finished(process.TIMED_OUT if len(tried) == 1 else 0, "", "")

    monkeypatch.setattr(process, "run", trial)
    monkeypatch.setattr(running, "has_kvm", lambda: False)
    assert running.find_accelerator(files, boot, {}) == EMULATED and tried == []
    monkeypatch.setattr(running, "has_kvm", lambda: True)
    assert running.find_accelerator(files, boot, {}) == EMULATED
    assert running.find_accelerator(files, boot, {}) == EMULATED and len(tried) == 1
    assert running.find_accelerator(files, boot._replace(kernel="/other"), {}) == "kvm"


def test_a_failed_build_leaves_nothing_and_a_whole_one_replaces_the_former(
    files: VmFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, stages = recipe("bookworm", "amd64"), []
    former = f"{files.systems}/former"
    os.makedirs(former)

    def build() -> building.System:
        return building.build_system(files, made, ["deb http://m bookworm main"], "", dict(os.environ), stages.append)

    def fail(argv, **_options):
        raise ToolFailed(argv, 1, "E: no network")

    with monkeypatch.context() as patch:
        patch.setattr(process, "run", fail)
        with pytest.raises(ToolFailed, match="no network"):
            build()
    assert os.listdir(files.systems) == ["former"] and building.built_system(files, made.digest) is None

    def pretend(argv, *, env, on_line=None, **_options):
        assert env["SOURCE_DATE_EPOCH"] == env["E2FSPROGS_FAKE_TIME"]
        staging = Path(files.systems, ".building")
        if argv[0] == "mmdebstrap":
            assert (staging / "files/usr/lib/dusty/boot").stat().st_mode & 0o777 == 0o755
            on_line("I: downloading packages with apt...")
        else:
            (staging / "root/boot").mkdir(parents=True)
            for name in ("vmlinuz-6.1.0-9", "initrd.img-6.1.0-9"):
                (staging / "root/boot" / name).write_text(name)
            (staging / building.IMAGE).write_text("disk")
        return process.Finished(0, "", "")

    monkeypatch.setattr(process, "run", pretend)
    system = build()
    assert os.listdir(files.systems) == [made.digest] and building.built_system(files, made.digest) == system
    assert Path(system.kernel).read_text() == "vmlinuz-6.1.0-9"
    assert stages == ["downloading the base system", "writing the disk"]
    assert sorted(os.listdir(os.path.dirname(system.image))) == ["initrd", "kernel", "seconds", "system.img"]


def test_the_rights_to_open_a_port(tmp_path: Path) -> None:
    assert running.may_open_all("/nonexistent") is (os.geteuid() == 0)
    assert 0 <= running.first_open_port() <= 65536
    port = running.free_port()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
        listener.listen()
        assert not running.is_port_free(port)
    assert running.is_port_free(port)


def test_a_failure_of_the_monitor_is_exit_2() -> None:
    assert issubclass(MonitorGone, Failure) and MonitorGone.code == 2
