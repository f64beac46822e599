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


_UNITS = {"second": "s", "minute": "m", "hour": "h", "day": "d", "week": "w", "month": "mo", "year": "y"}


def short_age(words: str) -> str:
    """The engine's words for a time, in a column: `3 minutes ago` -> 3m, `About an hour` -> 1h, `Less than a second` -> 0s."""
    parts = words.removesuffix(" ago").split()
    unit = _UNITS.get(parts[-1].removesuffix("s"), "") if parts else ""
    number = parts[-2] if len(parts) > 1 else ""
    if not unit or not (number.isdigit() or number in ("a", "an")):
        return words
    return f"{0 if parts[0] == 'Less' else 1 if number in ('a', 'an') else number}{unit}"
