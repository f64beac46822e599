"""The kinds of Docker host that `host.kind` may name, and what the settings must know of each; effects/docker_host has a class for each."""

from __future__ import annotations

from typing import NamedTuple


class HostKind(NamedTuple):
    """One kind."""

    meaning: str
    """For the reference of settings."""
    is_elsewhere: bool = False
    """It is another machine than this one: what is sent there leaves this machine."""
    root: str = ""
    """The default of host.root, '' for a folder of DUSTY_HOME."""
    machine_key: str = ""
    """The key of `host` that says which machine it is, '' if there is no choice."""
    question: str = ""
    """How `setup` asks for that."""


HOST_KINDS = {
    "local": HostKind("the engine of the current Docker context"),
    "ssh": HostKind(
        "any Linux machine or VM with sshd, rsync and Docker",
        is_elsewhere=True,
        root="/",
        machine_key="ssh",
        question="Where ssh finds it, [user@]name[:port]",
    ),
}
"""The first is the default."""
