"""What stands in a Compose file beside its services: networks, volumes, and what only Compose reads. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dusty_tasks.core.importing.reading import Project, evaluated_node
from dusty_tasks.core.importing.report import Outcome, Report
from dusty_tasks.core.importing.spec import Spec
from dusty_tasks.core.importing.variables import Variables
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.namespace import STACK

SAME, OWN, BENT, LOST = Outcome


def say_top_level(
    project: Project, variables: Variables, seen: Mapping[str, Any], report: Report, specs: Mapping[str, Spec]
) -> None:
    """A row for each thing at the top of the files, and for networks, what becomes of separation."""
    for key, node in project.notes.items():
        report.begin("", key, node.place)
        report.say("", key, OWN, _NOTES.get(key, "notes"))
    for kind, things in project.named.items():
        for name, node in things.items():
            row = f"{kind}.{name}"
            report.begin("", row, node.place)
            options = evaluated_node(node, variables.values)
            options = options if isinstance(options, dict) else {}
            allowed = _KEYS.get(kind)
            if allowed and (other := [key for key in options if key not in allowed and not key.startswith("x-")]):
                report.say("", row, LOST, "", f"{', '.join(other)}: Compose knows no such key here", "remove it")
            if kind == "volumes":
                _volume(name, row, options, report, seen, specs)
            elif kind == "networks":
                _network(name, row, options, report)
            elif kind == "models":
                report.say("", row, LOST, "", "Dusty runs containers only", "an image that serves the model")
            else:
                report.say("", row, OWN, "assets" if kind == "secrets" else "files", _was(kind, options))
    _say_separation(seen, report)


_KEYS = {
    "volumes": "name external driver driver_opts labels".split(),
    "secrets": "name external file environment labels driver driver_opts template_driver".split(),
    "configs": "name external file environment content labels template_driver".split(),
}
_NOTES = {"version": "notes", "name": "names", "include": "include"}


def _was(kind: str, options: Mapping[str, Any]) -> str:
    """Where the value of a secret or config came from, if the specs do not hold it."""
    if "environment" in options:
        return f"it was the variable {options['environment']}"
    if "file" in options and kind == "secrets":
        return f"it was the file {options['file']}"
    return "it came from outside the project" if options.get("external") else ""


def _volume(
    name: str, row: str, options: Mapping[str, Any], report: Report, seen: Mapping[str, Any], specs: Mapping[str, Spec]
) -> None:
    users = [service for service, value in seen.items() if name in _named_volumes(value)]
    external = options.get("external")
    if external not in (None, False, "false"):
        real = options.get("name") or (external.get("name") if isinstance(external, dict) else None) or name
        hint = f"{DUSTY} disk adopt {real} {specs[users[0]].name} takes its data over" if users else ""
        report.say("", row, BENT, "volumes", f"the stack has a volume of its own, not {real}", hint)
    elif "name" in options:
        report.say("", row, OWN, "names")
    opts = options.get("driver_opts") or {}
    if opts and "bind" not in str(opts.get("o", "")).split(","):
        report.say("", row, LOST, "", "driver_opts", "create the volume by hand, and mount its folder by its path")
    elif opts:
        report.say("", row, OWN, "paths", "a folder, mounted by its path")
    driver = options.get("driver") or "local"
    if driver != "local":
        mixed = [user for user in users if len(set(_named_volumes(seen[user]))) > 1]
        if mixed:
            report.say(
                "", row, LOST, "", f"the driver {driver}", "volume_driver in a service applies to all of its volumes"
            )
        else:
            for user in users:
                specs[user].compose["volume_driver"] = driver
            report.say("", row, OWN, "volumes", "volume_driver of the services that mount it")
    if options.get("labels"):
        hint = f"docker volume create --label NAME=VALUE {STACK.project}_{name}, before the first {DUSTY} up"
        report.say("", row, LOST, "", "labels of a volume", hint)


def _named_volumes(service: Mapping[str, Any]) -> list[str]:
    found = []
    for item in service.get("volumes") or ():
        if isinstance(item, dict):
            source = str(item.get("source") or "")
            found += [source] if source and item.get("type", "volume") == "volume" else []
        elif ":" in str(item) and not str(item).startswith(("/", ".", "~")):
            found.append(str(item).partition(":")[0])
    return found


def _network(name: str, row: str, options: Mapping[str, Any], report: Report) -> None:
    if name != "default" or "name" in options:
        report.say("", row, OWN, "network")
    if options.get("external") not in (None, False, "false"):
        report.say("", row, BENT, "network", "containers of other projects are not on the stack's network")
    if str(options.get("internal", "false")).lower() == "true":
        report.say("", row, BENT, "network", "its containers can reach the outside, and the whole stack can reach them")
    known = ("name", "external", "internal", "driver", "attachable")
    if rest := [key for key, value in options.items() if key not in known and value not in (None, {}, [], False)]:
        report.say(
            "", row, LOST, "", f"{', '.join(rest)} of a network", "names instead of addresses, where containers meet"
        )
    if options.get("driver") not in (None, "", "bridge", "default"):
        report.say("", row, LOST, "", f"the driver {options['driver']}", "network_mode in a service")


def _say_separation(seen: Mapping[str, Any], report: Report) -> None:
    """Services that others could not reach, and now can."""
    networks = {
        name: set(service.get("networks") or {"default": None})
        for name, service in seen.items()
        if not service.get("network_mode")
    }
    for name, own in networks.items():
        if not seen[name].get("networks"):
            continue
        others = [other for other, theirs in networks.items() if not own & theirs]
        if others:
            shown = ", ".join(others[:3]) + (" …" if len(others) > 3 else "")
            report.say(name, "networks", BENT, "network", f"{shown} can reach it now")
