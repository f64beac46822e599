"""What a machine lacks for a run, and the commands that bring it: shown to a person, or run for him, from one list."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from typing import NamedTuple

from dusty_tasks.core.text.paths import Paths

CLIENT, ENGINE, COMPOSE, RSYNC, GIT = "the docker client", "Docker Engine", "Compose v2", "rsync", "git"
STOPPED = "a running Docker Engine"
ACCESS = "access to the Docker Engine"
AWAY = "an answer from the engine that DOCKER_HOST or the docker context names"

NEXT_RELEASE = {"bookworm": "trixie"}
"""Releases whose own Compose is the dead v1, and the one whose package of v2 runs there: it needs libc6 >= 2.34 alone."""

DEBIAN_LIKE = {"debian": "debian", "raspbian": "debian", "ubuntu": "ubuntu", "linuxmint": "ubuntu", "pop": "ubuntu"}


class Machine(NamedTuple):
    """What the choice of commands depends on."""

    system: str
    """`debian`, `ubuntu`, `macos`, or another distribution's ID as it names itself."""
    release: str = ""
    """The release's code name: `bookworm`."""
    next_source: str = ""
    """The line of a sources list that names NEXT_RELEASE, made from the system's own sources; '' if they name none."""
    init: str = "none"
    """`systemd`, `sysv` or `none`: who starts the engine."""
    is_root: bool = True
    user_name: str = "root"
    home: str = "/root/.dusty"
    """DUSTY_HOME: the engine's log and what is downloaded go below it."""
    docker_config: str = "/root/.docker"


class Step(NamedTuple):
    """Commands that belong together: `what` is said before them (nothing if ''), `lines` are POSIX sh."""

    what: str
    lines: tuple[str, ...]
    needs_root: bool = False


class Provision(NamedTuple):
    """`steps` bring what is missing; `unmet` are sentences on what this machine's user has to get by hand."""

    steps: tuple[Step, ...] = ()
    unmet: tuple[str, ...] = ()


def plan_provision(machine: Machine, missing: Iterable[str]) -> Provision:
    """The steps that bring what is `missing`, in the order in which they can run."""
    lacking = set(missing)
    if not lacking:
        return Provision()
    if machine.system not in ("debian", "ubuntu"):
        return Provision(unmet=tuple(_by_hand(machine, name) for name in sorted(lacking)))
    steps, unmet = [], [_by_hand(machine, AWAY)] if AWAY in lacking else []
    if packages := _packages(machine, lacking):
        lines = (
            "apt-get update",
            f"DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends {' '.join(packages)}",
        )
        steps.append(
            Step(
                f"install {_list_text(packages)} from {machine.system.capitalize()}'s packages", lines, needs_root=True
            )
        )
    if COMPOSE in lacking and machine.release in NEXT_RELEASE:
        if machine.next_source:
            steps.append(_compose_of_next_release(machine))
        else:
            unmet.append(
                f"Compose v2 is not in {machine.release}, and the system's sources name no mirror to get a newer one from: "
                f"put its docker-compose at {machine.docker_config}/cli-plugins/docker-compose"
            )
    if {ENGINE, STOPPED} & lacking:
        steps += _start_engine(machine)
    if not machine.is_root and {ENGINE, ACCESS} & lacking:
        steps.append(_join_docker_group(machine))
    return Provision(tuple(steps), tuple(unmet))


def shown(provision: Provision, machine: Machine) -> list[str]:
    """The steps as lines to type, with sudo where the user needs it."""
    return [
        line if machine.is_root or not step.needs_root else _with_sudo(line)
        for step in provision.steps
        for line in step.lines
    ]


def next_source_line(sources: Iterable[tuple[str, str]], release: str) -> str:
    """The one-line source of the release after `release`, with the mirror and keyring of the system's own entry for `release`.

    `sources` are (file name, text) of sources.list and sources.list.d, in both formats. '' if no entry fits.
    """
    if release not in NEXT_RELEASE:
        return ""
    for name, text in sources:
        entries = _deb822_entries(text) if name.endswith(".sources") else _one_line_entries(text)
        for uri, suites, components, options in entries:
            if release in suites and "main" in components:
                return f"deb {f'[{options}] ' if options else ''}{uri} {NEXT_RELEASE[release]} main"
    return ""


def _one_line_entries(text: str) -> Iterable[tuple[str, list[str], list[str], str]]:
    for line in text.splitlines():
        found = re.match(r"\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s+([^#]*)", line)
        if found:
            options, uri, suite, components = found.groups()
            yield uri, [suite], components.split(), (options or "").strip()


def _deb822_entries(text: str) -> Iterable[tuple[str, list[str], list[str], str]]:
    for stanza in re.split(r"\n\s*\n", text):
        lines = "\n".join(line for line in stanza.splitlines() if not line.startswith("#"))
        fields = {
            key.lower(): value.strip()
            for key, value in re.findall(r"^([A-Za-z-]+):((?:.*)(?:\n[ \t].*)*)", lines, re.MULTILINE)
        }
        if (
            "deb" not in fields.get("types", "").split()
            or fields.get("enabled", "yes").lower() == "no"
            or not fields.get("uris")
        ):
            continue
        # A key that is written out in the stanza does not fit into one line; the keys apt trusts anyway must do then.
        key = fields.get("signed-by", "")
        options = f"signed-by={key}" if key.startswith("/") and "\n" not in key else ""
        yield fields["uris"].split()[0], fields.get("suites", "").split(), fields.get("components", "").split(), options


def _packages(machine: Machine, lacking: set[str]) -> list[str]:
    packages = [name for name in (RSYNC, GIT) if name in lacking]
    # In Debian 12 and Ubuntu docker.io holds the client, too; later Debians split it off.
    splits_client = machine.system == "debian" and machine.release not in ("bullseye", "bookworm")
    if ENGINE in lacking:
        packages.insert(0, "docker.io")
    if splits_client and {CLIENT, ENGINE} & lacking:
        packages.insert(0, "docker-cli")
    elif CLIENT in lacking and ENGINE not in lacking:
        packages.insert(0, "docker.io")
    if COMPOSE in lacking and machine.release not in NEXT_RELEASE:
        packages.append("docker-compose-v2" if machine.system == "ubuntu" else "docker-compose")
    if GIT in lacking:
        packages.append("ca-certificates")
    return packages


def _compose_of_next_release(machine: Machine) -> Step:
    """A private apt configuration, so the system's sources stay as they are; none of it needs root."""
    release = NEXT_RELEASE[machine.release]
    folder = f"{Paths(machine.home).engine}/compose"
    place, plugin = shlex.quote(folder), shlex.quote(f"{machine.docker_config}/cli-plugins/docker-compose")
    settings = (
        f'Dir::Etc::SourceList "{folder}/sources.list"; Dir::Etc::SourceParts "/dev/null"; Dir::State::Lists "{folder}/lists"; '
        f'Dir::Cache "{folder}/cache"; APT::Sandbox::User "root"; Acquire::Languages "none";'
    )
    lines = (
        f"rm -rf {place} && mkdir -p {place}/lists/partial {place}/cache/archives/partial",
        f"printf '%s\\n' {shlex.quote(machine.next_source)} >{place}/sources.list",
        f"printf '%s\\n' {shlex.quote(settings)} >{place}/apt.conf",
        f"APT_CONFIG={place}/apt.conf apt-get update",
        f"cd {place} && APT_CONFIG={place}/apt.conf apt-get download docker-compose",
        f"dpkg-deb -x {place}/docker-compose_*.deb {place}/root",
        f"mkdir -p {shlex.quote(machine.docker_config + '/cli-plugins')}",
        f"mv {place}/root/usr/libexec/docker/cli-plugins/docker-compose {plugin} && rm -rf {place}",
    )
    return Step(f"take Compose v2 from Debian {release} for {machine.user_name} alone", lines)


def _start_engine(machine: Machine) -> list[Step]:
    if machine.init == "systemd":
        return [Step("start the engine", ("systemctl enable --now docker",), needs_root=True)]
    if machine.init == "sysv":
        return [Step("start the engine", ("service docker start",), needs_root=True)]
    folder = shlex.quote(Paths(machine.home).engine)
    line = f"setsid dockerd --pidfile {folder}/dockerd.pid </dev/null >>{folder}/dockerd.log 2>&1 &"
    # The folder is made without sudo: the first thing below DUSTY_HOME must not be root's.
    return [Step("", (f"mkdir -p {folder}",)), Step("start the engine in the background", (line,), needs_root=True)]


def _join_docker_group(machine: Machine) -> Step:
    what = f"put {machine.user_name} into the group docker, which gives that account the powers of root on this machine"
    return Step(what, (f"usermod -aG docker {shlex.quote(machine.user_name)}",), needs_root=True)


def _by_hand(machine: Machine, name: str) -> str:
    if name == AWAY:
        return "no engine answers where DOCKER_HOST or the docker context points: start it there, or unset it (`docker context use default`)"
    if machine.system == "macos":
        return {
            CLIENT: "the docker client is missing: it comes with Docker Desktop, Colima or OrbStack (`brew install colima docker`)",
            ENGINE: "there is no Docker Engine: install Docker Desktop, or `brew install colima docker docker-compose && colima start`",
            STOPPED: "no Docker Engine answers: start Docker Desktop, or run `colima start`",
            COMPOSE: "Compose v2 is missing: it comes with Docker Desktop, else `brew install docker-compose`",
        }.get(name, f"{name} is missing: `brew install {name.split()[-1]}`")
    return {
        CLIENT: "the docker client is missing: install Docker with your system's packages",
        ENGINE: "there is no Docker Engine: install Docker with your system's packages and start it",
        STOPPED: "no Docker Engine answers: start it (`systemctl start docker` where systemd runs)",
        COMPOSE: "Compose v2 is missing: install the package that provides `docker compose`, often docker-compose-plugin",
        ACCESS: f"{machine.user_name} may not use the Docker Engine's socket: `sudo usermod -aG docker {machine.user_name}`, then log in "
        "again; that gives the powers of root",
    }.get(name, f"{name} is missing: install it with your system's packages")


def _with_sudo(line: str) -> str:
    simple = re.fullmatch(r"[\w@%+=:,./ -]+", line) and not re.match(r"\w+=", line)
    return f"sudo {line}" if simple else f"sudo sh -c {shlex.quote(line)}"


def _list_text(words: Iterable[str], last: str = " and ") -> str:
    *others, end = words
    return f"{', '.join(others)}{last}{end}" if others else end
