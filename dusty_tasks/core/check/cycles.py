"""Cycles of apps and services, and of libs: each once, its shortest path, from its first name; of a tangle the first few."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from dusty_tasks.core.check.references import Named
from dusty_tasks.core.specs.documents import Document
from dusty_tasks.core.specs.model import Reference
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import KeyPath
from dusty_tasks.core.text.problems import Problem

MOST = 20
"""So many cycles are told of specs that all need one another; a tangle has more of them than anybody reads."""


class _Edge(NamedTuple):
    document: Document
    path: KeyPath
    how: str
    """'' for `depends`, else how the one needs the other."""


_Graph = dict[str, dict[str, _Edge]]


def check_cycles(
    documents: Sequence[Document],
    named: Mapping[str, Sequence[Named]],
    compose_references: Mapping[str, Sequence[Reference]],
) -> Iterator[Problem]:
    """One problem a cycle, at the key of its first name that leads to its second; references as check_references takes them."""
    for kinds in (("app", "service"), ("lib",)):
        graph = _graph([document for document in documents if document.kind in kinds], kinds, named, compose_references)
        for cycle in _cycles(graph):
            edges = [graph[one][other] for one, other in pairwise(cycle)]
            spelt = [
                cycle[0],
                *(f"{name} ({edge.how})" if edge.how else name for name, edge in zip(cycle[1:], edges, strict=True)),
            ]
            yield edges[0].document.problem(
                edges[0].path, Code.CYCLE, f"cycle: {' -> '.join(spelt)}", "remove one of these"
            )


def _graph(
    documents: Sequence[Document],
    kinds: tuple[str, ...],
    named: Mapping[str, Sequence[Named]],
    compose_references: Mapping[str, Sequence[Reference]],
) -> _Graph:
    graph: _Graph = {document.name: {} for document in documents}
    kind_by_name = {document.name: document.kind for document in documents}
    for document in documents:
        edges = graph[document.name]
        for path, kind, name in named[document.file]:
            if kind_by_name.get(name) == kind and path[0] != "test":
                edges.setdefault(
                    name, _Edge(document, path, "conditional link" if path[0] == "conditional_links" else "")
                )
        for path, key, name in compose_references.get(document.file, ()) if "app" in kinds else ():
            if name in graph and path[0] != "test":
                edges.setdefault(name, _Edge(document, path, key))
    return graph


def _cycles(graph: _Graph) -> Iterator[list[str]]:
    """The shortest cycle through each edge that is in one and that no cycle before it had, at most MOST of those that hang together.

    The first name stands at both ends.
    """
    component = _components(graph)
    inside = {
        one: sorted(other for other in others if component[one] == component[other]) for one, others in graph.items()
    }
    told: dict[int, int] = {}
    covered: set[tuple[str, str]] = set()
    for one in sorted(graph):
        for other in inside[one]:
            if (one, other) in covered or told.get(component[one], 0) >= MOST:
                continue
            cycle = [one, *_shortest(inside, other, one)]
            covered.update(pairwise(cycle))
            told[component[one]] = told.get(component[one], 0) + 1
            start = cycle.index(min(cycle))
            turned = cycle[start:-1] + cycle[:start] if start else cycle[:-1]
            yield [*turned, turned[0]]


def _shortest(inside: Mapping[str, Sequence[str]], start: str, goal: str) -> list[str]:
    """The names from `start` to `goal`, both included, on a shortest way."""
    came_from = {start: ""}
    queue = deque([start])
    while queue:
        name = queue.popleft()
        if name == goal:
            break
        for other in inside[name]:
            if other not in came_from:
                came_from[other] = name
                queue.append(other)
    way = [goal]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return way[::-1]


def _components(graph: _Graph) -> dict[str, int]:
    """Name -> number of its strongly connected component (Tarjan, without recursion)."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    component: dict[str, int] = {}
    stack: list[str] = []
    for root in graph:
        if root in number:
            continue
        number[root] = low[root] = len(number)
        stack.append(root)
        work = [(root, iter(graph[root]))]
        while work:
            name, others = work[-1]
            for other in others:
                if other not in number:
                    number[other] = low[other] = len(number)
                    stack.append(other)
                    work.append((other, iter(graph[other])))
                    break
                if other not in component:
                    low[name] = min(low[name], number[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == number[name]:
                    while True:
                        member = stack.pop()
                        component[member] = number[name]
                        if member == name:
                            break
    return component
