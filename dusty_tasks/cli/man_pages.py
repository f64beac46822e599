"""Manual pages, made from the table of verbs: dusty(1) and one of each command, as roff. `python -m dusty_tasks.cli.man_pages DIR` writes them for packagers."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import dusty_tasks
from dusty_tasks.cli.parsing import GLOBAL
from dusty_tasks.core.text.called import DUSTY, in_called_name
from dusty_tasks.verbs.help_texts import DETAILS
from dusty_tasks.verbs.table import VERBS, Option, Verb

EXIT_CODES = """\
0 fine, 1 something you can fix, 2 a program or Docker failed, 3 a bug in Dusty (a log file is named), 130 interrupted."""


def file_name(verb: Verb | None) -> str:
    return f"dusty-{verb.name}.1" if verb else "dusty.1"


def page(verb: Verb | None = None) -> str:
    """The page of a verb, or of Dusty as a whole."""
    return _page_of(verb) if verb else _overview()


def _page_of(verb: Verb) -> str:
    lines = [_head(f"dusty-{verb.name}"), f"dusty-{verb.name} \\- {_plain(verb.summary)}"]
    lines += [".SH SYNOPSIS", f".B {DUSTY} {verb.name}", *([_plain(verb.usage)] if verb.usage else [])]
    lines += [".SH DESCRIPTION", _plain(f"{verb.summary[0].upper()}{verb.summary[1:]}."), *_paragraphs(_details(verb))]
    lines += [".SH OPTIONS", *(line for option in (*verb.options, *GLOBAL) for line in _option(option))]
    lines += [".SH EXIT STATUS", EXIT_CODES, ".SH SEE ALSO", ".BR dusty (1)"]
    return "\n".join(lines) + "\n"


def _overview() -> str:
    lines = [_head("dusty"), "dusty \\- launches a team's whole local environment from specs"]
    lines += [".SH SYNOPSIS", f".B {DUSTY}", r"\fIcommand\fR [arguments] [options]"]
    lines += [
        ".SH DESCRIPTION",
        "Dusty compiles specs to plain files, compares them with what is running, changes only what differs, and tells why.",
    ]
    for group in dict.fromkeys(verb.group for verb in VERBS):
        lines.append(f".SH {group.upper()}")
        for verb in VERBS:
            if verb.group == group:
                lines += [".TP", f".BR dusty\\-{verb.name} (1)", _plain(verb.summary)]
    lines += [
        ".SH ENVIRONMENT",
        ".TP",
        ".B DUSTY_HOME",
        "Where settings, generated files and state are (~/.dusty unless set).",
    ]
    lines += [".TP", ".B NO_COLOR", "No colours and no links."]
    lines += [".SH EXIT STATUS", EXIT_CODES]
    return "\n".join(lines) + "\n"


def _head(name: str) -> str:
    return f'.TH {name.upper()} 1 "" "Dusty {dusty_tasks.__version__}" "Dusty"\n.SH NAME'


def _details(verb: Verb) -> str:
    return in_called_name(DETAILS.get(verb.name, ""))


def _paragraphs(text: str) -> list[str]:
    """Indented blocks as they are; other paragraphs are filled."""
    lines = []
    for paragraph in filter(None, text.split("\n\n")):
        if paragraph.startswith(" "):
            lines += [
                ".PP",
                ".nf",
                ".RS",
                *(_plain(line.removeprefix("    ")) for line in paragraph.split("\n")),
                ".RE",
                ".fi",
            ]
        else:
            lines += [".PP", *map(_plain, paragraph.split("\n"))]
    return lines


def _option(option: Option) -> list[str]:
    flags = [f"-{option.short}"] if option.short else []
    flags.append(f"--{option.long}")
    metavar = f" \\fI{_plain(option.metavar)}\\fR" if option.metavar else ""
    return [".TP", f"\\fB{_plain(', '.join(flags))}\\fR{metavar}", _plain(option.help)]


def _plain(text: str) -> str:
    """Text in which roff finds nothing to obey; what stands in backquotes is bold."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = re.sub(r"`([^`]+)`", r"\\fB\1\\fR", text)
    return f"\\&{text}" if text[:1] in (".", "'") else text


def main(folder: str) -> None:
    """Write all pages into a folder."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for verb in (None, *VERBS):
        (Path(folder) / file_name(verb)).write_text(page(verb), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
