"""What looked odd, in words."""

import pytest

from signers.evidence import in_words


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        ([], ""),
        (["too-fast", "burst-domain"], "faster than people type, in a cluster (domain)"),
        (["something new", 7], "something new, 7"),
        ({"no": "list"}, ""),
        (None, ""),
    ],
)
def test_staff_read_words_rather_than_names_of_ours(evidence, words):
    assert in_words(evidence) == words
