"""What names and addresses have in common, without holding anybody’s real name against them."""

import pytest

from fraud.patterns import GIBBERISH, mailbox_pattern, name_pattern, own_domain
from toolkit.email_addresses import mailbox_key


@pytest.mark.parametrize(
    ("first_name", "last_name", "pattern"),
    [
        ("Tester", "1", "tester"),
        ("Tester12", "Nr 7", "tester nr"),
        ("Ada", "Okafor", "ada okafor"),
        ("", "", ""),
        ("Xkqzwv", "Bnmpt", GIBBERISH),
        ("Ada", "Aqwrtzo", GIBBERISH),
    ],
)
def test_names_that_differ_in_numbers_are_alike(first_name, last_name, pattern):
    assert name_pattern(first_name, last_name) == pattern


@pytest.mark.parametrize(
    "name",
    [
        "Schwartz", "Wszczebrzyński", "Krč", "Ng", "Nguyễn", "Škvrň", "O’Hara", "Smrž", "王伟", "Ёлкин", "مها", "Lynn", "Wright",
        "Knightstown", "Brzęczyszczykiewicz", "Hirschsprung", "J. R.",
    ],
)  # fmt: skip
def test_real_names_can_be_said(name):
    assert name_pattern(name, "") != GIBBERISH


@pytest.mark.parametrize(
    ("email", "pattern"),
    [
        ("signer17@mail.example", "signer#@mail.example"),
        ("Signer.17.2@mail.example", "signer.#.#@mail.example"),
        ("s.i.g.n.e.r.5+x@gmail.com", "signer#@gmail.com"),
        ("12345@mail.example", ""),
        ("ada.okafor@mail.example", ""),
        ("", ""),
        ("@", ""),
    ],
)
def test_addresses_that_differ_in_numbers_are_alike(email, pattern):
    assert mailbox_pattern(mailbox_key(email)) == pattern


@pytest.mark.parametrize(
    ("email", "domain"),
    [
        ("ada@gmail.com", ""),
        ("ada@firm.example", "firm.example"),
        ("ada@x1.y2.firm.example", "firm.example"),
        ("ada@mail.firm.co.uk", "firm.co.uk"),
        ("ada@localhost", "localhost"),
        ("ada", "ada"),
        ("", ""),
    ],
)
def test_a_domain_is_what_one_can_register(email, domain):
    assert own_domain(mailbox_key(email).rpartition("@")[2]) == domain


@pytest.mark.parametrize("text", ["\0", "\ud800", "9" * 5000, "a" * 100_000, "@" * 50, "x@" + "." * 300])
def test_odd_input_is_no_trouble(text):
    name_pattern(text, text)
    mailbox_pattern(text)

    assert len(own_domain(text)) <= 253
