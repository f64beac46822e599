"""What kind of engine answers, as far as Dusty has to know it."""

from __future__ import annotations

from typing import Any


def hidden_bridge(info: dict[str, Any], is_macos: bool) -> str:
    """Why this machine cannot bind the engine's bridge address, in words; '' where it can."""
    if "rootless" in " ".join(map(str, info.get("SecurityOptions") or [])):
        return "the engine runs rootless"
    if "Docker Desktop" in str(info.get("OperatingSystem")):
        return "the engine is Docker Desktop's"
    return "the engine runs in a VM of this machine" if is_macos else ""
