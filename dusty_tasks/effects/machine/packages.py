"""What this machine has of what a run needs, and the running of commands that bring the rest.

Finding out costs no process where all is there: PATH lookups, a few stats and one connection to the engine's socket.
"""

from __future__ import annotations

import grp
import json
import os
import platform
import pwd
import shutil
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from dusty_tasks.core.of_verbs import provision
from dusty_tasks.core.of_verbs.provision import Machine, Step
from dusty_tasks.core.text.paths import Paths
from dusty_tasks.effects.docker_host.engine_address import DEFAULT_SOCKET, engine_address
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import ToolFailed

OWN_ADDRESSES = (f"unix://{DEFAULT_SOCKET}", "unix:///run/docker.sock")
"""Where the engine listens that a distribution's package brings."""

SYSTEM_FOLDERS = ("/usr/sbin", "/sbin", "/usr/local/sbin")
"""Where dockerd and usermod lie, which is not on everybody's PATH."""

PLUGIN_FOLDERS = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)


def read_missing(*, engine_here: bool = True) -> list[str]:
    """What of core.provision's names is missing here; an engine on another machine is not asked for (`engine_here=False`)."""
    missing = [
        name for name, program in ((provision.RSYNC, "rsync"), (provision.GIT, "git")) if not shutil.which(program)
    ]
    if not shutil.which("docker"):
        missing.append(provision.CLIENT)
    if not has_compose():
        missing.append(provision.COMPOSE)
    if engine_here and (trouble := read_engine_trouble(address := engine_address(os.environ))):
        is_ours_to_start = trouble == provision.ACCESS or address in OWN_ADDRESSES
        missing.append(trouble if is_ours_to_start else provision.AWAY)
    return missing


def has_compose() -> bool:
    """True if `docker compose` is there; asks docker itself only when no known place holds the plugin."""
    folders = [f"{docker_config()}/cli-plugins", *_read_client_config().get("cliPluginsExtraDirs", []), *PLUGIN_FOLDERS]
    if any(os.access(f"{folder}/docker-compose", os.X_OK) for folder in folders):
        return True
    try:
        return process.run(["docker", "compose", "version"], timeout=10).code == 0
    except ToolFailed:
        return False


def docker_config() -> str:
    return os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")


def _read_client_config() -> Mapping[str, list[str]]:
    try:
        config = json.loads(Path(docker_config(), "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def read_engine_trouble(address: str) -> str:
    """'' if an engine listens at `address`, else which of provision.ENGINE, STOPPED and ACCESS is the matter."""
    if not address.startswith("unix://"):
        return ""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        try:
            connection.connect(address.removeprefix("unix://"))
        except PermissionError:
            return provision.ACCESS
        except OSError:
            return provision.STOPPED if find_program("dockerd") or platform.system() == "Darwin" else provision.ENGINE
    return ""


def find_program(name: str) -> str:
    """The program's path, also where only root's PATH has it; '' if it is missing."""
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *SYSTEM_FOLDERS))) or ""


def read_machine(home: str | Path) -> Machine:
    """What core.provision wants to know of this machine."""
    system, release = read_distribution()
    return Machine(
        system=system,
        release=release,
        next_source=provision.next_source_line(read_apt_sources(), release) if system == "debian" else "",
        init=read_init(),
        is_root=os.geteuid() == 0,
        user_name=pwd.getpwuid(os.geteuid()).pw_name,
        home=str(home),
        docker_config=docker_config(),
    )


def read_distribution(path: str = "/etc/os-release") -> tuple[str, str]:
    """(system, code name of the release) as core.provision names them."""
    if platform.system() == "Darwin":
        return "macos", ""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown", ""
    fields = {key: value.strip().strip("\"'") for key, _, value in (line.partition("=") for line in lines)}
    known = provision.DEBIAN_LIKE.get(fields.get("ID", ""), fields.get("ID", "unknown"))
    return known, fields.get("VERSION_CODENAME", "")


def read_apt_sources(folder: str = "/etc/apt") -> list[tuple[str, str]]:
    """(file name, text) of sources.list and of what lies in sources.list.d."""
    paths = [Path(folder, "sources.list"), *sorted(Path(folder, "sources.list.d").glob("*"))]
    return [
        (path.name, path.read_text(encoding="utf-8", errors="replace"))
        for path in paths
        if path.suffix in (".list", ".sources") and os.access(path, os.R_OK)
    ]


def read_init() -> str:
    """`systemd`, `sysv` or `none`: what runs as the first process, as far as it can start services."""
    if os.path.isdir("/run/systemd/system"):
        return "systemd"
    try:
        first = Path("/proc/1/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return "none"
    return "sysv" if first == "init" and os.path.exists("/etc/init.d/docker") else "none"


def run_step(step: Step, machine: Machine, on_line: Callable[[str], None]) -> None:
    """Run the step's lines, through sudo where it needs root and the user is not. Raises ToolFailed at the first that fails."""
    prefix = ["sudo", "-n"] if step.needs_root and not machine.is_root else []
    folders = os.pathsep.join((os.environ.get("PATH", ""), *SYSTEM_FOLDERS))
    for line in step.lines:
        process.run([*prefix, "sh", "-c", line], env={**os.environ, "PATH": folders}, check=True, on_line=on_line)


def may_sudo(*, may_ask: bool) -> bool:
    """True if `sudo -n` will do from here on; on a terminal sudo asks for the password once, now."""
    if not shutil.which("sudo"):
        return False
    return process.run(["sudo", "-n", "true"]).code == 0 or (may_ask and process.run_attached(["sudo", "-v"]) == 0)


def wait_for_engine(home: str | Path, seconds: float = 60) -> str:
    """'' once the engine listens, provision.ACCESS if it does but not for us; after `seconds` the last lines of its log."""
    end, address = time.monotonic() + seconds, engine_address(os.environ)
    while (trouble := read_engine_trouble(address)) in (provision.STOPPED, provision.ENGINE):
        if time.monotonic() > end:
            return _last_lines(Path(Paths(str(home)).engine, "dockerd.log")) or f"no engine listens at {address}"
        time.sleep(0.1)
    return trouble


def _last_lines(path: Path) -> str:
    try:
        return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-8:])
    except OSError:
        return ""


def is_in_docker_group() -> bool:
    """True if the account is in the group docker by now, whether or not this session knows it yet."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name in grp.getgrnam("docker").gr_mem
    except KeyError:
        return False


def rerun_in_docker_group(argv: Iterable[str]) -> None:
    """Become the same command with the group docker; returns only if there is no `sg`, or if this is that command already."""
    import shlex

    sg = find_program("sg")
    if sg and "DUSTY_IN_DOCKER_GROUP" not in os.environ:
        os.environ["DUSTY_IN_DOCKER_GROUP"] = "1"
        os.execv(sg, ["sg", "docker", "-c", f"exec {shlex.join(argv)}"])
