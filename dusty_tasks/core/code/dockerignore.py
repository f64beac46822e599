"""What of a build context the builder sees: .dockerignore as moby's patternmatcher reads it. Pure.

BuildKit's client leaves out by these rules (docker's own builder by nearly the same); a test holds them against a real build. A
pattern becomes a regular expression of Go's there, with what that means for odd ones: `\\d` is a digit, and `[*]` no star. Where it
would be one that we cannot read, the pattern counts as matching nothing: rather a build too many than one too few.

More than 300 lines: the matcher and the language that it reads are one thing of somebody else, kept together as there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from dusty_tasks.core.code.linear import BEGIN, LEAP, MANY, MAYBE, ONE, SHORT, Automaton, Item, Symbols, but, one_of

DEFAULT_NAME = "Dockerfile"
IGNORE_FILE = ".dockerignore"
LARGEST_FILE = 256 << 10
LONGEST_LINE = 64 << 10
"""Bytes of a line from which on the builder refuses the file."""
EXACT, PREFIX, SUFFIX, WILD = "exact", "prefix", "suffix", "wild"

Matched = tuple[bool, ...]
"""For each pattern whether a folder was matched by it, itself or through a folder above."""


class BadPattern(ValueError):
    """The builder refuses it, or it is beyond us."""


class Pattern(NamedTuple):
    text: str
    is_exception: bool
    kind: str
    automaton: Automaton | None = None
    """For WILD; None if it matches nothing."""

    def matches(self, path: str) -> bool:
        if self.kind == EXACT:
            return path == self.text
        if self.kind == PREFIX:
            return path.startswith(self.text[:-2])
        if self.kind == SUFFIX:
            end = self.text[2:]
            return path.endswith(end) or (end.startswith("/") and path == end[1:])
        return self.automaton is not None and self.automaton.matches(_SURROGATE.sub("\ufffd", path))


_SURROGATE = re.compile("[\udc80-\udcff]")
_BLANKS = "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
"""What Go's TrimSpace trims."""


def read_patterns(text: bytes) -> list[str]:
    """The patterns of an ignore file, in order, `!` before an exception. Raises BadPattern for a line that is too long."""
    found = []
    for line in text.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        if len(line) >= LONGEST_LINE:
            raise BadPattern(f"a line of it has more than {LONGEST_LINE >> 10} KiB")
        pattern = line.removesuffix(b"\r").decode("utf-8", "surrogateescape")
        if pattern.startswith("#") or not (pattern := pattern.strip(_BLANKS)):
            continue
        is_exception = pattern.startswith("!")
        pattern = pattern[1:].strip(_BLANKS) if is_exception else pattern
        if pattern:
            pattern = cleaned(pattern)
            pattern = pattern[1:] if len(pattern) > 1 and pattern.startswith("/") else pattern
        found.append(f"!{pattern}" if is_exception else pattern)
    return found


def cleaned(path: str) -> str:
    """Go's filepath.Clean."""
    is_rooted = path.startswith("/")
    out: list[str] = []
    for part in path.split("/"):
        if part in ("", "."):
            continue
        if part == ".." and out and out[-1] != "..":
            out.pop()
        elif part != ".." or not is_rooted:
            out.append(part)
    return ("/" if is_rooted else "") + "/".join(out) or "."


class Ignored:
    """Decides for the paths of a context (`a/b`), from the top down."""

    def __init__(self, patterns: Sequence[str]) -> None:
        stripped = [cleaned(text) for pattern in patterns if (text := pattern.strip(_BLANKS))]
        self.patterns = [
            _pattern(text[1:] if text.startswith("!") else text, text.startswith("!"))
            for text in stripped
            if text != "!"
        ]
        self.has_exceptions = any(pattern.is_exception for pattern in self.patterns)
        self._exact = frozenset(pattern.text for pattern in self.patterns if pattern.kind == EXACT)
        others = [pattern for pattern in self.patterns if pattern.kind != EXACT]
        self._is_hard = any(
            pattern.automaton is not None and pattern.automaton.expression is None for pattern in others
        )
        self._any = re.compile("|".join([_quick(pattern) for pattern in others]) or "(?!)", re.DOTALL)
        # Where exceptions are plain paths, what lies in an ignored folder that is on the way to none of them is not looked at.
        exceptions = [_without_glob(pattern.text) for pattern in self.patterns if pattern.is_exception]
        self._ways = (
            None if any(re.search(r"[*\[\]?^\\]", text) for text in exceptions) else [f"{text}/" for text in exceptions]
        )

    @property
    def top(self) -> tuple[bool, Matched]:
        """What the context's own folder is: never left out."""
        return False, (False,) * len(self.patterns)

    def decide(self, path: str, above: tuple[bool, Matched]) -> tuple[bool, Matched]:
        """(whether `path` is left out, what its own content is to be asked with); `above` is that of its folder."""
        if path not in self._exact and not self._may_match(path):
            return above
        is_out, matched = False, []
        for pattern, was_matched in zip(self.patterns, above[1], strict=True):
            is_matched = was_matched or (pattern.is_exception == is_out and pattern.matches(path))
            matched.append(is_matched)
            if is_matched:
                is_out = not pattern.is_exception
        return is_out, tuple(matched)

    def is_entered(self, folder: str, is_out: bool) -> bool:
        """True if something in a folder may be part of the context."""
        return not is_out or self._ways is None or any(way.startswith(f"{folder}/") for way in self._ways)

    def _may_match(self, path: str) -> bool:
        return self._is_hard or len(path) > SHORT or self._any.fullmatch(_SURROGATE.sub("\ufffd", path)) is not None


def _without_glob(text: str) -> str:
    return text.removesuffix("/**").removesuffix("/*")


def _quick(pattern: Pattern) -> str:
    """What matches wherever the pattern does, for paths of at most SHORT characters."""
    if pattern.kind == PREFIX:
        return re.escape(_SURROGATE.sub("\ufffd", pattern.text[:-2])) + ".*"
    if pattern.kind == SUFFIX:
        end = re.escape(_SURROGATE.sub("\ufffd", pattern.text[2:]))
        return f".*{end}" + (f"|{end.removeprefix('/')}" if end.startswith("/") else "")
    if pattern.automaton is None or pattern.automaton.expression is None:
        return "(?!)"
    return f"(?:{pattern.automaton.expression.pattern})"


def _pattern(text: str, is_exception: bool) -> Pattern:
    kind, expression = _compiled(text)
    if kind != WILD:
        return Pattern(text, is_exception, kind)
    try:
        return Pattern(text, is_exception, kind, Automaton(_items(expression), is_text=True))
    except BadPattern:
        return Pattern(text, is_exception, kind)


def _compiled(text: str) -> tuple[str, str]:
    """(kind, Go's regular expression of a WILD one) of a pattern, as patternmatcher makes it."""
    kind, out, at, number = EXACT, [], 0, 0
    while at < len(text):
        character = text[at]
        at += 1
        if character == "*" and text.startswith("*", at):
            at += 1
            at += text.startswith("/", at)
            if at == len(text):
                kind = PREFIX if kind == EXACT else WILD
                out.append(".*" if kind == WILD else "")
            else:
                out.append("(.*/)?")
                kind = WILD
            if number == 0:
                kind = SUFFIX
        elif character in "*?":
            out.append("[^/]*" if character == "*" else "[^/]")
            kind = WILD
        elif character in ".+()|{}$":
            out.append(f"\\{character}")
        elif character == "\\" and at < len(text):
            out.append(f"\\{text[at]}")
            kind = WILD
            at += 1
        else:
            kind = WILD if character in "[]" else kind
            out.append(character)
        number += 1
    return kind, "".join(out)


# Go's regular expressions, as far as patterns can make them

_DIGIT = ((48, 57),)
_SPACE = ((9, 10), (12, 13), (32, 32))
_WORD = ((48, 57), (65, 90), (95, 95), (97, 122))
_PERL = {"d": _DIGIT, "s": _SPACE, "w": _WORD}
_CONTROLS = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_POSIX = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "ascii": ((0, 127),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 31), (127, 127)),
    "digit": _DIGIT,
    "graph": ((33, 126),),
    "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": _WORD,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}
_LAST = 0x10FFFF
_DOT = but(10)
_GROUP = "(.*/)?"


def _items(expression: str) -> list[Item]:
    """The items of an expression. Raises BadPattern."""
    out: list[Item] = []
    at = 0
    while at < len(expression):
        if expression.startswith(_GROUP, at):
            out += [Item(LEAP, leap=2), Item(MANY, _DOT), Item(ONE, one_of(47))]
            at += len(_GROUP)
            continue
        if expression[at] == "^":
            out.append(Item(BEGIN))
            at += 1
            continue
        symbols, at = _atom(expression, at)
        quantifier = expression[at : at + 1]
        if quantifier in ("*", "?") and quantifier:
            at += 1
            if expression[at : at + 1] in ("*", "+", "{"):
                raise BadPattern("nested repetition")
        out.append(Item({"*": MANY, "?": MAYBE}.get(quantifier, ONE), symbols))
    return out


def _atom(expression: str, at: int) -> tuple[Symbols, int]:
    character = expression[at]
    if character == "[":
        return _class(expression, at + 1)
    if character == ".":
        return _DOT, at + 1
    if character == "\\":
        ranges, at = _escape(expression, at + 1)
        return Symbols(ranges), at
    if character in "*?+(){}|$":
        raise BadPattern(f"{character} where it means something else to Go")
    return one_of(ord(character)), at + 1


def _escape(expression: str, at: int) -> tuple[tuple[tuple[int, int], ...], int]:
    """What the escape whose letter stands at `at` means, and where it ends. Raises BadPattern."""
    character = expression[at : at + 1]
    if not character:
        raise BadPattern("it ends in a backslash")
    if character.lower() in _PERL:
        ranges = _PERL[character.lower()]
        return (ranges if character.islower() else _others(ranges)), at + 1
    if character in _CONTROLS:
        return ((_CONTROLS[character], _CONTROLS[character]),), at + 1
    if octal := re.compile(r"0[0-7]{0,2}|[1-7][0-7]{1,2}").match(expression, at):
        return ((int(octal[0], 8), int(octal[0], 8)),), octal.end()
    if code := re.compile(r"x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})").match(expression, at):
        value = int(code[1] or code[2], 16)
        return ((value, value),), code.end()
    if not character.isascii() or character.isalnum():
        raise BadPattern(f"an escape of {character}")
    return ((ord(character), ord(character)),), at + 1


def _others(ranges: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    edges = [-1, *(edge for low, high in sorted(ranges) for edge in (low, high)), _LAST + 1]
    return tuple((low + 1, high - 1) for low, high in zip(edges[::2], edges[1::2], strict=True) if low + 1 <= high - 1)


def _class(expression: str, at: int) -> tuple[Symbols, int]:
    """The class whose content begins at `at`, and where it ends. Raises BadPattern."""
    is_negated = expression.startswith("^", at)
    at += is_negated
    found: list[tuple[int, int]] = []
    is_first = True
    while is_first or not expression.startswith("]", at):
        if at >= len(expression):
            raise BadPattern("a class that is not closed")
        is_first = False
        if name := re.compile(r"\[:(\^?)([a-z]+):\]").match(expression, at):
            if name[2] not in _POSIX:
                raise BadPattern(f"no class {name[2]}")
            found += _others(_POSIX[name[2]]) if name[1] else _POSIX[name[2]]
            at = name.end()
            continue
        ranges, at = _member(expression, at)
        if len(ranges) == 1 and ranges[0][0] == ranges[0][1] and re.compile(r"-[^\]]").match(expression, at):
            ends, at = _member(expression, at + 1)
            if len(ends) != 1 or ends[0][0] != ends[0][1] or ends[0][0] < ranges[0][0]:
                raise BadPattern("a range that is none")
            ranges = ((ranges[0][0], ends[0][0]),)
        found += ranges
    return Symbols(tuple(found), is_negated), at + 1


def _member(expression: str, at: int) -> tuple[tuple[tuple[int, int], ...], int]:
    if at >= len(expression):
        raise BadPattern("a class that is not closed")
    return (
        _escape(expression, at + 1)
        if expression[at] == "\\"
        else (((ord(expression[at]), ord(expression[at])),), at + 1)
    )
