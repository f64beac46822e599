"""What ssh, and docker behind it, say when they do not get through: whether waiting can mend it, and what does."""

from __future__ import annotations

import re
from typing import NamedTuple


class SshTrouble(NamedTuple):
    """One kind of failure."""

    pattern: str
    """What its message holds."""
    hint: str
    """`{name}` is the machine as ssh is told it."""
    is_lasting: bool = True
    """Waiting does not mend it."""
    passes_at_start: bool = False
    """But with a machine that is just being started it may pass: it may not know its users, its name or its programs yet."""


LASTING = (
    SshTrouble(
        "Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|host key is known for",
        "its host key is not known, or has changed: check it, then run `ssh {name}` once by hand",
    ),
    SshTrouble(
        r"permission denied while trying to connect to the Docker daemon|dial unix \S+: connect: permission denied",
        "add that account to the group docker on that machine, or use one that is in it",
    ),
    SshTrouble(
        "Permission denied|Too many authentication failures|No supported authentication methods",
        "ssh-add <your key>, or put your key there: ssh-copy-id {name}",
        passes_at_start=True,
    ),
    SshTrouble(
        "Could not resolve hostname|hostname contains invalid characters|Name or service not known|nodename nor servname provided",
        "correct host.ssh, or give {name} an address in ~/.ssh/config, DNS or the hosts file",
        passes_at_start=True,
    ),
    SshTrouble(
        r"Bad owner or permissions on|Bad configuration option|terminating, \d+ bad configuration|unsupported option|keyword .* extra arguments|missing argument",
        "correct the ssh configuration; `ssh {name}` by hand shows the same",
    ),
    SshTrouble(
        "Unable to negotiate with|no matching (?:host key type|cipher|key exchange method|MAC) found|Bad port|Unknown port",
        "correct host.ssh or the ssh configuration; `ssh {name}` by hand shows the same",
    ),
    SshTrouble(
        "docker: (?:command )?not found|docker: No such file or directory|exec: docker: not found|is not a docker command|unknown command: docker",
        "install Docker on {name}",
        passes_at_start=True,
    ),
)
PASSING = SshTrouble("", "", is_lasting=False)


def ssh_trouble(printed: str) -> SshTrouble:
    """The kind of failure that `printed` tells of; PASSING for one that may pass by itself: a machine or an engine that is coming up."""
    return next((trouble for trouble in LASTING if re.search(trouble.pattern, printed)), PASSING)
