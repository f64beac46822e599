"""What a machine lacks becomes commands, the same ones that are shown and run."""

import pytest

from dusty_tasks.core.of_verbs.provision import (
    ACCESS,
    AWAY,
    CLIENT,
    COMPOSE,
    ENGINE,
    GIT,
    RSYNC,
    STOPPED,
    Machine,
    next_source_line,
    plan_provision,
    shown,
)

SOURCE = "deb [signed-by=/k.gpg] http://mirror.test/debian trixie main"
BOOKWORM = Machine("debian", "bookworm", SOURCE)
TRIXIE, NOBLE = Machine("debian", "trixie"), Machine("ubuntu", "noble")


def lines(machine: Machine, *missing: str) -> str:
    return "\n".join(shown(plan_provision(machine, missing), machine))


def test_nothing_missing_is_no_step():
    assert plan_provision(BOOKWORM, []) == ((), ())


@pytest.mark.parametrize(
    ("machine", "missing", "packages"),
    [
        (BOOKWORM, [ENGINE, CLIENT, RSYNC], "docker.io rsync"),
        (BOOKWORM, [CLIENT], "docker.io"),
        (BOOKWORM, [RSYNC, GIT], "rsync git ca-certificates"),
        (TRIXIE, [ENGINE, COMPOSE], "docker-cli docker.io docker-compose"),
        (TRIXIE, [CLIENT], "docker-cli"),
        (NOBLE, [ENGINE, CLIENT, COMPOSE], "docker.io docker-compose-v2"),
    ],
)
def test_packages(machine, missing, packages):
    assert f"apt-get install -y --no-install-recommends {packages}\n" in lines(machine, *missing) + "\n"


def test_compose_on_bookworm_comes_from_the_next_release_without_root():
    (step,) = plan_provision(BOOKWORM, [COMPOSE]).steps
    assert not step.needs_root
    assert SOURCE in "\n".join(step.lines)
    assert "/etc/apt" not in "\n".join(step.lines), "the system's sources stay as they are"
    assert "/root/.docker/cli-plugins/docker-compose" in step.lines[-1]


def test_compose_on_bookworm_without_a_known_mirror_is_told_not_tried():
    provision = plan_provision(BOOKWORM._replace(next_source=""), [COMPOSE])
    assert provision.steps == ()
    assert "cli-plugins/docker-compose" in provision.unmet[0]


@pytest.mark.parametrize(
    ("init", "line"), [("systemd", "systemctl enable --now docker"), ("sysv", "service docker start")]
)
def test_the_init_system_starts_the_engine(init, line):
    assert lines(BOOKWORM._replace(init=init), STOPPED) == line


def test_without_an_init_system_the_engine_runs_in_the_background_with_its_own_pidfile_and_log():
    text = lines(BOOKWORM._replace(home="/h o/.dusty"), STOPPED)
    assert "--pidfile '/h o/.dusty/engine'/dockerd.pid" in text
    assert ">>'/h o/.dusty/engine'/dockerd.log 2>&1 &" in text


def test_a_user_goes_through_sudo_and_into_the_group_which_is_said_to_be_root():
    ada = BOOKWORM._replace(is_root=False, user_name="ada", home="/home/ada/.dusty", docker_config="/home/ada/.docker")
    text = lines(ada, ENGINE, COMPOSE)
    assert "sudo apt-get update" in text
    assert "sudo usermod -aG docker ada" in text
    assert "sudo sh -c 'setsid dockerd" in text
    assert "sudo mkdir" not in text, "the first folder below DUSTY_HOME must not be root's"
    assert any("powers of root" in step.what for step in plan_provision(ada, [ENGINE]).steps)


def test_no_access_asks_for_the_group_alone():
    ada = BOOKWORM._replace(is_root=False, user_name="ada")
    assert lines(ada, ACCESS) == "sudo usermod -aG docker ada"


def test_an_engine_elsewhere_is_not_started_here():
    provision = plan_provision(BOOKWORM, [AWAY])
    assert provision.steps == ()
    assert "DOCKER_HOST" in provision.unmet[0]


@pytest.mark.parametrize("machine", [Machine("macos"), Machine("fedora", "")])
@pytest.mark.parametrize("name", [CLIENT, ENGINE, STOPPED, COMPOSE, RSYNC, GIT])
def test_elsewhere_what_is_missing_is_named(machine, name):
    provision = plan_provision(machine, [name])
    assert provision.steps == ()
    assert len(provision.unmet) == 1


DEB822 = """\
Types: deb
# a snapshot
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/archive.gpg

Types: deb
URIs: http://security.test/debian-security
Suites: bookworm-security
Components: main
"""


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        (
            "debian.sources",
            DEB822,
            "deb [signed-by=/usr/share/keyrings/archive.gpg] http://mirror.test/debian trixie main",
        ),
        (
            "sources.list",
            "# deb http://no.test/debian bookworm main\ndeb http://mirror.test/debian bookworm main contrib # here\n",
            "deb http://mirror.test/debian trixie main",
        ),
        (
            "x.list",
            "deb [arch=amd64 signed-by=/k] https://m.test/d bookworm main\n",
            "deb [arch=amd64 signed-by=/k] https://m.test/d trixie main",
        ),
        ("x.list", "deb http://m.test/d bookworm-security main\ndeb http://m.test/d bookworm contrib\n", ""),
        ("x.sources", DEB822.replace("Types: deb\n#", "Enabled: no\nTypes: deb\n#"), ""),
        (
            "x.sources",
            DEB822.replace("/usr/share/keyrings/archive.gpg", "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n ."),
            "deb http://mirror.test/debian trixie main",
        ),
    ],
)
def test_the_next_releases_source_is_made_from_the_systems_own(name, text, wanted):
    assert (
        next_source_line([("other.list", "deb http://other.test/x stable main\n"), (name, text)], "bookworm") == wanted
    )


def test_other_releases_need_no_next_one():
    assert next_source_line([("debian.sources", DEB822)], "trixie") == ""
