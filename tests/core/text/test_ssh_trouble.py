"""What ssh and docker behind it say, and whether waiting mends it. The messages are those of real programs."""

from __future__ import annotations

import pytest

from dusty_tasks.core.text.ssh_trouble import PASSING, ssh_trouble


@pytest.mark.parametrize(
    ("printed", "hint", "passes_at_start"),
    [
        ("ssh: Could not resolve hostname nosuch.invalid: Name or service not known", "host.ssh", True),
        ("ssh: Could not resolve hostname vm: Temporary failure in name resolution", "host.ssh", True),
        ("ssh: Could not resolve hostname vm: nodename nor servname provided, or not known", "host.ssh", True),
        ("Host key verification failed.", "check it", False),
        (
            "@@@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@@@\nHost key verification failed.",
            "check it",
            False,
        ),
        ("me@vm: Permission denied (publickey,password).", "ssh-copy-id me@vm", True),
        ("Received disconnect from 1.2.3.4 port 22:2: Too many authentication failures", "ssh-copy-id", True),
        ("Bad owner or permissions on /home/me/.ssh/config", "ssh configuration", False),
        ("/home/me/.ssh/config: line 3: Bad configuration option: hostnam", "ssh configuration", False),
        (
            "Unable to negotiate with 1.2.3.4 port 22: no matching host key type found. Their offer: ssh-rsa",
            "ssh configuration",
            False,
        ),
        ("sh: 1: exec: docker: not found", "install Docker", True),
        ("bash: line 1: docker: command not found", "install Docker", True),
        (
            "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
            "group docker",
            False,
        ),
        (
            "failed to open the raw stream connection: dial unix /var/run/docker.sock: connect: permission denied",
            "group docker",
            False,
        ),
    ],
)
def test_what_waiting_does_not_mend(printed: str, hint: str, passes_at_start: bool) -> None:
    trouble = ssh_trouble(printed)
    assert (
        trouble.is_lasting and trouble.passes_at_start == passes_at_start and hint in trouble.hint.format(name="me@vm")
    )


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "ssh: connect to host vm port 22: Connection refused",
        "ssh: connect to host vm port 22: No route to host",
        "ssh: connect to host vm port 22: Connection timed out",
        "kex_exchange_identification: Connection closed by remote host",
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        "client_loop: send disconnect: Broken pipe",
    ],
)
def test_what_may_pass(printed: str) -> None:
    assert ssh_trouble(printed) is PASSING
