"""What a name server and a container's own tools say of a name, read from their bytes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

NO_ADDRESS, NO_REPLY, NOT_UNDERSTOOD = "no address", "no reply", "something that is no answer"
_CODES = {0: NO_ADDRESS, 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
_A = 1

LOOK_UP = """
if command -v getent >/dev/null 2>&1; then look='getent ahosts'
elif command -v nslookup >/dev/null 2>&1; then look=nslookup
else exit 9
fi
for name; do echo "= $name"; $look "$name" 2>/dev/null; done
:
"""
"""For `sh -c` in a container, with names as words; looked_up reads what it prints."""
_OF_GETENT = re.compile(r"(\S+)\s+(?:STREAM|DGRAM|RAW)\b")
_OF_NSLOOKUP = re.compile(r"Address(?: \d+)?:\s*(\S+)")


def question(name: str, number: int) -> bytes:
    """A query for the IPv4 addresses of `name` (RFC 1035, section 4). Raises ValueError for what is no name."""
    labels = name.rstrip(".").encode("ascii").split(b".")
    if not all(0 < len(label) < 64 for label in labels):
        raise ValueError(name)
    encoded = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return number.to_bytes(2, "big") + b"\x01\0\0\x01\0\0\0\0\0\0" + encoded + b"\0\x01\0\x01"


def answer(data: bytes, number: int) -> str:
    """The first IPv4 address in the reply to question `number`, else its code in words."""
    try:
        if int.from_bytes(data[:2], "big") != number or not data[2] & 0x80:
            return NOT_UNDERSTOOD
        questions, answers = (int.from_bytes(data[at : at + 2], "big") for at in (4, 6))
        place = 12
        for _ in range(questions):
            place = _after_name(data, place) + 4
        for _ in range(answers):
            place = _after_name(data, place)
            kind, length = (int.from_bytes(data[place + at : place + at + 2], "big") for at in (0, 8))
            place += 10
            if kind == _A and length == 4 and len(data) >= place + 4:
                return ".".join(map(str, data[place : place + 4]))
            place += length
    except IndexError:
        return NOT_UNDERSTOOD
    return _CODES.get(data[3] & 0x0F, f"code {data[3] & 0x0F}")


def _after_name(data: bytes, place: int) -> int:
    """Where the name that begins at `place` ends; one that goes on elsewhere (a pointer) takes two bytes here."""
    while length := data[place]:
        if length >= 0xC0:
            return place + 2
        place += length + 1
    return place + 1


def looked_up(printed: str) -> dict[str, tuple[str, ...]]:
    """Name -> the addresses that LOOK_UP printed for it, () for none."""
    found: dict[str, dict[str, None]] = {}
    name, is_after_name = "", False
    for line in printed.splitlines():
        if line.startswith("= "):
            name, is_after_name = line[2:], False
            found[name] = {}
        elif name:
            is_after_name = is_after_name or line.startswith("Name")
            match = _OF_GETENT.match(line) or (_OF_NSLOOKUP.match(line) if is_after_name else None)
            if match:
                found[name][match[1]] = None
    return {each: tuple(addresses) for each, addresses in found.items()}


def name_servers(text: str) -> list[str]:
    """The addresses in the text of /etc/resolv.conf."""
    words = [line.split() for line in text.splitlines()]
    return [line[1] for line in words if len(line) > 1 and line[0] == "nameserver"]


def sources(text: str) -> tuple[str, ...]:
    """Where the system looks up names, in order, by the text of /etc/nsswitch.conf: `files`, `dns`, …; () if it does not say."""
    for line in text.splitlines():
        kind, _, rest = line.partition("#")[0].partition(":")
        if kind.strip() == "hosts":
            return tuple(re.sub(r"\[[^]]*\]", " ", rest).split())
    return ()


def interface_of(table: str, address: str) -> str:
    """The interface on the way to an IPv4 address, by the text of /proc/net/route; '' if that does not say."""
    import ipaddress

    try:
        wanted = int(ipaddress.IPv4Address(address))
    except ValueError:
        return ""
    best, found = -1, ""
    for line in table.splitlines()[1:]:
        columns = line.split()
        if len(columns) < 8:
            continue
        target, mask = (int.from_bytes(bytes.fromhex(columns[at]), "little") for at in (1, 7))
        if wanted & mask == target and mask > best:
            best, found = mask, columns[0]
    return found


def own_addresses(hosts_file: str, names: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Name -> its addresses in the text of a hosts file."""
    found: dict[str, Any] = {name.lower(): [] for name in names}
    for line in hosts_file.splitlines():
        address, *held = line.partition("#")[0].lower().split() or [""]
        for name in held:
            if name in found:
                found[name].append(address)
    return {name: tuple(addresses) for name, addresses in found.items()}
