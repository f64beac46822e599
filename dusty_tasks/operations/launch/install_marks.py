"""What tells a container that its `once` and its libs' installs are still in place: digests that every sync writes beside its command files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dusty_tasks.core.code.lib_digests import copy_digests, lib_digests
from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.effects.code.receipts import Receipt

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost

WRITE_DIGESTS = r"""
cd "${1%/}/command_files" 2>/dev/null || exit 0
while read -r path digest; do
    [ -d "${path%%/*}" ] && [ ! -L "${path%%/*}" ] || continue
    [ "$(cat "$path" 2>/dev/null)" = "$digest" ] && continue
    mkdir -p "${path%/*}" && echo "$digest" > "$path.$$" && mv -f "$path.$$" "$path" || exit 4
done
"""
"""Word: host.root; stdin lines `<app>/libs/<name> <digest>`. Only for apps whose command files are there."""


def push_install_marks(
    stack_repos: Sequence[RepoEntry],
    receipts: Mapping[str, Receipt],
    host: DockerHost,
    *,
    is_news: bool = True,
    marked: Mapping[str, Receipt] | None = None,
) -> None:
    """Write the digests of each lib and of the copies beside the command files of the apps that use them. Raises ToolFailed.

    Without news (nothing was synced) only those of libs are looked at again. `marked` are the receipts that the digests there were made of,
    where the caller knows: nothing is asked if they make the same.
    """
    digests = _digests(stack_repos, receipts, is_news)
    if digests and (marked is None or digests != _digests(stack_repos, marked, is_news)):
        lines = "".join(f"{path} {digest}\n" for path, digest in sorted(digests.items()))
        host.run_script(WRITE_DIGESTS, host.root, input=lines, as_root=True)


def _digests(stack_repos: Sequence[RepoEntry], receipts: Mapping[str, Receipt], is_news: bool) -> dict[str, str]:
    seen = {
        repo_id: f"{receipt['fingerprint']} {receipt.get('copy', '')}".strip()
        for repo_id, receipt in receipts.items()
        if "fingerprint" in receipt
    }
    digests = lib_digests(stack_repos, seen)
    if digests or is_news:
        copies = {repo_id: str(receipt["copy"]) for repo_id, receipt in receipts.items() if receipt.get("copy")}
        digests.update(copy_digests(stack_repos, copies))
    return digests
