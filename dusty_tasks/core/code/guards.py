"""What a sync refuses, because `--delete` on the wrong folder cannot be taken back (docs/specs.md, "What a sync does to a copy"). Pure.

The same is checked once more on the Docker host, on resolved paths, right before rsync runs (effects/code/rsync).
"""

from __future__ import annotations

SYSTEM_FOLDERS = frozenset(
    (
        "/",
        "/bin",
        "/boot",
        "/cdrom",
        "/dev",
        "/etc",
        "/home",
        "/lib",
        "/lib32",
        "/lib64",
        "/libx32",
        "/lost+found",
        "/media",
        "/mnt",
        "/opt",
        "/proc",
        "/root",
        "/run",
        "/sbin",
        "/snap",
        "/srv",
        "/sys",
        "/tmp",
        "/usr",
        "/usr/bin",
        "/usr/include",
        "/usr/lib",
        "/usr/local",
        "/usr/local/bin",
        "/usr/sbin",
        "/usr/share",
        "/usr/src",
        "/var",
        "/var/lib",
        "/var/log",
        "/var/run",
        "/var/tmp",
        "/Applications",
        "/Library",
        "/Network",
        "/System",
        "/Users",
        "/Volumes",
        "/private",
        "/private/etc",
        "/private/tmp",
        "/private/var",
    )
)
KERNEL_FOLDERS = ("/proc/", "/sys/", "/dev/")
HOMES = ("/home", "/Users")


def refused_source(source: str, home: str, user_home: str) -> str:
    """Why `source` (a resolved path) must not be copied, '' if nothing is against it.

    `home` is DUSTY_HOME, `user_home` the caller's home folder, both resolved.
    """
    path = source.rstrip("/") or "/"
    if path in SYSTEM_FOLDERS or path.startswith(KERNEL_FOLDERS):
        return f"{path} is a system folder"
    if path == user_home.rstrip("/") or path.rpartition("/")[0] in HOMES:
        return f"{path} is a home folder itself"
    if home == path or home.startswith(f"{path}/"):
        return f"{path} holds DUSTY_HOME ({home})"
    return ""


def refused_destination(destination: str, base: str, *, may_be_base: bool = False) -> str:
    """Why `destination` must not be written to with `--delete`; it has to lie inside `base`.

    `may_be_base`: for folders that are Dusty's own as a whole (command files, assets, nginx); a repo's copy lies strictly
    inside `persist/repos` and is at least three components deep.
    """
    parts = destination.split("/")
    if not destination.startswith("/") or ".." in parts or "." in parts:
        return f"{destination} is not a plain absolute path"
    inside = base.rstrip("/")
    if destination == inside and may_be_base:
        return ""
    if not destination.startswith(f"{inside}/") or "" in parts[1:]:
        return f"{destination} is not inside {inside}"
    if not may_be_base and len(parts) - 1 < 3:
        return f"{destination} is too close to the root folder"
    return ""
