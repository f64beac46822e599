"""The places below DUSTY_HOME and below host.root, each written once (docs/architecture.md, "What lies where"). They are a contract with whoever reads them from outside."""

from __future__ import annotations

from typing import NamedTuple

from dusty_tasks.core.text.key_path import CONFIG_FILE

STACK_FILE, COMPOSE_FILE, HOSTS_FILE = "stack.json", "docker-compose.yml", "hosts"
PROXY_FILE, ORIGINS_FILE, COMMAND_FILES = "nginx/dustyNginx.conf", "origins.json", "commands/"
"""Below build/."""

WORLDS, WORLD_FILE = "worlds", "world.json"
"""Below DUSTY_HOME: a home for each world, and what makes a folder one."""
PERSIST, COMMANDS_THERE, EXCHANGED = "persist", "command_files", "cp"
"""Below host.root: what survives everything, command files by app or lib, and a folder a container for `dusty cp`."""
COPIES, ASSETS_THERE, PROXY_THERE, RECORDS = (
    f"{PERSIST}/repos",
    f"{PERSIST}/dusty_assets",
    f"{PERSIST}/dustyNginx",
    f"{PERSIST}/.dusty",
)
"""Copies of repos by id, assets by app, what the proxy mounts, and what Dusty notes of containers and data."""
STARTED, STARTED_SPARE = f"{RECORDS}/started.json", f"{RECORDS}/started.spare.json"
"""The records of what containers were started with, and the same again."""
ASSETS_OF_SUITES = f"{ASSETS_THERE}/.tests"
"""Assets of the services of test suites, by service."""
WORLDS_THERE = f"{PERSIST}/{WORLDS}"
"""What host.root is for the base, a folder in here is for each world."""
DATA_OF_WORLD = "data"
"""Below that: what its services keep below /persist."""
SNAPSHOTS = f"{PERSIST}/.snapshots"
"""What `dusty data` saved, a folder a snapshot."""
SNAPSHOTS_BELOW = SNAPSHOTS.removeprefix(f"{PERSIST}/")
"""The same as seen from persist/."""
SPEC_FILES = f"{COMMANDS_THERE}/.specs"
"""Files of the specs repo that containers mount, by their path in it."""
CERTIFICATES_THERE, TRUST_THERE = f"{PROXY_THERE}/https", f"{PERSIST}/dusty_https"
"""What the proxy shows, with the keys, and what containers are to believe: the authority's certificate and a bundle with it."""
CERTIFICATES_IN_PROXY, TRUST_IN_CONTAINER = "/etc/nginx/conf.d/https", "/dusty_https"
"""The same as containers see them."""
AUTHORITY_FILE, BUNDLE_FILE = "ca.pem", "bundle.pem"
"""In the latter."""
RECEIPTS = f"{COPIES}/.receipts"
"""Which source each copy is."""


class Paths(NamedTuple):
    """The places of one DUSTY_HOME, or of a world: what the user chose and gave is that of the base."""

    home: str
    """Absolute."""
    above: str = ""
    """The DUSTY_HOME of the base, for a world."""

    @property
    def base(self) -> str:
        """The DUSTY_HOME of the base."""
        return self.above or self.home

    @property
    def worlds(self) -> str:
        """The homes of the worlds beside the base."""
        return f"{self.base}/{WORLDS}"

    @property
    def worktrees(self) -> str:
        """Of a world: those that were made for it, by repo id."""
        return f"{self.home}/repos"

    @property
    def config(self) -> str:
        """What the user chose."""
        return f"{self.base}/{CONFIG_FILE}"

    @property
    def config_history(self) -> str:
        return f"{self.base}/config.git"

    @property
    def assets(self) -> str:
        """Files that were set, by their key."""
        return f"{self.base}/assets"

    @property
    def secrets(self) -> str:
        """Values of variables that are secrets, by their name."""
        return f"{self.base}/secrets"

    @property
    def https(self) -> str:
        """The certificate authority of this home, and the certificates that it signed."""
        return f"{self.base}/https"

    @property
    def overrides(self) -> str:
        """What the user puts on top of specs: apps/ and services/."""
        return f"{self.base}/overrides"

    @property
    def repos(self) -> str:
        """Managed clones."""
        return f"{self.base}/repos"

    @property
    def example(self) -> str:
        """The example specs of a first run."""
        return f"{self.base}/example"

    @property
    def dumps(self) -> str:
        return f"{self.base}/dumps"

    @property
    def results(self) -> str:
        """What suites left in $DUSTY_RESULTS."""
        return f"{self.home}/test-results"

    @property
    def host(self) -> str:
        """host.root of a local Docker host, unless the settings name another."""
        return f"{self.home}/host"

    @property
    def engine(self) -> str:
        """Of an engine that Dusty installed: its log, and what was downloaded for it."""
        return f"{self.home}/engine"

    @property
    def vm(self) -> str:
        """The disk and the console of a VM of preset qemu."""
        return f"{self.home}/vm"

    @property
    def locks(self) -> str:
        return f"{self.home}/locks"

    @property
    def build(self) -> str:
        """The artifacts."""
        return f"{self.home}/build"

    def artifact(self, path: str) -> str:
        """An artifact by its path below build/."""
        return f"{self.build}/{path}"

    @property
    def state(self) -> str:
        """A cache: losing it costs one full run."""
        return f"{self.home}/state"

    def kept(self, *names: str) -> str:
        """What a module of that name keeps below state/; it alone knows its form."""
        return "/".join((self.state, *names))

    @property
    def wanted(self) -> str:
        """What should run, for the run phase (core/plan/wanted)."""
        return self.kept("wanted.json")

    @property
    def documents(self) -> str:
        """Specs that were read."""
        return self.kept("documents")

    @property
    def ports(self) -> str:
        """Which port each route has."""
        return self.kept("ports.json")

    @property
    def ssh(self) -> str:
        """What ssh connections to Docker hosts need."""
        return self.kept("ssh")

    @property
    def doit_database(self) -> str:
        return self.kept("doit.db")
