"""What stands for a receipt where containers see the working tree itself."""

from __future__ import annotations

from pathlib import Path

from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.operations.code.bound import bound_receipts


def test_an_edit_counts_and_what_git_or_the_sync_leaves_out_does_not(tmp_path: Path) -> None:
    (tmp_path / "web/.git").mkdir(parents=True)
    (tmp_path / "web/.gitignore").write_text("*.log\n/cache/\n")
    (tmp_path / "web/a.py").write_text("one")
    entry = RepoEntry("web", local_path=str(tmp_path / "web"))

    def fingerprint() -> str:
        return bound_receipts([entry], Settings(home=str(tmp_path), sync_mode="bind", sync_exclude=("tmp/",)))["web"][
            "fingerprint"
        ]

    first = fingerprint()
    (tmp_path / "web/x.log").write_text("x")
    for name in ("cache", "tmp", ".git/objects"):
        (tmp_path / "web" / name).mkdir()
        (tmp_path / "web" / name / "f").write_text("x")
    assert fingerprint() == first
    (tmp_path / "web/a.py").write_text("three")
    assert fingerprint() != first
    assert (
        bound_receipts(
            [RepoEntry("gone", local_path=str(tmp_path / "gone"))], Settings(home=str(tmp_path), sync_mode="bind")
        )
        == {}
    )
