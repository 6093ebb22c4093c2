"""What looked odd about a post, in words for staff."""

WORDS = {
    "honeypot": "filled in what people do not see",
    "too-fast": "faster than people type",
    "forged-form": "not our form",
    "no-stamp": "form without its date",
    "stale-form": "form opened long before",
    "typo": "address looks mistyped",
}
BURST = "burst-"


def in_words(evidence: object) -> str:
    """Commas between; a name nobody has put into words is shown as it is."""
    return ", ".join(worded(str(name)) for name in evidence) if isinstance(evidence, list) else ""


def worded(name: str) -> str:
    return f"in a cluster ({name.removeprefix(BURST)})" if name.startswith(BURST) else WORDS.get(name, name)
