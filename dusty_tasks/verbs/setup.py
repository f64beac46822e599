"""`dusty setup`: choose specs repo and Docker host, install the hosts helper. May be run again."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from dusty_tasks import session
from dusty_tasks.console import may_ask, say, warn
from dusty_tasks.core.settings.host_kinds import HOST_KINDS
from dusty_tasks.core.specs.repo_ids import drop_former_bundles
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.operations.machine.docker_host import choose_routing
from dusty_tasks.verbs.shared.repo_words import say_dropped
from dusty_tasks.verbs.shared.words import answer, exactly, repo_as_stored


def run(
    words: list[str], specs_repo: str | None = None, host: str | None = None, yes: bool = False, no_update: bool = False
) -> int | None:
    """Ask for what is not given, save it, install the helper, fetch the repos. The exit code is that of the worst part."""
    exactly("setup", "", words)
    answers = asked(specs_repo, host, yes)
    save(answers)
    choose_routing("setup")
    codes = [tried(find_address), install_helper(yes)]
    offer_shell_setup(yes)
    if not no_update:
        codes.append(update_repos())
    say(
        f"setup is done; {DUSTY} up starts what is active"
        if not any(codes)
        else "setup is saved, but not all of it could be done"
    )
    return max(codes)


def asked(specs_repo: str | None, kind: str | None, yes: bool) -> dict[str, str]:
    """The keys to store: what was given, else what a person answers, else what is configured."""
    settings = session.settings()
    answers = {"specs_repo": chosen_repo(specs_repo, settings.specs_repo, yes)}
    if kind is None:
        kind = settings.host.kind if yes else answer(f"Docker host, {' or '.join(HOST_KINDS)}", settings.host.kind)
    if kind not in HOST_KINDS:
        from dusty_tasks.core.text.problems import did_you_mean

        raise Failure(f'"{kind}" is not a kind of Docker host', did_you_mean(kind, HOST_KINDS))
    answers["host.kind"] = kind
    if (key := HOST_KINDS[kind].machine_key) and settings.host.preset == "none":
        question, configured = HOST_KINDS[kind].question, getattr(settings.host, key)
        answers[f"host.{key}"] = configured if yes else answer(question, configured)
        if not answers[f"host.{key}"]:
            raise Failure(
                f"the machine of the {kind} Docker host is not known",
                f"{DUSTY} config set host.{key} {question.rpartition(' ')[2]}, then setup again",
            )
    return answers


def chosen_repo(given: str | None, configured: str, yes: bool) -> str:
    """The specs repo as to be stored: a repo string, or the absolute path of a folder; '' for the examples."""
    if given is None:
        if not may_ask() and not yes and not configured:
            raise Failure(
                "setup would ask for the specs repo, and there is no terminal to ask on",
                f"{DUSTY} setup --specs-repo <repo>, or {DUSTY} setup --yes for the examples",
            )
        given = (
            configured if yes else answer("Specs repo" + ("" if configured else " (blank: the examples)"), configured)
        )
    stored = repo_as_stored(given.strip())
    if stored.startswith("/") and not os.path.isdir(stored):
        raise Failure(f"there is no folder {stored}")
    return stored


def save(answers: dict[str, str]) -> None:
    """Store the answers in one change; the examples are written out, with their bundle active if none is."""
    from dusty_tasks.effects.home.config import change_config

    example_bundle = ""
    if not answers["specs_repo"]:
        from dusty_tasks.effects.specs.examples import BUNDLE, write_examples

        answers["specs_repo"], example_bundle = str(write_examples(session.home(), say)), BUNDLE

    dropped: list[str] = []

    def change(config: dict[str, Any]) -> None:
        dropped.extend(drop_former_bundles(config, answers["specs_repo"]))
        config["specs_repo"] = answers["specs_repo"]
        if example_bundle and not config.get("bundles"):
            config["bundles"] = [example_bundle]
        before = config.get("host") or {}
        chosen = {name.removeprefix("host."): text for name, text in answers.items() if name.startswith("host.")}
        host = {**before, **chosen}
        if any(host.get(key) != before.get(key) for key in chosen if key != "kind"):
            host.pop("address", None)  # It was that of the machine before.
        if host != {"kind": next(iter(HOST_KINDS))}:
            config["host"] = host

    change_config(session.home(), "setup", change, warn)
    session.forget()
    say(f"specs repo: {answers['specs_repo']}")
    say_dropped(dropped)
    where = "".join(f" ({text})" for name, text in answers.items() if name.startswith("host.") and name != "host.kind")
    say(f"Docker host: {answers['host.kind']}{where}")


def find_address() -> int:
    """Store the address of an ssh Docker host, which the hosts section needs; one that is not to be found is named."""
    from dusty_tasks.operations.machine.docker_host import store_address

    host = session.docker_host()
    if store_address(host):
        return 0
    raise Failure(f"the address of {host.name} cannot be found", f"{DUSTY} config set host.address <address>")


def install_helper(yes: bool) -> int:
    """Install the helper that writes the hosts section, unless it is there, or the hosts file is to be left alone."""
    settings = session.settings()
    if settings.hosts_mode != "file":
        return 0
    from dusty_tasks.effects.hosts.helper import NOT_NEEDED, check_installation, needs_allowing
    from dusty_tasks.verbs import hosts

    address = settings.hosts_address
    allow = [address] if address and needs_allowing(address) else []
    checks = check_installation()
    if not allow and not any(check.state == "failed" for check in checks):
        say(NOT_NEEDED if NOT_NEEDED in [check.what for check in checks] else "the hosts helper is installed")
        return 0
    return tried(lambda: hosts.run(["install"], allow=allow, yes=yes))


def offer_shell_setup(yes: bool) -> None:
    """Offer the link and the completion, where they are missing."""
    from dusty_tasks.operations.machine.consent import Consent
    from dusty_tasks.operations.machine.first_run import set_up_shell, shell_items

    items, consent = shell_items(), Consent(yes=yes)
    if items and consent.to(*items):
        set_up_shell(consent, items)


def update_repos() -> int:
    """Fetch the specs repo and the repos of the stack."""
    from dusty_tasks.verbs import repos

    return tried(lambda: repos.run(["update"]))


def tried(part: Callable[[], int | None]) -> int:
    """The exit code of a part of setup; its failure is said and does not stop the next part."""
    try:
        return part() or 0
    except Failure as failure:
        warn(str(failure))
        return failure.code
