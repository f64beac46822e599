"""What a folder of code needs in a container, as far as its files tell: what detection finds, and which finding comes first. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple


class Folder(NamedTuple):
    """A folder of code."""

    name: str
    names: frozenset[str]
    """Its files, by their paths below it."""
    read: Callable[[str], str]
    """The text of a file; '' where there is none."""

    def first(self, *names: str) -> str:
        """The first of these files that is there, or ''."""
        return next((name for name in names if name in self.names), "")


class Found(NamedTuple):
    """How the code of a folder runs."""

    what: str
    """The language or file, as a person calls it."""
    source: str
    """The file that says so."""
    image: str = ""
    dockerfile: str = ""
    """What the image is built with instead."""
    once: tuple[str, ...] = ()
    always: tuple[str, ...] = ()
    needs_command: bool = False
    """True if it needs a line that starts it, and no file tells which."""
    port: int = 0
    """0: no file tells."""
    environment: Mapping[str, str] = {}
    names_allowed: str = ""
    """The variable that tells a server by which names it may be asked."""
    mount: str = "/app"
    folder: str = "."
    """What of the folder is mounted."""
    volumes: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What a person has to look at."""


_DRIVERS = {
    "postgres": "asyncpg pg pg-promise pg8000 pgx postgres postgresql pq psycopg psycopg2 psycopg2-binary",
    "mysql": "go-sql-driver mysql mysql-connector-j mysql-connector-java mysql-connector-python mysql2 mysqlclient pymysql",
    "redis": "bull bullmq django-redis go-redis ioredis jedis predis redis sidekiq spring-boot-starter-data-redis",
    "mongo": "mongo-driver mongodb mongodb-driver-sync mongoid mongoose motor pymongo spring-boot-starter-data-mongodb",
}
_SERVICE_OF = {driver: service for service, drivers in _DRIVERS.items() for driver in drivers.split()}
_COMMENT = re.compile(r"^\s*#.*|(?<=\s)#\s.*|<!--.*?-->", re.MULTILINE | re.DOTALL)
_TOKEN = re.compile(r"[a-z0-9][a-z0-9_-]*")


def services_of(packages: Iterable[str]) -> tuple[str, ...]:
    """The servers whose drivers are among these packages."""
    found = {_SERVICE_OF[package] for package in map(str.lower, packages) if package in _SERVICE_OF}
    return tuple(sorted(found))


def words_of(*texts: str) -> frozenset[str]:
    """The words of manifests without their comments, in small letters, a path as its parts."""
    return frozenset(word for text in texts for word in _TOKEN.findall(_COMMENT.sub("", text).lower()))


def version_in(text: str, usual: str, pattern: str = r"\d+\.\d+") -> str:
    """The version that a file asks for; the usual one where any later one will do, or none is named."""
    found = re.search(pattern, text)
    return usual if found is None or ">" in text else found[0]


def port_in(text: str, *patterns: str) -> int:
    """The first port that one of the patterns finds, each with one group."""
    numbers = (int(number) for pattern in patterns for number in re.findall(pattern, text))
    return next((number for number in numbers if 0 < number < 65536), 0)
