"""Submodules of a managed clone: fetched with it, moved with it, removed with it; the user's work in them is the clone's.

git clones them (its checks of names, paths and links hold); from then on each is a clone like all others (effects/code/clones).
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress

from dusty_tasks.core.code.git_config import pairs_of
from dusty_tasks.core.code.gitmodules import Submodule, links_of, submodules_of
from dusty_tasks.core.text.safe import printable
from dusty_tasks.core.text.wording import counted
from dusty_tasks.effects.code.clones import MOVING, Clone
from dusty_tasks.effects.code.git import own_answers
from dusty_tasks.effects.code.lfs import fetch_files
from dusty_tasks.effects.code.working_tree import read_commit
from dusty_tasks.effects.doors.failures import Failure

DEEPEST = 8
"""Submodules of submodules of …: more is a repo that names itself."""


def links(clone: Clone, commit: str) -> dict[str, str]:
    """Path -> commit of the submodules that `commit` names, in order."""
    return links_of(clone.run("ls-tree", "-r", "-z", "--full-tree", commit)) if commit else {}


def entries(clone: Clone, commit: str) -> dict[str, Submodule]:
    """Path -> entry of the .gitmodules of `commit`."""
    listed = clone.try_run("config", "--blob", f"{commit}:.gitmodules", "--list", "-z")
    return submodules_of(pairs_of(listed.out)) if not listed.code else {}


def submodule_at(clone: Clone, path: str) -> Clone | None:
    """The submodule whose working tree is there, None if there is none: not where links lead out of the clone."""
    folder = os.path.join(clone.path, path)
    is_inside = os.path.realpath(folder) == os.path.join(os.path.realpath(clone.path), path)
    if not is_inside or not os.path.lexists(os.path.join(folder, ".git")):
        return None
    return Clone(folder, clone.lock, clone.config, clone.env)


def work_in(clone: Clone, depth: int = 0) -> str:
    """The user's work in the submodules of HEAD, in words; '' for none."""
    for path, commit in links(clone, clone.commit("HEAD")).items():
        sub = submodule_at(clone, path) if depth < DEEPEST else None
        if sub is None or os.path.exists(os.path.join(sub.git_folder, MOVING)) or not sub.is_sound():
            continue
        words = counted(edits, "edited file") if (edits := sub.edits()) else ""
        if not words and read_commit(sub.path) != commit and (own := sub.own_commits("HEAD", (commit,))[0]):
            words = counted(len(own), "local commit")
        words = f"{words} in submodule {printable(path)}" if words else work_in(sub, depth + 1)
        if words:
            return words
    return ""


def save_work(clone: Clone) -> list[str]:
    """Save what is the user's in submodules of HEAD, each in its own repo, and end what is in progress there; `ref in submodule x`."""
    saved = []
    for path, commit in links(clone, clone.commit("HEAD")).items():
        sub = submodule_at(clone, path)
        if sub is None or not sub.is_sound():
            continue
        if sub.edits() or sub.in_progress() or sub.own_commits("HEAD", (commit,))[0]:
            saved.append(f"{sub.save()} in submodule {printable(path)}")
        saved += save_work(sub)
        sub.end_operation()
    return saved


def remove_vanished(clone: Clone, target: str) -> None:
    """Take away the working trees of submodules that `target` has no more, before git moves there; untracked files in them stay."""
    now, coming = links(clone, clone.commit("HEAD")), links(clone, target)
    names, new_names = (entries(clone, commit) if now else {} for commit in ("HEAD", target))
    for path in now:
        is_same = path in coming and (
            path not in names or path not in new_names or names[path].name == new_names[path].name
        )
        sub = None if is_same else submodule_at(clone, path)
        if sub is not None and os.path.isfile(os.path.join(sub.path, ".git")):
            _remove_tree(sub)


def _remove_tree(sub: Clone) -> None:
    """Remove what git put there; its repo stays in the clone's .git, with whatever branches it has."""
    for path in links(sub, sub.commit("HEAD")):
        below = submodule_at(sub, path)
        if below is not None and os.path.isfile(os.path.join(below.path, ".git")):
            _remove_tree(below)
    # git itself looks at each folder on the way: a link that a container put there leads nowhere.
    sub.run("read-tree", "--reset", "-u", sub.run("hash-object", "-t", "tree", os.devnull))
    os.unlink(os.path.join(sub.path, ".git"))
    with suppress(OSError):
        os.rmdir(sub.path)


def update(clone: Clone, *, is_forced: bool = False, with_lfs: bool = True, depth: int = 0) -> tuple[bool, list[str]]:
    """Bring the submodules of HEAD to the commits that it names; (whether anything was done, what could not be had, in words)."""
    wanted = links(clone, clone.commit("HEAD"))
    known = entries(clone, "HEAD") if wanted else {}
    has_done, missing = False, []
    for path, commit in wanted.items():
        shown = f"submodule {printable(path)}"
        entry, sub = known.get(path), submodule_at(clone, path)
        if entry is None or not entry.is_wanted:
            if entry is None and sub is None:
                missing.append(f"{shown}: .gitmodules does not say where it comes from")
            continue
        if depth == DEEPEST:
            missing.append(f"{shown}: more than {DEEPEST} levels of nested submodules are not fetched")
            continue
        try:
            is_new = _bring(clone, sub, entry, commit, is_forced)
            sub = submodule_at(clone, path)
            if sub is None:
                missing.append(f"{shown}: something else is in its place")
                continue
            below = update(sub, is_forced=is_forced, with_lfs=with_lfs, depth=depth + 1)
            filled = fetch_files(sub) if with_lfs else (False, [])
        except (Failure, OSError) as failure:
            missing.append(f"{shown}: {failure}")
            continue
        has_done |= is_new or below[0] or filled[0]
        missing += [f"{shown}: {what}" for what in (*below[1], *filled[1])]
    return has_done, missing


def _bring(clone: Clone, sub: Clone | None, entry: Submodule, commit: str, is_forced: bool) -> bool:
    """Have one submodule at `commit`; whether anything was done. Raises Failure."""
    if sub is None:
        before = _kept_repo(clone, entry)
        clone.run(
            "submodule",
            "--quiet",
            "update",
            "--init",
            "--checkout",
            "--",
            entry.path,
            config=own_answers(before) if before else (),
        )
        made = submodule_at(clone, entry.path)
        if made is not None:
            made.remember_upstream(commit)
        return True
    if not sub.is_sound():
        raise Failure("its clone is broken", f"rm -rf {sub.path} {sub.git_folder}: the next update creates it again")
    is_unfinished = bool(sub.finish_interrupted_move())
    if read_commit(sub.path) == commit and not is_unfinished:
        return False
    if not sub.commit(commit):
        _fetch(clone, sub, entry.path, commit)
    sub.remember_upstream(commit)
    remove_vanished(sub, commit)
    with sub.moving_to(commit):
        if is_forced:
            sub.run("checkout", "--quiet", "--force", "--detach", commit)
        elif obstacle := sub.try_move("checkout", "--quiet", "--no-overwrite-ignore", "--detach", commit):
            raise Failure(obstacle, f"{sub.path}; move them elsewhere")
    return True


def _fetch(clone: Clone, sub: Clone, path: str, commit: str) -> None:
    """Fetch `commit`, from where .gitmodules says now."""
    clone.run("submodule", "--quiet", "sync", "--", path)
    url = sub.run("config", "--get", "remote.origin.url")
    sub.fetch(url)
    if not sub.commit(commit):
        sub.fetch(url, commit)


def _kept_repo(clone: Clone, entry: Submodule) -> str:
    """The submodule's repo in .git/modules, '' if there is none; what a killed clone left there is removed: git would take it for whole."""
    folder = os.path.join(clone.git_folder, "modules", entry.name)
    inside = os.path.realpath(os.path.join(clone.git_folder, "modules")) + "/"
    if not os.path.isdir(folder) or not os.path.realpath(folder).startswith(inside):
        return ""
    listed = clone.try_run("--git-dir", folder, "for-each-ref", "--count=1", "--format=%(objecttype)")
    if not listed.code and listed.out.strip():
        clone.try_run(
            "config", "--file", f"{folder}/config", "--unset-all", "remote.origin.uploadpack"
        )  # core/git_config.UPLOAD_PACK
        return folder
    shutil.rmtree(folder)
    return ""
