"""One service of a Compose file as an app or a service of Dusty, key by key, with what became of each key. Pure."""

from __future__ import annotations

from dusty_tasks.core.importing.compose_yaml import Node
from dusty_tasks.core.importing.keys import build, dependencies, environment, networks, secrets, volumes
from dusty_tasks.core.importing.keys.conversion import Conversion, Rule, Stack
from dusty_tasks.core.importing.short_forms import plain_text
from dusty_tasks.core.importing.spec import Spec
from dusty_tasks.core.importing.variables import uses_variables


def converted(stack: Stack, name: str, node: Node) -> Spec:
    """The spec of a service of the Compose file; what became of each key is in the report."""
    conversion = Conversion(stack, name, node)
    spec = conversion.spec
    for key, child in node.value.items():
        stack.report.begin(name, key, child.place)
    if name in stack.project.extended:
        stack.report.begin(name, "extends", stack.project.extended[name].place)
        conversion.own("extends", "extends", "written out, or shared as a template")
    if conversion.is_app:
        build.code(conversion)
    for key, child in node.value.items():
        if child.value is None:
            continue
        if uses_variables(child):
            conversion.own(key, "variables")
        if rule := _RULES.get(key):
            rule(conversion, child)
        else:
            spec.compose[key] = conversion.symbolic(child)
    if name in stack.links:
        spec.aliases += stack.links[name]
    if spec.name != name and "network_mode" not in node.value:
        spec.aliases.append(name)
    return spec


def _profiles(conversion: Conversion, node: Node) -> None:
    conversion.own("profiles", "bundles")


def _scale(conversion: Conversion, node: Node) -> None:
    _replicas(conversion, "scale", plain_text(node, conversion.stack.variables.values))


def _deploy(conversion: Conversion, node: Node) -> None:
    value = conversion.symbolic(node)
    if isinstance(value, dict) and "replicas" in value:
        replicas = plain_text(node.value["replicas"], conversion.stack.variables.values)
        del value["replicas"]
        if replicas not in ("", "1"):
            _replicas(conversion, "deploy", replicas)
    if value:
        conversion.spec.compose["deploy"] = value


def _replicas(conversion: Conversion, key: str, count: str) -> None:
    if count == "0":
        conversion.own(key, "bundles", "only the bundle of its own name starts it")
    elif count != "1":
        conversion.bent(key, "one container", f"one container instead of {count}", "one spec for each container")
    else:
        conversion.own(key, "one container")


def _provider(conversion: Conversion, node: Node) -> None:
    conversion.lost("provider", "Dusty runs containers only", "an image that offers the same")


def _models(conversion: Conversion, node: Node) -> None:
    conversion.lost("models", "Dusty runs containers only", "an image that serves the model")


_RULES: dict[str, Rule] = {
    **build.RULES,
    **dependencies.RULES,
    **environment.RULES,
    **networks.RULES,
    **secrets.RULES,
    **volumes.RULES,
    "profiles": _profiles,
    "scale": _scale,
    "deploy": _deploy,
    "models": _models,
    "provider": _provider,
}
