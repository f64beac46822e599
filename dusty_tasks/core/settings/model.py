"""Settings: `config.yml` as checked values (docs/specs.md, "Settings"). The schema is schemas/config.json."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from dusty_tasks.core.settings.host_kinds import HOST_KINDS
from dusty_tasks.core.text.namespace import STACK, Namespace
from dusty_tasks.core.text.paths import PERSIST, Paths
from dusty_tasks.core.text.value import Value

NGINX_IMAGE = "nginx:1.28-alpine"
MAX_UPLOAD = "500M"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class HostSettings(Value):
    """The Docker host: keys `host.*`."""

    kind: str = next(iter(HOST_KINDS))
    preset: str = "none"
    ssh: str = ""
    address: str = ""
    root: str = ""
    """Parent of persist, command_files and cp, already defaulted: never ''."""
    data: str = PERSIST
    """The folder below it in which /persist of services lies; that of a world is another one."""
    start: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    ssh_config: tuple[str, ...] = ()
    memory: float | None = None
    ncpu: int | None = None
    disk: float | None = None
    """GiB."""
    wait: float = 120
    daemon: dict[str, Any] | None = None

    @property
    def is_elsewhere(self) -> bool:
        """True if the Docker host is another machine than this one: what is sent there leaves this machine."""
        return HOST_KINDS[self.kind].is_elsewhere

    @property
    def names(self) -> tuple[str, ...]:
        """What another machine is called, by ssh and by its address; those that can stand in a URL without brackets."""
        found = (self.ssh.rpartition("@")[2].partition(":")[0].lower(), self.address) if self.is_elsewhere else ()
        return tuple(name for name in found if name and ":" not in name)


def without_machine(host: HostSettings) -> HostSettings:
    """The settings of a Docker host that is no machine to start, stop or change."""
    return replace(host, start=(), stop=(), status=(), ssh_config=(), memory=None, ncpu=None, disk=None, daemon=None)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class ContainerSettings(Value):
    """The slice of the settings that the entries of containers, and what else is known of them, may see."""

    home: str
    """DUSTY_HOME, absolute; for a world, its folder there."""
    base: str = ""
    """The DUSTY_HOME of the base, for a world; no key of config.yml."""
    loopback: str = "127.0.0.1"
    """Where the proxy listens on this machine: a world has an address of its own."""
    repo_overrides: dict[str, str] = field(default_factory=dict)
    """Repo id -> absolute path."""
    vars: dict[str, str] = field(default_factory=dict)
    """Values of variables of the specs, by name."""
    env: dict[str, dict[str, str | None]] = field(default_factory=dict)
    host: HostSettings = field(default_factory=HostSettings)
    namespace: Namespace = STACK
    """What the stack's containers, network and images are called; no key of config.yml."""
    sync_mode: str = "rsync"
    routing: str = "published"
    bridge_ip: str = "172.17.0.1"
    external_bind: bool = False
    hosts_mode: str = "file"
    hosts_ipv6: bool = False
    nginx_image: str = NGINX_IMAGE
    https: str = "off"
    without_git: tuple[str, ...] = ()
    """With `sync.mode: bind`, the sources that are mounted and hold no `.git`: no setting, but found on this machine (session)."""

    @property
    def is_reached_from_outside(self) -> bool:
        """True if other machines than the Docker host can reach the proxy."""
        return self.host.is_elsewhere or self.external_bind

    @property
    def paths(self) -> Paths:
        return Paths(self.home, self.base)

    def path_of(self, repo_id: str, local_path: str = "") -> str:
        """Where a repo's source lies on this machine: override, local path, or managed clone."""
        return self.repo_overrides.get(repo_id) or local_path or f"{self.paths.repos}/{repo_id}"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Settings(ContainerSettings):
    """Everything that config.yml decides, with defaults filled in."""

    is_configured: bool = True
    """False when there is no config.yml at all."""
    specs_repo: str = ""
    bundles: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()
    """Apps and services that are left out of the stack."""
    repo_branches: dict[str, str] = field(default_factory=dict)
    """Repo id -> branch."""
    sync_exclude: tuple[str, ...] = ()
    sync_delete: str = "unignored"
    sync_jobs: int = 4
    repos_pull: str = "always"
    repos_jobs: int = 4
    repos_submodules: bool = True
    repos_lfs: bool = True
    hosts_agreed: bool = False
    """True if `hosts.mode: file` is written: somebody agreed that the hosts file is changed."""
    proxy_max_upload: str = MAX_UPLOAD
    proxy_trusted: tuple[str, ...] = ()
    """Addresses and networks of outer proxies."""
    up_wait: float = 60
    data_keep: float | None = None
    """GiB."""
    asset_commands: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Asset key -> the command whose output it is."""
    trust: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Specs repo (id, or folder) -> identities of the powers that were allowed to its specs (core/powers)."""
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    """Values of variables that are secrets, by name: no keys of config.yml, but files beside it."""

    @property
    def hosts_address(self) -> str:
        """The address that the hosts section gives every host_name ('' if an ssh host has none stored yet)."""
        return self.host.address if self.host.is_elsewhere else self.loopback

    @property
    def hosts_addresses(self) -> tuple[str, ...]:
        """All that it gives them."""
        return (self.hosts_address, *(("::1",) if self.hosts_ipv6 else ()))

    @property
    def names_of_host(self) -> tuple[str, ...]:
        """What the Docker host is called where it is another machine."""
        return self.host.names

    @property
    def secret_names(self) -> tuple[str, ...]:
        """The secrets that have a value."""
        return tuple(sorted(self.secrets))

    @property
    def build(self) -> str:
        return self.paths.build

    @property
    def state(self) -> str:
        return self.paths.state


def to_json(settings: Settings) -> dict[str, Any]:
    """A form that json can write."""
    return asdict(settings)


def from_json(data: dict[str, Any]) -> Settings:
    """The inverse of to_json; lists become tuples. Raises TypeError, KeyError or AttributeError on another form."""
    host = HostSettings(**{key: _tuple(value) for key, value in data["host"].items()})
    trust = {repo: tuple(powers) for repo, powers in data["trust"].items()}
    return Settings(
        **{
            **{key: _tuple(value) for key, value in data.items()},
            "host": host,
            "trust": trust,
            "asset_commands": {key: tuple(command) for key, command in data["asset_commands"].items()},
            "namespace": Namespace(*data["namespace"]),
        }
    )


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
