"""The part of a name that follows an office: “Mayor van der Berg”."""

PARTICLES = frozenset("al ap bin bint da dal de del della den der des di dos du el ibn la le los mac san st st. ten ter van von y zu".split())
SUFFIXES = frozenset("jr jr. sr sr. ii iii iv v phd ph.d. md m.d. esq esq.".split())


def guess_last_name(name: str) -> str:
    """The last word of `name` with the particles before it; suffixes such as “Jr.” are left out. A guess staff can correct."""
    words = name.replace(",", " ").split()
    while len(words) > 1 and words[-1].casefold() in SUFFIXES:
        words.pop()
    start = len(words) - 1
    while start > 1 and words[start - 1].casefold() in PARTICLES:
        start -= 1
    return " ".join(words[max(start, 0) :])
