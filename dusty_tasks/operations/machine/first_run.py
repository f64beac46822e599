"""The first `up`: what it does to this machine beside what is missing, and, without a config.yml, the example specs."""

from __future__ import annotations

import os
from typing import Any

from dusty_tasks import session
from dusty_tasks.console import say, warn
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.machine.consent import STAND_INS, Consent, Item

OFFERED = "offered"
"""In state/: the link and the completion were offered once."""


def is_configured() -> bool:
    """True once there is a config.yml, or where the current folder is the specs repo."""
    return os.path.exists(session.paths().config) or session.local_specs_root() is not None


def choose_examples() -> None:
    """Write the examples out, make them the configured specs repo and activate their bundle. Raises Failure."""
    from dusty_tasks.effects.home.config import change_config
    from dusty_tasks.effects.specs.examples import BUNDLE, write_examples

    folder = write_examples(session.home(), say)

    def choose(config: dict[str, Any]) -> None:
        config.update(specs_repo=str(folder), bundles=[BUNDLE])

    change_config(session.home(), "first run: the example specs", choose)
    say(
        f'no config.yml yet: chose the example specs and activated the bundle "{BUNDLE}" ({DUSTY} setup chooses others)'
    )
    session.forget()


def items_of_a_first_run() -> list[Item]:
    """What the very first `up` does to this machine once its tools are there."""
    from dusty_tasks.operations.machine.hosts import item_of_hosts

    return [*item_of_hosts(), STAND_INS, *offers()]


def offers() -> list[Item]:
    """The link and the completion, where they are missing and were never offered."""
    return [] if os.path.exists(session.paths().kept(OFFERED)) else shell_items()


def shell_items() -> list[Item]:
    """The link and the completion, where they are missing."""
    from dusty_tasks.effects.machine.user_shell import read_shell_setup

    setup = read_shell_setup()
    return [
        *(
            [Item("link", f"link {setup.link} to {setup.target}, so that `dusty` works in any folder")]
            if setup.link
            else []
        ),
        *(
            [
                Item(
                    "completion",
                    f"complete dusty's commands and arguments in {setup.shell}: {' and '.join(path for path, _ in setup.writes)}",
                )
            ]
            if setup.writes
            else []
        ),
    ]


def accept_offers(consent: Consent) -> None:
    """Do what was offered, if it was agreed to; whatever the answer, it is not offered again."""
    from dusty_tasks.effects.doors.files import write_if_changed

    items = offers()
    if not items or not (consent.to(*items) or any(map(consent.refused, items))):
        return
    set_up_shell(consent, items)
    write_if_changed(session.paths().kept(OFFERED), b"")


def set_up_shell(consent: Consent, items: list[Item]) -> None:
    """Make the link and the completion, as far as agreed; what cannot be made is said, and stops nothing."""
    from dusty_tasks.effects.machine.user_shell import read_shell_setup, set_up_shell

    setup = read_shell_setup()
    agreed = {item.key for item in items if consent.to(item)}
    try:
        for sentence in set_up_shell(
            setup._replace(
                link=setup.link if "link" in agreed else "", writes=setup.writes if "completion" in agreed else ()
            )
        ):
            say(sentence)
    except Failure as failure:
        warn(str(failure))
