"""Powers against a real engine: a pulled commit that asks for one changes nothing before somebody allowed it."""

from __future__ import annotations

import subprocess

from stacks import SmallStack

GIT = ["git", "-c", "user.name=Mallory", "-c", "user.email=m@localhost", "-c", "protocol.file.allow=always"]


def test_a_pulled_commit_gets_no_power_unasked(rig, tmp_path):
    stack = SmallStack(tmp_path, rig.home)
    specs = tmp_path / "specs"

    def commit(what: str) -> None:
        subprocess.run([*GIT, "add", "-A"], cwd=specs, check=True)
        subprocess.run([*GIT, "commit", "-qm", what], cwd=specs, check=True)

    subprocess.run([*GIT, "init", "-q", "--initial-branch=main"], cwd=specs, check=True)
    commit("one")
    (rig.home / "config.yml").write_text(stack.config.replace(f"specs_repo: {specs}", f"specs_repo: file://{specs}"))
    rig.dusty("up")
    before = rig.container_ids()

    stack.service("cache", more="volumes: ['/:/host', '/var/run/docker.sock:/d.sock']\n")
    commit("Cache the host")
    refused = rig.dusty("up", "--yes", check=False)
    assert refused.returncode == 1 and rig.container_ids() == before
    assert (
        "services/cache.yml:3:11: service cache: volumes: /:/host" in refused.stderr
        and "Mallory: Cache the host" in refused.stderr
    )
    assert "you have not allowed" in rig.dusty("plan").stderr
    listed = rig.dusty("trust", "specs").stdout
    rig.dusty("trust", "specs", "allow", listed.split()[-1])
    rig.dusty("up")
    after = rig.container_ids()
    assert after["dusty_cache_1"] != before["dusty_cache_1"] and after["dusty_web_1"] == before["dusty_web_1"]
    assert rig.run(["docker", "exec", "dusty_cache_1", "test", "-S", "/d.sock"]).returncode == 0
    assert "up to date" in rig.dusty("up").stdout
