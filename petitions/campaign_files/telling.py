"""What loading a campaign file did, in sentences."""

from collections import Counter

from petitions.campaign_files.loading import Loaded


def told(loaded: Loaded) -> list[str]:
    lines = [f"Created: {listed(loaded.created)}."] if loaded.created else []
    lines += [f"Updated: {listed(loaded.updated)}."] if loaded.updated else []
    lines += [f"In the campaign but not in the file, left as it is: {what}." for what in loaded.left]
    return lines or ["Nothing has changed."]


def listed(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {name if number != 1 else singular(name)}" for name, number in counts.items())


def singular(name: str) -> str:
    return name.removesuffix("s")
