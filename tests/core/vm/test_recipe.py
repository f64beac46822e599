"""The recipe of a VM's system disk: what is in it, and that its digest follows."""

from __future__ import annotations

import subprocess

import pytest

from dusty_tasks.core.vm.guest import FILES, KEPT
from dusty_tasks.core.vm.recipe import ARCHITECTURES, data_disk_words, mke2fs_words, mmdebstrap_words, recipe


def test_a_recipe_holds_kernel_engine_sshd_and_rsync() -> None:
    made = recipe("bookworm", "amd64")
    assert {"linux-image-cloud-amd64", "docker.io", "openssh-server", "rsync", "e2fsprogs"} <= set(made.packages)
    assert "docker-cli" not in made.packages
    assert "docker-cli" in recipe("trixie", "amd64").packages


def test_the_digest_follows_everything_that_makes_the_disk() -> None:
    made = recipe("bookworm", "amd64")
    assert made.digest == recipe("bookworm", "amd64").digest
    others = [
        made._replace(release="trixie"),
        made._replace(architecture="arm64"),
        made._replace(packages=(*made.packages, "vim")),
        made._replace(files=(made.files[0]._replace(text="other\n"), *made.files[1:])),
        made._replace(files=(made.files[0]._replace(mode=0o600), *made.files[1:])),
        made._replace(size_gib=made.size_gib + 1),
    ]
    assert len({made.digest, *(other.digest for other in others)}) == len(others) + 1


def test_another_architecture_has_its_own_kernel_and_console() -> None:
    made = recipe("bookworm", "arm64")
    assert ARCHITECTURES["arm64"].kernel in made.packages and "linux-image-cloud-amd64" not in made.packages
    texts = "".join(each.text for each in made.files)
    assert "ttyAMA0" in texts and "ttyS0" not in texts
    with pytest.raises(KeyError):
        recipe("bookworm", "s390x")


def test_the_commands_name_no_mirror_but_those_of_the_system() -> None:
    made = recipe("bookworm", "amd64")
    sources = ("deb [signed-by=/k.gpg] http://mirror.test/debian bookworm main",)
    words = mmdebstrap_words(made, sources, "/b/a folder", "/b/root.tar")
    assert words[-3:] == ["bookworm", "/b/root.tar", *sources]
    assert "://" not in "".join(words[:-1])
    hooks = [word for word in words if "-hook=" in word]
    assert len(hooks) == 2 and "'/b/a folder'" in hooks[1]
    for hook in hooks:
        assert syntax_error(hook.partition("=")[2]) == ""


def test_the_disks_are_made_without_root() -> None:
    words = mke2fs_words(recipe("bookworm", "amd64"), "/root folder", "/image")
    assert words[words.index("-d") + 1] == "/root folder" and words[-2:] == ["/image", "4G"]
    assert {"sudo", "mount", "losetup"}.isdisjoint([*words, *data_disk_words("/data")])


@pytest.mark.parametrize("file", [each for each in FILES if each.text.startswith("#!")], ids=lambda each: each.path)
def test_a_script_of_the_guest_is_posix_sh(file) -> None:
    assert file.text.startswith("#!/bin/sh\n") and file.mode == 0o755
    assert syntax_error(file.text) == ""


def syntax_error(script: str) -> str:
    return subprocess.run(["sh", "-n"], input=script, capture_output=True, text=True, check=False).stderr


def test_what_survives_the_system_disk_is_mounted_from_the_data_disk() -> None:
    (boot,) = [each.text for each in FILES if each.path.endswith("/boot")]
    assert set(KEPT.values()) == {"/persist", "/command_files", "/cp", "/var/lib/docker"}
    for folder, shown in KEPT.items():
        assert f"mount --bind /data/{folder} {shown}\n" in boot
