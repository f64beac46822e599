"""What `doctor` says of the managed repos: whether they answer, and whether there is a key to ask them with."""

from __future__ import annotations

from dusty_tasks import session
from dusty_tasks.core.of_verbs.findings import FAILED, OK, WARNING, Finding
from dusty_tasks.core.text.alike import Report, sentences
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.wording import counted
from dusty_tasks.effects.doors import process
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.parallel import threads

PATIENCE = 10.0
"""Seconds for one question to a program or a remote."""


def repos() -> list[Finding]:
    """Can the managed repos be reached, and is there a key to do it with?"""
    from dusty_tasks.core.specs.repo_ids import Repo, login_of, repo_of
    from dusty_tasks.operations.code.repos import is_managed

    chosen = session.settings()
    known: dict[str, Repo] = {repo.id: repo for repo in ([repo_of(chosen.specs_repo)] if chosen.specs_repo else [])}
    try:
        known.update(session.stack().repos)
    except Failure:
        pass
    urls = sorted({repo.url for repo in known.values() if is_managed(repo, chosen)})
    if not urls:
        return [Finding("repos", OK, "none is managed: nothing is fetched")]
    needs_key = any(url.startswith("ssh://") or "@" in url.split("/")[0] for url in urls)
    with threads(8) as pool:
        reasons = list(pool.map(why_unreachable, urls))
    reports = [
        Report(login_of(url).url, f"{cause}\n{hint}", (url,))
        for url, (cause, hint) in zip(urls, reasons, strict=True)
        if cause
    ]
    said = [sentence.partition("\n") for sentence, _code in sentences(reports, " cannot be reached: ")]
    bad = [
        Finding("repos", FAILED, sentence, hint or f"check your access, then {DUSTY} repos update")
        for sentence, _, hint in said
    ]
    return [
        *(_ssh_agent() if needs_key else []),
        *(bad or [Finding("repos", OK, f"{counted(len(urls), 'managed repo')} reached")]),
    ]


def why_unreachable(url: str) -> tuple[str, str]:
    """(why a repo does not answer, a hint), ('', '') if it does."""
    from dusty_tasks.core.specs.repo_ids import login_of
    from dusty_tasks.effects.code.git import list_remote
    from dusty_tasks.effects.doors.failures import ToolFailed

    try:
        login = login_of(url)
        list_remote(login, "ls-remote", "--quiet", "--", login.url, "HEAD", timeout=PATIENCE)
    except ToolFailed as failure:
        if failure.exit_code == process.TIMED_OUT:
            return f"no answer within {PATIENCE:.0f} s", ""
        return (failure.printed.strip().splitlines() or [f"git exited with status {failure.exit_code}"])[
            0
        ], failure.hint
    return "", ""


def _ssh_agent() -> list[Finding]:
    ended = process.run(["ssh-add", "-l"], timeout=PATIENCE)
    if ended.code == 0:
        return [Finding("ssh agent", OK, f"{counted(len(ended.out.splitlines()), 'key')}")]
    what = "it holds no key" if ended.code == 1 else "none is running"
    return [Finding("ssh agent", WARNING, what, "eval $(ssh-agent), then ssh-add" if ended.code == 2 else "ssh-add")]
