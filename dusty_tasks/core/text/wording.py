"""Numbers as people read them."""

from __future__ import annotations

GIB = 1 << 30
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def size_text(size: float) -> str:
    """1536 -> 1.5 KiB."""
    for unit in UNITS:
        if size < 1024 or unit == UNITS[-1]:
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"


def counted(number: int, noun: str, plural: str = "") -> str:
    """1 file, 2 files; 2 fetches where `plural` says so."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"
