"""Shell text as the shell reads it, as far as needed to hand arguments to its last command (POSIX, Shell Command Language, 2.3 to 2.10)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

OPERATORS = (
    "<<-",
    "<<<",
    ";;&",
    "&>>",
    "&&",
    "||",
    ";;",
    ";&",
    "<<",
    ">>",
    "<&",
    ">&",
    "<>",
    ">|",
    "&>",
    "|&",
    ";",
    "&",
    "|",
    "(",
    ")",
    "<",
    ">",
    "\n",
)
"""The longest first; some are bash's alone."""
REDIRECTIONS = frozenset({"<<-", "<<<", "&>>", "<<", ">>", "<&", ">&", "<>", ">|", "&>", "<", ">"})
OPENING = frozenset({"if", "then", "else", "elif", "do", "while", "until", "{", "!", "time", "in"})
"""Words after which a command begins (`in` of a case: its patterns, which are not told from commands: only what a text ends with counts)."""
HEADS = frozenset({"case", "for", "select"})
"""Words after which words come, then `in`."""
CLOSING = frozenset({"fi", "done", "esac", "}"})
TAKES_NONE = frozenset({"exit", "return", "break", "continue"})
"""Commands that have no use for more words."""
_ALL = re.compile(r"\$(?:[@*]|\{[@*])")
_PLAIN = re.compile(r"[^ \t\n;&|()<>\\'\"`$]+")
"""What is part of a word, and of nothing else, wherever it stands in it."""
_FIRST_OF_OPERATORS = frozenset(operator[0] for operator in OPERATORS)
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")


class Token(NamedTuple):
    kind: str
    """`word`, `comment`, or the operator itself."""
    start: int
    end: int


def with_arguments(text: str) -> str:
    """`text` with `"$@"` after the words of its last command, in front of a comment or a here-document.

    As it is where the last command is no simple one (`fi`, `done`, `}` …), has all arguments in it already, or ends in an empty comment: `"$@"` is
    there for all of the text to use.
    """
    place, tokens = _Place(), list(_tokens(text))
    for token in tokens:
        place.see(token, text)
    is_declined = tokens and tokens[-1].kind == "comment" and not text[tokens[-1].start + 1 : tokens[-1].end].strip()
    if is_declined or place.last != "simple" or _ALL.search(text, place.start, place.end):
        return text
    return f'{text[: place.end]} "$@"{text[place.end :]}'


class _Place:
    """Where the last command of a text ends, and of which kind it is: simple, closed (a compound one), other."""

    def __init__(self) -> None:
        self.last, self.start, self.end = "other", 0, 0
        self.begins = True
        """A command may begin here: a reserved word is one."""
        self.is_target = False
        """The next word is a redirection's."""
        self.is_head = False
        """In the words before the `in` of a case or a for."""

    def see(self, token: Token, text: str) -> None:
        word = text[token.start : token.end]
        if token.kind == "comment":
            return
        if token.kind == "word":
            if self.is_target:
                self.end = token.end
            else:
                self._see_word(word, token)
            self.is_target = False
        elif token.kind in REDIRECTIONS:
            self.is_target = True
            if self.begins and self.last != "closed":
                self.last = "other"
        else:
            self.begins, self.is_head = True, False
            if token.kind == ")":
                self.last = "closed"
            elif token.kind not in (";", "&", "\n"):
                self.last = "other"

    def _see_word(self, word: str, token: Token) -> None:
        if not self.begins:
            self.end = token.end
            self.begins = self.is_head and word == "in"
        elif word in CLOSING:
            self.last = "closed"
        elif word in OPENING or _ASSIGNMENT.match(word):
            self.last = "other"
        else:
            self.is_head = word in HEADS
            self.last, self.begins = "other" if word in TAKES_NONE | HEADS else "simple", False
            self.start, self.end = token.start, token.end


def _tokens(text: str, position: int = 0) -> Iterator[Token]:
    waiting: list[tuple[str, bool]] = []
    """Delimiters of here-documents whose bodies come after the next newline, with whether tabs before them count for nothing."""
    is_delimiter = ""
    while position < len(text):
        character = text[position]
        if character in " \t" or text.startswith("\\\n", position) or text[position:] == "\\":
            position += 2 if character == "\\" else 1
            continue
        if character == "#":
            end = text.find("\n", position)
            end = len(text) if end < 0 else end
            yield Token("comment", position, end)
            position = end
            continue
        is_one = character in _FIRST_OF_OPERATORS
        operator = next(each for each in OPERATORS if text.startswith(each, position)) if is_one else ""
        if operator and not (operator in "<>" and text.startswith("(", position + 1)):
            end = position + len(operator)
            yield Token(operator, position, end)
            if operator == "\n":
                for delimiter, may_be_indented in waiting:
                    end = _end_of_body(text, end, delimiter, may_be_indented)
                waiting.clear()
            is_delimiter = operator if operator in ("<<", "<<-") else ""
            position = end
            continue
        end = _end_of_word(text, position)
        if is_delimiter:
            waiting.append((re.sub(r"['\"\\]", "", text[position:end]), is_delimiter == "<<-"))
            is_delimiter = ""
        if not (text[position:end].isdigit() and text[end : end + 1] in ("<", ">")):
            yield Token("word", position, end)
        position = end


def _end_of_body(text: str, position: int, delimiter: str, may_be_indented: bool) -> int:
    """Where a here-document is over: before the newline after its delimiter; the end of the text where there is none."""
    while position < len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        line = text[position:end]
        if (line.lstrip("\t") if may_be_indented else line) == delimiter:
            return end
        position = end + 1
    return len(text)


def _end_of_word(text: str, position: int) -> int:
    """Behind the word that begins here."""
    while position < len(text):
        if plain := _PLAIN.match(text, position):
            position = plain.end()
            continue
        character = text[position]
        if character in " \t\n;&|)":
            return position
        if character == "(" or character in "<>":
            # Process substitution; anywhere else these end a word.
            if character == "(" or not text.startswith("(", position + 1):
                return position
            position = _end_of_commands(text, position + 2)
        else:
            position = _end_of_part(text, position)
    return position


def _end_of_part(text: str, position: int) -> int:
    """Behind the quoted part, the expansion or the single character that begins here."""
    character = text[position]
    if character == "\\":
        return position + 2
    if character == "'":
        found = text.find("'", position + 1)
        return len(text) if found < 0 else found + 1
    if character == '"':
        return _end_of_group(text, position + 1, '"')
    if character == "`":
        return _end_of_group(text, position + 1, "`")
    if text.startswith("$((", position):
        return _end_of_group(text, position + 2, ")")
    if text.startswith("$(", position):
        return _end_of_commands(text, position + 2)
    if text.startswith("${", position):
        return _end_of_group(text, position + 2, "}")
    return position + 1


def _end_of_commands(text: str, position: int) -> int:
    """Behind the `)` of commands that begin here, whatever is in them."""
    place, depth, cases = _Place(), 0, 0
    for token in _tokens(text, position):
        word = text[token.start : token.end] if token.kind == "word" and place.begins else ""
        cases += (word == "case") - (word == "esac")
        depth += token.kind == "("
        if token.kind == ")" and not (cases and not depth):
            if not depth:
                return token.end
            depth -= 1
        place.see(token, text)
    return len(text)


def _end_of_group(text: str, position: int, closing: str) -> int:
    """Behind the `closing` character that belongs to a group whose inside begins here."""
    while position < len(text) and text[position] != closing:
        character = text[position]
        if character == "(" and closing == ")":
            position = _end_of_group(text, position + 1, ")")
        elif character == "'" and closing == '"':
            position += 1
        else:
            position = _end_of_part(text, position)
    return min(position + 1, len(text))
