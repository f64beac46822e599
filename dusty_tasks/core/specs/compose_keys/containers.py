"""Compose keys of one container alone: its build, variables, labels and logs, and how many of it there may be. Pure."""

from __future__ import annotations

from typing import Any

from dusty_tasks.core.specs.build import at
from dusty_tasks.core.specs.compose_keys.translation import Rule, Translation
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.namespace import OWN_LABELS
from dusty_tasks.core.text.safe import shown, unsafe_part

_DEVICES = ("resources", "reservations", "devices")


def _build(translation: Translation, value: Any) -> None:
    build = dict(value) if isinstance(value, dict) else {"context": value}
    if "dockerfile" in translation.value:
        build["dockerfile"] = translation.value["dockerfile"]
    build.setdefault("context", ".")
    if "dockerfile" in build and "dockerfile_inline" in build:
        where = ("build", "dockerfile_inline")
        translation.say(where, Code.BOTH_GIVEN, "dockerfile and dockerfile_inline are both given", "keep one of them")
    translation.compose["build"] = build if len(build) > 1 or isinstance(value, dict) else value


def _dockerfile(translation: Translation, value: Any) -> None:
    """In a service it is taken by `build`; in an app it joins the app's own."""
    owner = translation.value if translation.role == "service" else translation.document.value
    if "build" not in owner:
        translation.say(("dockerfile",), Code.NEEDS_ANOTHER_KEY, "dockerfile without build", "build: <folder>")
    elif translation.role != "service":
        if at(owner, "build", "dockerfile"):
            translation.say(
                ("dockerfile",),
                Code.BOTH_GIVEN,
                "dockerfile and build.dockerfile are both given",
                "keep build.dockerfile",
            )
        translation.compose["build"] = {"dockerfile": value}


def _log_driver(translation: Translation, value: Any) -> None:
    _logging(translation, "log_driver", "driver", value)


def _log_opt(translation: Translation, value: Any) -> None:
    _logging(translation, "log_opt", "options", value)


def _logging(translation: Translation, key: str, new_key: str, value: Any) -> None:
    if "logging" in translation.value:
        translation.say((key,), Code.BOTH_GIVEN, f"{key} and logging are both given", f"write it as logging.{new_key}")
    else:
        translation.compose.setdefault("logging", {})[new_key] = value


def _environment(translation: Translation, value: Any) -> None:
    variables: dict[str, Any] = {}
    for path, name, text in translation.pairs("environment", value):
        if unsafe := unsafe_part(name):
            translation.say(path, Code.VARIABLE_NAME, f"the name {shown(name)} contains {unsafe}")
        elif not name:
            translation.say(path, Code.VARIABLE_NAME, "a variable has no name", "NAME=value")
        variables[name] = text
    translation.compose["environment"] = variables


def _labels(translation: Translation, value: Any) -> None:
    labels: dict[str, str] = {}
    for path, name, text in translation.pairs("labels", value):
        if f"{name}.".startswith(OWN_LABELS):
            translation.say(
                path,
                Code.OWN_LABEL,
                f"the label {shown(name)} is Dusty's own",
                f"a name that does not begin with {OWN_LABELS}",
            )
        labels[name] = "" if text is None else text
    translation.compose["labels"] = labels


def _scale(translation: Translation, value: Any) -> None:
    if str(value) != "1":
        translation.say(
            ("scale",),
            Code.UNSUPPORTED_KEY,
            "scale is not supported: a spec is one container",
            "one spec for each container",
        )


def _deploy(translation: Translation, value: Any) -> None:
    replicas = at(value, "replicas")
    if str(replicas).isdigit() and int(str(replicas)) > 1:
        translation.say(
            ("deploy", "replicas"),
            Code.UNSUPPORTED_KEY,
            "replicas above 1 are not supported: a spec is one container",
            "one spec for each container",
        )
    for index, device in enumerate(found if isinstance(found := at(value, *_DEVICES), list) else ()):
        if isinstance(device, dict) and "count" in device and "device_ids" in device:
            translation.say(
                ("deploy", *_DEVICES, index),
                Code.BOTH_GIVEN,
                "count and device_ids are both given",
                "keep one of them",
            )
    translation.compose["deploy"] = value


def _read_only(translation: Translation, value: Any) -> None:
    if translation.role == "app" and value is True and translation.has_commands:
        translation.say(
            ("read_only",),
            Code.UNSUPPORTED_KEY,
            "an app cannot be read_only: what `once` did could not be remembered",
            "remove it",
        )
    else:
        translation.compose["read_only"] = value


def _drop(translation: Translation, value: Any) -> None:
    """Keys of Dusty among those of Compose: kept elsewhere."""


RULES: dict[str, Rule] = {
    "build": _build,
    "dockerfile": _dockerfile,
    "log_driver": _log_driver,
    "log_opt": _log_opt,
    "environment": _environment,
    "labels": _labels,
    "scale": _scale,
    "deploy": _deploy,
    "read_only": _read_only,
    "image_requires_login": _drop,
}
