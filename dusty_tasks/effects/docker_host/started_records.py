"""The records of what containers were started with, on the Docker host. They lie there twice, so that no one damaged file costs a container:
without its record nobody knows what a container was made of, and it is made anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dusty_tasks.core.plan.started import StartedRecord, sound
from dusty_tasks.core.text.paths import STARTED, STARTED_SPARE
from dusty_tasks.effects.docker_host.files import PRIVATE, read_host_json, write_host_json

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost


def read_started(host: DockerHost) -> dict[str, StartedRecord]:
    """Container name -> its record. Raises Failure if an ssh host is away."""
    return with_spare(host, read_host_json(host, STARTED))


def with_spare(host: DockerHost, read: Any) -> dict[str, StartedRecord]:
    """The records in what was read of started.json; what is missing or damaged in it from the second file, which is asked only then."""
    records = sound(read)
    if records and len(records) == len(read):
        return records
    return {**sound(read_host_json(host, STARTED_SPARE)), **records}


def write_started(host: DockerHost, records: Mapping[str, StartedRecord]) -> None:
    """Replace both files. Raises Failure."""
    write_host_json(host, STARTED, records, PRIVATE)
    write_host_json(host, STARTED_SPARE, records, PRIVATE)
