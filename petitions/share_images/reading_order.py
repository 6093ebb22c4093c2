"""Left to right and right to left in one line: the bidirectional algorithm for text without embeddings (UAX #9)."""

import unicodedata
from collections.abc import Sequence

LEFT, RIGHT, EUROPEAN, ARABIC_NUMBER, NEUTRAL = "L", "R", "EN", "AN", "ON"


def reads_rightward(text: str) -> bool:
    """Whether the paragraph begins at the left: so says the first letter with a direction (rule P2)."""
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in {"L", "R", "AL"}:
            return kind == "L"
    return True


def levels(bases: Sequence[str], *, rightward: bool) -> list[int]:
    """The embedding level of each cluster, told by its base character: even ones read rightward."""
    kinds = resolve_neutrals(resolve_numbers([kind_of(base) for base in bases]), rightward)
    lowest = 0 if rightward else 1
    up = {LEFT: (0, 1), RIGHT: (1, 0), EUROPEAN: (2, 1), ARABIC_NUMBER: (2, 1)}
    return [lowest + up[kind][lowest] for kind in kinds]


def kind_of(base: str) -> str:
    return unicodedata.bidirectional(base) or NEUTRAL


def resolve_numbers(kinds: list[str]) -> list[str]:
    """Rules W2 to W7; W1 is done with by clusters. Only L, R, EN, AN and ON are left."""
    kinds = signs_beside_numbers(numbers_after_arabic(kinds))
    strong = ""
    for at, kind in enumerate(kinds):
        if kind in {LEFT, RIGHT}:
            strong = kind
        elif kind == EUROPEAN and strong == LEFT:
            kinds[at] = LEFT
        elif kind not in {EUROPEAN, ARABIC_NUMBER}:
            kinds[at] = NEUTRAL
    return kinds


def numbers_after_arabic(kinds: list[str]) -> list[str]:
    """Rules W2 and W3."""
    strong, resolved = "", []
    for kind in kinds:
        strong = kind if kind in {"L", "R", "AL"} else strong
        resolved.append(ARABIC_NUMBER if kind == EUROPEAN and strong == "AL" else kind)
    return [RIGHT if kind == "AL" else kind for kind in resolved]


def signs_beside_numbers(kinds: list[str]) -> list[str]:
    """Rules W4 and W5: the comma of 1,200 and the percent sign of 5% belong to the number."""
    for at in range(1, len(kinds) - 1):
        before, after = kinds[at - 1], kinds[at + 1]
        separates = {EUROPEAN: {"ES", "CS"}, ARABIC_NUMBER: {"CS"}}.get(before, set())
        if before == after and kinds[at] in separates:
            kinds[at] = before
    for order in (range(len(kinds)), range(len(kinds) - 1, -1, -1)):
        beside = ""
        for at in order:
            if kinds[at] == "ET" and beside == EUROPEAN:
                kinds[at] = EUROPEAN
            beside = kinds[at]
    return kinds


def resolve_neutrals(kinds: list[str], rightward: bool) -> list[str]:
    """Rules N1 and N2: between equal directions neutrals take theirs, otherwise the paragraph's."""
    own = LEFT if rightward else RIGHT
    kinds = list(kinds)
    at = 0
    while at < len(kinds):
        if kinds[at] != NEUTRAL:
            at += 1
            continue
        end = at
        while end < len(kinds) and kinds[end] == NEUTRAL:
            end += 1
        before = sided(kinds[at - 1]) if at else own
        after = sided(kinds[end]) if end < len(kinds) else own
        kinds[at:end] = [before if before == after else own] * (end - at)
        at = end
    return kinds


def sided(kind: str) -> str:
    return LEFT if kind == LEFT else RIGHT


def visual_order(run_levels: Sequence[int]) -> list[int]:
    """Indexes of the runs from left to right (rule L2)."""
    order = list(range(len(run_levels)))
    for level in range(max(run_levels, default=0), 0, -1):
        at = 0
        while at < len(order):
            end = at
            while end < len(order) and run_levels[order[end]] >= level:
                end += 1
            order[at:end] = reversed(order[at:end])
            at = max(end, at + 1)
    return order
