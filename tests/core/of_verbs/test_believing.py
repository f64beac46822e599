"""What `doctor` says of containers that believe the authority by variables alone."""

from __future__ import annotations

import pytest

from dusty_tasks.core.of_verbs.believing import is_in_a_store, variables_alone


@pytest.mark.parametrize(
    ("noted", "wanted"),
    [("12 34\nupdate-ca-certificates java\n", True), ("12 34\n java\n", True), ("12 34\n\n", False), ("", False)],
)
def test_what_the_start_script_noted(noted: str, wanted: bool) -> None:
    assert is_in_a_store(noted) is wanted


def test_those_without_a_store_are_named() -> None:
    assert variables_alone([], 0) == [] and "every container" in variables_alone([], 2)[0].what
    (finding,) = variables_alone([f"app{number}" for number in range(7)], 9)
    assert "app0, app1, app2, app3, app4 and 2 more" in finding.what and "SSL_CERT_FILE" in finding.what
