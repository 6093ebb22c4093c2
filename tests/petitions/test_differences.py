"""What changed between two texts, word by word."""

from petitions.differences import word_diff

COMMON = ("the", "library", "is", "open", "on", "Sundays", "and", "the", "city", "knows", "it")


def told(op: str, old: str, new: str) -> list[str]:
    return [text.strip() for kind, text in word_diff(old, new) if kind == op]


def test_only_the_words_that_changed_are_marked() -> None:
    old, new = "Open the library on Saturdays, please.", "Open the library on Sundays, please."

    assert told("removed", old, new) == ["Saturdays,"]
    assert told("added", old, new) == ["Sundays,"]


def test_a_long_letter_of_ever_the_same_words_is_whole_on_both_sides() -> None:
    """Words that stand everywhere are no landmarks; looking at each of their places would take seconds."""
    old = [COMMON[place * place % len(COMMON)] for place in range(3000)]
    new = ["changed" if place % 20 == 0 else word for place, word in enumerate(old)]

    pairs = word_diff(" ".join(old), " ".join(new))

    assert "".join(text for op, text in pairs if op != "added").split() == old
    assert "".join(text for op, text in pairs if op != "removed").split() == new
