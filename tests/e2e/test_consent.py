"""What `up` changes of the machine is asked for first: as root and with sudo, at a terminal and without one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from stacks import PORT, SmallStack
from terminal import CTRL_C, CTRL_D, at_terminal

ROOT = Path(__file__).resolve().parents[2]
SECTION = "# BEGIN section for Dusty\n127.0.0.1 web.test\n# END section for Dusty"
WAYS = r"\[p\]assword, \[l\]ocalhost names, \[s\]kip\? $"
PASSWORD = "correct horse"


class Person:
    """Somebody on the machine with a stack of his own: `root`, or `dev`, who is in the group docker."""

    def __init__(self, rig, stack: SmallStack, name: str) -> None:
        self.rig, self.name = rig, name
        self.user_home = f"/home/{name}" if name else "/root"
        self.home = f"{self.user_home}/dusty"
        rig.run(
            [
                "sh",
                "-ec",
                f"""
            [ -z "{name}" ] || id {name} 2>/dev/null || useradd -m -s /bin/bash -G docker {name}
            rm -rf {self.user_home}/stack {self.home} {self.user_home}/.local {self.user_home}/.bashrc
            mkdir -p {self.home}; cp -r {stack.folder} {self.user_home}/stack; cp {stack.home}/config.yml {self.home}/
            find {self.user_home}/stack/specs {self.home} -name '*.yml' -exec sed -i 's#{stack.folder}#{self.user_home}/stack#' {{}} +
            [ -z "{name}" ] || chown -R {name}: {self.user_home}""",
            ]
        )

    @property
    def env(self) -> dict[str, str]:
        return {"DUSTY_HOME": self.home, "SHELL": "/bin/bash"}

    def types(self, *words: str, answers: tuple[tuple[str, str], ...] = ()) -> tuple[int, str]:
        """At a terminal: exit code and screen."""
        env = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": self.user_home,
            "LANG": "C.UTF-8",
            "TERM": "xterm",
            **self.env,
        }
        # ^C is for what runs in the machine: nsenter, which would end of it, is no part of what a person starts.
        inside = self.rig.machine.argv(["env", "--default-signal=INT", str(ROOT / "dusty"), *words], user=self.name)
        return at_terminal(["sh", "-c", 'trap "" INT; exec "$@"', "sh", *inside], env, answers, 120)

    def runs(self, *words: str):
        """Without a terminal, as from cron."""
        return self.rig.dusty(*words, user=self.name, env=self.env, check=False)

    def file(self, path: str) -> str:
        return self.rig.run(["cat", path], check=False).stdout

    def config(self) -> str:
        return self.file(f"{self.home}/config.yml")


@pytest.fixture
def stack(rig, tmp_path):
    """A stack of somebody who was never asked."""
    return SmallStack(tmp_path, rig.home, is_agreed=False)


def page(rig) -> str:
    return rig.run(["curl", "-s", "-H", f"Host: web.test:{PORT}", f"http://127.0.0.1:{PORT}/"]).stdout


def test_root_is_asked_as_well_and_without_a_terminal_nothing_is_changed_unasked(rig, stack):
    root, before = Person(rig, stack, ""), rig.run(["cat", "/etc/hosts"]).stdout
    done = root.runs("up")
    assert done.returncode == 1 and page(rig) == "hello from web\n"
    assert (
        f"you have not agreed to change it\nAdd this to /etc/hosts by hand:\n{SECTION}\n    hint: {ROOT}/dusty up --yes"
        in done.stderr
    )
    assert (root.file("/etc/hosts"), root.file("/root/.bashrc"), "hosts" in root.config()) == (before, "", False)
    assert "write hosts section: it differs from the compiled one" in root.runs("plan").stdout

    code, screen = root.types("up", answers=(("Do all of this\\? \\[y/N\\] $", "n"),))
    assert code == 0, screen
    listed = screen[screen.index("This will be done") : screen.index("[y/N]")]
    assert (
        "keep a marked section in /etc/hosts" in listed
        and "link /root/.local/bin/dusty" in listed
        and "/root/.bashrc" in listed
    )
    assert (
        root.file("/etc/hosts") == before
        and root.file("/root/.bashrc") == ""
        and "mode: off" in root.config().replace("'", "").replace('"', "")
    )
    code, screen = root.types("up")
    assert code == 0 and "up to date: 0 changes" in screen, "asked once"

    done = root.runs("hosts", "apply")
    assert (done.returncode, root.file("/etc/hosts")) == (0, f"{before}{SECTION}\n") and "mode: file" in root.config()
    stack.app("api")
    rig.run(
        [
            "sh",
            "-c",
            f"cp {stack.folder}/specs/apps/api.yml /root/stack/specs/apps; sed -i 's#{stack.folder}#/root/stack#' /root/stack/specs/apps/api.yml;"
            " mkdir /root/stack/code/api; sed -i 's/web/web, api/' /root/stack/specs/bundles/shop.yml",
        ]
    )
    assert root.runs("up").returncode == 0 and "127.0.0.1 api.test" in root.file("/etc/hosts"), (
        "what was agreed to stays agreed to"
    )


def test_yes_agrees_to_all_of_it_and_uninstall_takes_it_away(rig, stack):
    root, before = Person(rig, stack, ""), rig.run(["cat", "/etc/hosts"]).stdout
    done = root.runs("up", "--yes")
    assert done.returncode == 0 and root.file("/etc/hosts") == f"{before}{SECTION}\n" and "mode: file" in root.config()
    start_file = root.file("/root/.bashrc")
    assert root.runs("up", "--yes").stdout.startswith("up to date") and root.file("/root/.bashrc") == start_file
    inside = rig.run(
        ["bash", "-ic", "type -P dusty; complete -p dusty; dusty nosuch; true"], env={"DUSTY_HOME": root.home}
    )
    assert inside.stdout.splitlines() == [
        "/root/.local/bin/dusty",
        "complete -o bashdefault -o default -F _dusty dusty",
    ]
    assert "`dusty help` lists all of them" in inside.stderr
    done = root.runs("uninstall", "--yes")
    assert done.returncode == 0, done.stderr
    assert (root.file("/etc/hosts"), root.file("/root/.bashrc")) == (before, "")
    assert rig.run(
        ["sh", "-c", "ls -A /root/.local/bin /root/.local/share/bash-completion/completions"]
    ).stdout.split() == ["/root/.local/bin:", "/root/.local/share/bash-completion/completions:"]


def test_where_sudo_asks_for_a_password_it_comes_when_all_is_up_and_may_be_refused(rig, stack):
    dev, before = Person(rig, stack, "dev"), rig.run(["cat", "/etc/hosts"]).stdout
    rig.run(
        [
            "sh",
            "-c",
            f"echo 'dev:{PASSWORD}' | chpasswd; echo 'dev ALL=(ALL) ALL' > /etc/sudoers.d/dev; chmod 440 /etc/sudoers.d/dev",
        ]
    )
    code, screen = dev.types("up", answers=((r"\[y/N\] $", "y"), (WAYS, "p"), ("assword for dev", CTRL_C)))
    assert code == 1, screen
    assert re.search(r"created\S* web", screen).start() < screen.index("[p]assword") and page(rig) == "hello from web\n"
    assert "interrupted" not in screen.splitlines()[-1] and f"Add this to /etc/hosts by hand:\n{SECTION}" in screen
    assert (
        dev.file("/etc/hosts") == before and "mode: file" in dev.config() and "Dusty" in dev.file("/home/dev/.bashrc")
    )

    # It does not come again by itself, whoever starts the run; plan and status say so.
    for again in (dev.runs("up"), dev.runs("up", "--yes")):
        assert (
            again.returncode == 0
            and "pending write hosts section: sudo was interrupted" in again.stdout
            and "up to date: 0 changes, 1 Docker read, 0 sudo" in again.stdout
        )
    code, screen = dev.types("up")
    assert code == 0 and "assword" not in screen
    assert (
        "hosts apply tries again" in dev.runs("plan").stdout and "hosts apply tries again" in dev.runs("status").stderr
    )
    assert "warning: hosts section: not in the hosts file: sudo was interrupted" in dev.runs("doctor").stdout

    code, screen = dev.types("hosts", "apply", answers=(("assword for dev", PASSWORD),))
    assert (code, dev.file("/etc/hosts")) == (0, f"{before}{SECTION}\n"), screen
    assert "pending" not in dev.runs("plan").stdout

    # The other answers; sudo has forgotten the password.
    for typed, mode, wanted in (("l", "localhost", "web.test.localhost"), ("s", "off", "web.test")):
        dev.rig.run(["sh", "-c", "cp /run/hosts.before /etc/hosts; rm -rf /run/sudo/ts /var/lib/sudo/ts"])
        dev.runs("config", "unset", "hosts.mode")
        code, screen = dev.types("up", answers=((WAYS, "x"), (WAYS, typed)))
        assert code == 0 and f"hosts.mode = {mode}" in screen and dev.file("/etc/hosts") == before, screen
        assert (
            rig.run(["curl", "-s", "-H", f"Host: {wanted}:{PORT}", f"http://127.0.0.1:{PORT}/"]).stdout
            == "hello from web\n"
        )
        assert "up to date" in dev.runs("up").stdout
    dev.runs("config", "unset", "hosts.mode")
    code, screen = dev.types("up", answers=((WAYS, CTRL_D),))
    assert (
        code == 1
        and "hosts" not in dev.config()
        and "pending write hosts section: the question was not answered" in dev.runs("up").stdout
    )
    rig.run(["rm", "/etc/sudoers.d/dev"])


def test_without_sudo_what_was_refused_once_is_not_tried_at_each_up(rig, stack):
    dev = Person(rig, stack, "dev")
    done = dev.runs("up", "--yes")
    assert (
        done.returncode == 1
        and f"Add this to /etc/hosts by hand:\n{SECTION}" in done.stderr
        and page(rig) == "hello from web\n"
    )
    again = dev.runs("up", "--yes")
    assert (
        again.returncode == 0
        and "up to date: 0 changes, 1 Docker read, 0 sudo" in again.stdout
        and "BEGIN section" not in again.stdout
    )
    # New names are printed once more; lines added by hand are as good as written ones.
    rig.run(["sh", "-c", "sed -i s/web.test/shop.test/ /home/dev/stack/specs/apps/web.yml"])
    assert "127.0.0.1 shop.test\n# END section for Dusty" in dev.runs("up").stdout
    assert "BEGIN section" not in dev.runs("up").stdout
    rig.run(["sh", "-c", f"cat {dev.home}/build/hosts >> /etc/hosts"])
    assert dev.runs("up").stdout.startswith("up to date") and dev.runs("plan").stdout == "nothing to do\n"
