"""What stands in the way of https: other uses of its port."""

from __future__ import annotations

from collections.abc import Iterator

from dusty_tasks.core.specs.compose_values import published_ports
from dusty_tasks.core.specs.model import Origin, Service, Specs
from dusty_tasks.core.specs.sources import source_place
from dusty_tasks.core.stack.https import HTTPS_PORT, secured
from dusty_tasks.core.stack.model import Stack, containers_of, file_of
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import KeyPath, path_text
from dusty_tasks.core.text.problems import Problem


def check_https(specs: Specs, stack: Stack, https: str) -> Iterator[Problem]:
    """Routes and published ports that want the port on which the proxy answers https."""
    answering = secured(stack.routes, https)
    if not answering:
        return
    what, hint = f"port {HTTPS_PORT} belongs to the proxy while the setting https is {https}", "another port"

    def problem(code: Code, file: str, path: KeyPath) -> Problem:
        return Problem(source_place(Origin(file, path), specs.places), path_text(path), code, what, hint)

    for route in stack.routes:
        if route.host_port == HTTPS_PORT and answering.get(route.host_name) is not route:
            path = ("host_forwarding", route.index, "host_port")
            yield problem(Code.ADDRESS_TAKEN, file_of(stack, route.app_name), path)
    for spec in containers_of(stack):
        for index, published in published_ports(spec.compose):
            if published.protocol == "tcp" and published.first <= HTTPS_PORT <= published.last:
                start: KeyPath = ("ports",) if isinstance(spec, Service) else ("compose", "ports")
                yield problem(Code.PORT_OF_PROXY, spec.file, (*start, index))
