"""Names of places as people type them, brought to one form so that they can be compared."""

import re
import unicodedata

LONGEST_KEY = 200
SAINTS = {"st": "saint", "ste": "sainte"}
BEGINNINGS = {"ft": "fort", "mt": "mount"}
WORDS = re.compile(r"[^\W_]+")


def name_key(name: str) -> str:
    """Small letters without accents and punctuation; “St.” and “Saint” are the same. At most 200 characters.

    “St. Mary’s” and “Saint Marys” both become “saint marys”.
    """
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", name.casefold())
        if not unicodedata.combining(letter)
    )
    words = WORDS.findall(re.sub(r"[’'ʼ`]", "", plain))
    words = [SAINTS.get(word, word) for word in words]
    if words:
        words[0] = BEGINNINGS.get(words[0], words[0])
    return " ".join(words)[:LONGEST_KEY]
