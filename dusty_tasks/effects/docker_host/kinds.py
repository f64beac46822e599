"""Which class a `host.kind` of the settings is: the one place that tells kinds of Docker hosts apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dusty_tasks.core.settings.model import Settings
    from dusty_tasks.effects.docker_host.host import DockerHost


def docker_host(settings: Settings) -> DockerHost:
    """The Docker host that the settings name."""
    if settings.host.kind == "ssh":
        from dusty_tasks.effects.docker_host.over_ssh import SshHost

        return SshHost(settings)
    from dusty_tasks.effects.docker_host.local import LocalHost

    return LocalHost(settings)
