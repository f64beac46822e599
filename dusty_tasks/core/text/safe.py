"""Text that must stay plain: names, paths, images and repos end up in nginx, hosts, shell and Compose files.

Only command lines, `default_args`, descriptions, environment values and free Compose values may hold arbitrary text
(docs/specs.md).
"""

from __future__ import annotations

import functools
import re

CONTROL = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef]"
"""A pattern. Refused anywhere in a spec: control characters other than newline and tab, and the noncharacters that `looks` takes for marks."""

_UNSAFE = r"""[\x00-\x1f\x7f-\x9f\ud800-\udfff\s'"`\\$;{}<>|&*?!#()\[\]^\u2028\u2029]"""
_SAFE = re.compile(r"[A-Za-z0-9._/:@+-]*")
"""What nearly all names, paths and images are made of; the other pattern takes long to compile."""
_NAMES = {
    "\n": "a newline",
    "\r": "a newline",
    "\t": "a tab",
    "'": "a quote",
    '"': "a quote",
    "`": "a quote",
    "\\": "a backslash",
    "\u2028": "a newline",
    "\u2029": "a newline",
}


def unsafe_part(text: str) -> str:
    """The first thing in `text` that a name, path, image or repo must not hold: 'a newline', '"$"' ..., or ''."""
    if _SAFE.fullmatch(text):
        return ""
    match = re.search(_UNSAFE, text)
    if match:
        return _name(match.group())
    invisible = next((character for character in text if not character.isprintable()), "")
    return f"an invisible character (U+{ord(invisible):04X})" if invisible else ""


def control_part(text: str) -> str:
    """The first control character of `text` other than newline and tab, as words, or ''."""
    match = re.search(CONTROL, text)
    return f"a control character (U+{ord(match.group()):04X})" if match else ""


def _name(character: str) -> str:
    if character in _NAMES:
        return _NAMES[character]
    if re.match(CONTROL, character):
        return f"a control character (U+{ord(character):04X})"
    return "a blank" if character.isspace() else f'"{character}"'


def shown(value: object) -> str:
    """A value as messages show it: JSON, with escapes for all that could do more in a terminal than be read."""
    import json

    text = printable(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= 80 else f"{text[:76]}…{text[-1]}"


_PLAIN_IN_YAML = r"(?=.*[A-Za-z_/.])[A-Za-z0-9_./][A-Za-z0-9_./@+-]*"


def in_yaml(value: str) -> str:
    """A text as an item of a YAML list in brackets: plain where that says the same, else quoted."""
    words = ("true", "false", "yes", "no", "on", "off", "null", "y", "n")
    return (
        value
        if re.fullmatch(_PLAIN_IN_YAML, value) and value.lower() not in words and not value[:1].isdigit()
        else shown(value)
    )


def printable(text: str) -> str:
    """A file name or value with escapes for undecodable bytes, control characters and other invisible ones."""
    return text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)


@functools.cache
def _steers() -> re.Pattern[str]:
    """What moves a terminal's cursor, turns the order of letters round, or is no character. Made where a text needs a closer look: it takes 3 ms."""
    return re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef]")


@functools.cache
def _terminal_code() -> re.Pattern[str]:
    """A control sequence (colours, the cursor), an operating system command (titles, links), or a code of one letter."""
    return re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")


def harmless(text: str) -> str:
    """Lines for a terminal: what could do more in it than be read is spelt out; newlines, tabs and foreign letters stay."""
    if text.isprintable() or (text.isascii() and text.replace("\n", "").isprintable()):
        return text
    return _steers().sub(lambda found: _escaped(found.group()), text)


def in_json(text: str) -> str:
    """JSON as it is, with escapes of its own for what could steer a terminal: no program reads it otherwise."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    return _steers().sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def plain_lines(printed: str) -> str:
    """What a program printed for a terminal of its own, as text: without colours, and without what it wrote over."""
    if printed.isprintable():
        return printed
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in _terminal_code().sub("", printed).split("\n"))
    return "\n".join(lines)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()
