"""What every test may rely on: the hypothesis profiles, `--bless`, and a home of its own.

Profiles: `ci` is seeded and short, so that `./check` says the same twice; `long` takes its time and looks
elsewhere each run. `./check long` selects it through HYPOTHESIS_PROFILE.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=60, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", settings.get_profile("ci"), derandomize=False, max_examples=2000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="rewrite the wanted files of golden cases with what came out")


@pytest.fixture(scope="session")
def bless(request: pytest.FixtureRequest) -> bool:
    """True when golden files are to be rewritten instead of compared."""
    return bool(request.config.getoption("--bless"))


@pytest.fixture
def dusty_home(tmp_path, monkeypatch):
    """An empty $DUSTY_HOME, and nothing of the caller's Docker, git or ssh surroundings."""
    for name in [name for name in os.environ if name.startswith(("DUSTY_", "DOCKER_", "COMPOSE_", "GIT_", "SSH_"))]:
        monkeypatch.delenv(name)
    home_path = tmp_path / "dusty-home"
    monkeypatch.setenv("DUSTY_HOME", str(home_path))
    return home_path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share one machine stay in one xdist worker (`--dist loadgroup`)."""
    for item in items:
        for group in ("engine", "root"):
            if item.get_closest_marker(group) or (group == "engine" and "e2e" in item.path.parts):
                item.add_marker(pytest.mark.xdist_group(group))
