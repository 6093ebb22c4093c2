"""The part of a name that follows an office: “Mayor van der Berg”."""

# "St." and "Mac" stand apart in some names; a guess of too much is corrected more easily than one of too little.
PARTICLES = frozenset(
    (
        *(
            "al",
            "ap",
            "bin",
            "bint",
            "da",
            "dal",
            "de",
            "del",
            "della",
            "den",
            "der",
            "des",
            "di",
            "dos",
            "du",
        ),
        *("el", "ibn", "la", "le", "los", "mac", "san", "st", "st.", "ten", "ter", "van", "von", "y", "zu"),
    )
)
SUFFIXES = frozenset(
    ("jr", "jr.", "sr", "sr.", "ii", "iii", "iv", "v", "phd", "ph.d.", "md", "m.d.", "esq", "esq.")
)
LONGEST = 120


def guess_last_name(name: str) -> str:
    """The last word with the particles before it, without suffixes such as “Jr.”; a guess staff can correct."""
    words = name.replace(",", " ").split()
    while len(words) > 1 and words[-1].casefold() in SUFFIXES:
        words.pop()
    start = len(words) - 1
    while start > 1 and words[start - 1].casefold() in PARTICLES:
        start -= 1
    return " ".join(words[max(start, 0) :])[:LONGEST].strip()
