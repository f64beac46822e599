"""What every test may rely on: the hypothesis profiles, `--bless`, and a home of its own.

Profiles: `ci` is seeded and short, so that `./check` says the same twice; `long` takes its time and looks
elsewhere each run. `./check long` selects it through HYPOTHESIS_PROFILE.
"""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=60, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", settings.get_profile("ci"), derandomize=False, max_examples=2000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# A run that was started in the background of a shell ignores ^C, and so would every program that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="rewrite the wanted files of golden cases with what came out")


@pytest.fixture(scope="session")
def bless(request: pytest.FixtureRequest) -> bool:
    """True when golden files are to be rewritten instead of compared."""
    return bool(request.config.getoption("--bless"))


@pytest.fixture
def dusty_home(tmp_path, monkeypatch):
    """An empty $DUSTY_HOME and a user's home beside it, and nothing of the caller's Docker, git or ssh surroundings."""
    for name in [name for name in os.environ if name.startswith(("DUSTY_", "DOCKER_", "COMPOSE_", "GIT_", "SSH_"))]:
        monkeypatch.delenv(name)
    home_path, user_home = tmp_path / "dusty-home", tmp_path / "user-home"
    user_home.mkdir(exist_ok=True)
    # `setup` and `uninstall` change files of the user's shell.
    monkeypatch.setenv("HOME", str(user_home))
    monkeypatch.setenv("DUSTY_HOME", str(home_path))
    return home_path


END_TO_END = "tests/e2e/"
"""Tests of this folder have machines of their own in each worker (tests/e2e/conftest.py)."""
SHARED_MACHINE = "tests/helper/"
"""The tests of this folder share one machine, so that one worker runs them all, one after the other."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """A worker gets a file at a time, or the folder of a shared machine.

    Not `--dist loadgroup`: with pytest 9 its groups are lost on the way.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByMachine(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return SHARED_MACHINE if nodeid.startswith(SHARED_MACHINE) else nodeid.partition("::")[0]

    return ByMachine(config, log)


SLOW = (
    "tests/fuzz/",
    "tests/commands/test_start.py",
    "tests/effects/watch/",
    "tests/test_bootstrap.py",
    "tests/test_wheel.py",
    *(
        f"tests/effects/code/test_{name}.py"
        for name in ("clone_rewrites", "clone_updates", "git_door", "lfs", "submodules")
    ),
    *(f"tests/verbs/test_verb_{name}.py" for name in ("compile", "dump", "repos", "sync")),
)
"""Tests that start many processes or try many inputs. Together they take as long as all the others, which `./check fast` keeps to."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest starts first; what is left at the end is short."""
    for item in items:
        if item.nodeid.startswith(SLOW):
            item.add_marker("slow")
    items.sort(key=lambda item: not item.nodeid.startswith(END_TO_END))
