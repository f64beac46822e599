"""What a stack's things are called on an engine, and the labels by which they are known again.

Two stacks on one engine differ by their Namespace alone; nothing else in the package spells such a name. Settings carry the one that is
meant, and so does a Docker host; STACK is the default.
"""

from __future__ import annotations

import re
from typing import NamedTuple

PROXY = "dustyInternalNginx"
"""The proxy's name among the parts of a stack; no spec may have it."""

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
VOLUME_LABEL = "com.docker.compose.volume"
CONFIG_LABEL = "com.docker.compose.project.config_files"
ONE_OFF_LABEL = "com.docker.compose.oneoff"

OWN_LABELS = "dusty."
"""How all labels of Dusty's own begin: specs may not set them."""
KIND_LABEL = f"{OWN_LABELS}kind"
"""app, service, proxy or test."""
NAME_LABEL = f"{OWN_LABELS}name"
"""The name of the spec."""
RECREATE_LABEL = f"{OWN_LABELS}recreate"
"""A digest of what runs once in the life of a container (core/artifacts/compose.recreate_digest)."""
CONTEXT_LABEL = f"{OWN_LABELS}context"
"""On images made from `build:` (and so on their containers): the digest of the context they were built from."""
STAND_IN_LABEL = f"{OWN_LABELS}standin"
"""On images that we made because no registry answered (effects/engine/images)."""
WORLD_LABEL = f"{OWN_LABELS}world"
"""On the network of a world: its name."""
HOME_LABEL = f"{OWN_LABELS}home"
"""On the same: the DUSTY_HOME of its base."""
SUITE_LABEL = f"{OWN_LABELS}suite"
TEST_LABELS = f"{OWN_LABELS}test."
"""How labels begin that say what a test image was made from (core/suites/image)."""
TARGET_LABEL = f"{TEST_LABELS}target"
RUN_LABEL = f"{TEST_LABELS}run"
"""On everything that a test run makes: whose process on which machine it is, so that a later run removes what kill -9 left."""


class Namespace(NamedTuple):
    """The names of one stack."""

    project: str = "dusty"
    """The Compose project, with which all other names begin."""
    world: str = ""
    """The world that this is the stack of, '' for the base."""

    @property
    def network(self) -> str:
        """The network of the project: Compose makes that of the base.

        A container in two networks takes its gateway, and the answer about its own name, from the one whose name sorts first: that of a
        world sorts after that of the base, so that shared containers stay as they are.
        """
        return f"{self.base.project}_world_{self.world}" if self.world else f"{self.project}_default"

    def of_world(self, world: str) -> Namespace:
        """The names of a world's own parts, beside this stack."""
        return Namespace(f"{self.project}-{world}", world)

    @property
    def base(self) -> Namespace:
        """The names of the stack that this is a world beside; the same for the base itself."""
        return Namespace(self.project.removesuffix(f"-{self.world}")) if self.world else self

    def host_name(self, name: str) -> str:
        """What a host_name of the specs is called from outside of the stack."""
        return f"{self.world}.{name}" if self.world else name

    def world_of_network(self, network: str) -> str:
        """The world whose network this is, beside this stack; '' for any other network."""
        start = f"{self.project}_world_"
        return network.removeprefix(start) if network.startswith(start) else ""

    @property
    def label(self) -> str:
        """The label that all containers, volumes and networks of the project carry, as the engine's filters take it."""
        return f"{PROJECT_LABEL}={self.project}"

    def container(self, name: str) -> str:
        """The container of a part: an app, a service, or the proxy."""
        return f"{self.project}_{name}_1"

    def part(self, word: str) -> str:
        """The part whose container `word` names; a word that names no container stands for itself."""
        inner = word.removeprefix(f"{self.project}_").removesuffix("_1")
        return inner if inner and word == self.container(inner) else word

    def volume(self, name: str) -> str:
        """The named volume that Compose makes for one that specs name."""
        return f"{self.project}_{name}"

    def built_image(self, name: str) -> str:
        """The name that Compose gives to the image that it builds for a part."""
        return f"{self.project}-{name.lower()}"

    def test_image(self, target: str) -> str:
        """The test image of an app or lib."""
        return f"{self.project}/test_{target}"

    def test_service_image(self, service: str) -> str:
        """What a suite's service with `build:` runs."""
        return self.test_image(f"service_{service}").lower()

    @property
    def test_projects(self) -> str:
        """How the names of the Compose projects of suites begin."""
        return f"{self.project}_test_"

    def test_project(self, target: str, suite: str, token: str) -> str:
        """A Compose project for one run of a suite."""
        return re.sub(r"[^a-z0-9_-]", "-", f"{self.test_projects}{target}_{suite}_{token}".lower())


STACK = Namespace()
"""The stack of a DUSTY_HOME."""
IN_SPECS = STACK
"""How specs spell the names of their own stack's containers, whatever that is called where they run."""
