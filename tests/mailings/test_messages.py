"""A copy of a mailing as bytes: its headers, its two forms, and nothing that a value could add to them."""

import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import parseaddr, parsedate_to_datetime

import pytest

from mailings.links import read_sign, read_unsubscribe
from mailings.messages import Slotted, Writer, folded
from mailings.rendering import SIGN_URL, Reader
from tests.factories import (
    NOW,
    make_campaign,
    make_edition,
    make_letter,
    make_mailing,
    make_organization,
    make_petition,
    make_recipient,
)
from toolkit.emails import RawMail
from toolkit.merge_fields import LATER_BEGINS, LATER_ENDS

ONCE = {
    "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Id",
    "MIME-Version", "Content-Type", "Auto-Submitted",
}  # fmt: skip
LINE_ENDS = ["\n", "\r\n", "\r", "\u2028", "\u2029", "\x85", "\v", "\f", "\x1c"]
SCRIPTS = ["Zoë", "محمد", "孔子", "Þórður", "👩‍🚒", "e\u0301" * 30, "ab" * 40]


@pytest.fixture(autouse=True)
def on_https(settings):
    settings.SITE_URL = "https://petitions.example"


@pytest.fixture
def write(db):
    """`write(first_name, mailing={…}, organization={…})` is a copy: the parsed mail and its bytes."""

    def written(first_name="Connie", *, to="connie@example.org", subject="", mailing=None, organization=None):
        campaign = make_campaign(
            organization=make_organization(**{"reply_to": "desk@readers.example"} | (organization or {}))
        )
        petition = make_petition(letter=make_letter(campaign=campaign))
        edition = make_edition(make_mailing(campaign, starts_at=NOW, **(mailing or {})), petition)
        recipient = make_recipient(edition, subject=subject)
        raw = Writer(edition, edition.mailing).message(recipient, to=to, first_name=first_name, at=NOW)
        parsed = message_from_bytes(raw.content, policy=policy.default)
        parsed.raw, parsed.copy = raw, recipient
        return parsed

    return written


def header(message, name):
    """Not by the newer parser, which puts a space between encoded words that belong together."""
    found = " ".join(message_from_bytes(message.raw.content)[name].split())
    return str(make_header(decode_header(found)))


def names_of(message):
    return [name for name, _value in message.items()]


def parts(message):
    return [message.get_body((kind,)).get_content() for kind in ("plain", "html")]


# --- Headers -------------------------------------------------------------------------------------------------


def test_every_header_is_there_once(write):
    found = names_of(write())

    assert set(found) >= ONCE
    assert len(found) == len({name.lower() for name in found})


def test_one_click_unsubscribing_is_offered_as_rfc_8058_wants_it(write):
    message = write()

    [address] = re.fullmatch(
        r"<(https://petitions\.example/unsubscribe/[\w-]+/)>", message["List-Unsubscribe"]
    ).groups()
    assert read_unsubscribe(address.split("/")[-2], at=NOW) == message.copy.pk
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_without_https_nothing_promises_one_click(write, settings):
    settings.SITE_URL = "http://petitions.example"

    message = write()

    assert message["List-Unsubscribe"].startswith("<http://")
    assert "List-Unsubscribe-Post" not in message


def test_list_id_is_that_of_the_organization_and_a_name_in_our_own_domain(write):
    assert re.fullmatch(r"<updates-\d+\.petitions\.example>", write()["List-Id"])


def test_date_is_the_moment_of_sending_and_each_copy_has_its_own_id(write):
    one, other = write(), write()

    assert parsedate_to_datetime(one["Date"]) == NOW
    assert one["Message-ID"] != other["Message-ID"]
    assert re.fullmatch(r"<[\w.]+@petitions\.example>", one["Message-ID"])


def test_another_attempt_has_the_same_id(write):
    message = write()
    again = Writer(message.copy.edition, message.copy.mailing).message(
        message.copy, to="connie@example.org", first_name="", at=NOW
    )

    assert message_from_bytes(again.content)["Message-ID"] == message["Message-ID"]


def test_sign_link_is_as_young_as_the_copy_however_long_the_mailing_was_paused(write):
    message = write()
    late = NOW.replace(year=2027)
    again = Writer(message.copy.edition, message.copy.mailing).message(
        message.copy, to="a@example.org", first_name="", at=late
    )

    [token] = set(
        re.findall(r"/dear/([\w-]+)/", parts(message_from_bytes(again.content, policy=policy.default))[0])
    )
    assert read_sign(token, at=late) == message.copy.pk


@pytest.mark.parametrize(
    "name",
    [
        "x" * 120,
        "Readers and friends of the libraries " * 3,
        "市民の会" * 30,
        "Ärzte “für” alle, <a@b> " * 5,
        "Ω" * 120,
    ],
)
def test_no_line_of_a_mail_is_too_long(write, name):
    message = write(
        "N" * 80,
        mailing={"subject": "{{ supporter.first_name }}ü" * 7, "body": f"{'word ' * 900}\n\n{'é' * 2000}"},
        organization={"name": name[:120]},
    )

    head, _, body = message.raw.content.partition(b"\r\n\r\n")
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert all(len(line) <= 78 or line.count(b" ") < 2 for line in head.split(b"\r\n"))
    assert re.findall(rb"(?<!\r)\n|\r(?!\n)", message.raw.content) == []
    assert parseaddr(header(message, "From"))[0] == name[:120].strip() or "," in name


def test_mail_is_pure_ascii_whatever_it_says(write):
    message = write(
        "Zoë", mailing={"subject": "Für {{ supporter.first_name }} 🎉", "body": "Größe zählt. 图书馆"}
    )

    assert message.raw.content.isascii()
    assert header(message, "Subject") == "Für Zoë 🎉"
    assert all("Größe zählt. 图书馆" in part for part in parts(message))
    assert message.defects == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_names_of_all_scripts_arrive(write, name):
    message = write(name)

    plain, html = parts(message)
    assert header(message, "Subject") == f"{name}, one more thing"
    assert f"Dear {name},".encode() in plain.encode()
    assert f"<bdi>{name}</bdi>" in html


def test_international_domain_is_written_in_ascii(write):
    message = write(to="ana@bücher.example")

    assert (message.raw.recipient, message["To"]) == (
        "ana@xn--bcher-kva.example",
        "ana@xn--bcher-kva.example",
    )


def test_folding_loses_nothing():
    text = "From: " + " ".join("word" * (number % 5 + 1) for number in range(60))

    assert folded(text).replace("\r\n", "") == text
    assert max(map(len, folded(text).split("\r\n"))) <= 78


# --- Nothing can be added to the headers ---------------------------------------------------------------------


@pytest.mark.parametrize("end", LINE_ENDS)
@pytest.mark.parametrize(
    "where", ["first name", "to", "subject", "other_subject", "name", "parent", "reply_to", "from_email"]
)
def test_no_value_can_add_a_header(write, end, where):
    sly = f"Ana{end}Bcc: eve@example.org{end}{end}<b>body"
    address = f"ana@example.org{end}Bcc: eve@example.org"
    given = {
        "first name": {"first_name": sly},
        "to": {"to": address},
        "subject": {"mailing": {"subject": sly}},
        "other_subject": {"mailing": {"other_subject": sly}, "subject": "b"},
        "name": {"organization": {"name": sly}},
        "parent": {"organization": {"parent": sly}},
        "reply_to": {"organization": {"reply_to": address}},
        "from_email": {"organization": {"from_email": address}},
    }[where]

    message = write(**given)

    assert "Bcc" not in message
    assert set(names_of(message)) == set(names_of(write()))
    assert message.raw.content.split(b"\r\n\r\n")[0].count(b"\r\nSubject: ") == 1
    assert message["Content-Type"].startswith("multipart/alternative")


@pytest.mark.parametrize("end", LINE_ENDS)
def test_no_name_of_a_place_or_target_can_add_a_header(db, end):
    petition = make_petition()
    petition.target.last_name = petition.target.place.name = f"Rivermouth{end}Bcc: eve@example.org"
    mailing = make_mailing(
        petition.campaign, starts_at=NOW, subject="{{ place.name }} and {{ target.last_name }}"
    )
    edition = make_edition(mailing, petition)

    raw = Writer(edition, mailing).message(make_recipient(edition), to="a@example.org", first_name="", at=NOW)

    assert message_from_bytes(raw.content)["Bcc"] is None


def test_text_of_staff_that_looks_like_a_boundary_ends_nothing(write):
    first = write().get_boundary()

    message = write("--=_", mailing={"body": f"--{first}\n\n--=_0123--\n\nEnd."})

    assert len(message.get_payload()) == 2
    assert all("End." in part for part in parts(message))


# --- The two forms -------------------------------------------------------------------------------------------


def test_both_forms_carry_name_sign_link_and_unsubscribe_link(write):
    message = write()

    plain, html = parts(message)
    for form in (plain, html):
        assert "Connie" in form
        [token] = set(re.findall(r"https://petitions\.example/dear/([\w-]+)/", form))
        assert read_sign(token, at=NOW) == message.copy.pk
        [token] = set(re.findall(r"https://petitions\.example/unsubscribe/([\w-]+)/", form))
        assert read_unsubscribe(token, at=NOW) == message.copy.pk
        assert "reader.invalid" not in form
        assert "1 Lantern Row" in form


def test_reader_without_a_name_gets_the_fallback(write):
    message = write(
        "",
        mailing={
            "subject": "{{ supporter.first_name|friend }} & co",
            "body": "Dear {{ supporter.first_name|<friend> }},",
        },
    )

    plain, html = parts(message)
    assert message["Subject"] == "friend & co"
    assert "Dear <friend>," in plain
    assert "Dear &lt;friend&gt;," in html


def test_name_is_text_and_never_markup(write):
    plain, html = parts(write("<img src=x onerror=alert(1)>"))

    assert "<img src=x" not in html
    assert "Dear <img src=x" in plain


def test_second_subject_goes_to_who_tests_it(write):
    both = {"subject": "One", "other_subject": "Two"}

    assert [str(write(mailing=both, subject=subject)["Subject"]) for subject in ("", "a", "b")] == [
        "One",
        "One",
        "Two",
    ]


@pytest.mark.parametrize("length", range(60, 90))
@pytest.mark.parametrize("letter", ["a", "é", " ", "=", "."])
def test_place_of_a_value_never_makes_a_line_too_long_and_loses_nothing(length, letter):
    before = f"x\n{letter * length}"
    slotted = Slotted(f"{before}{LATER_BEGINS}friend{LATER_ENDS}, {SIGN_URL}\n.\n{before}")
    reader = Reader("n" * length, "https://a.example/" + "t" * length, "")

    filled = slotted.filled(reader.spoken_name, reader)

    decoded = message_from_bytes(b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + filled).get_payload(
        decode=True
    )
    assert max(map(len, filled.split(b"\r\n"))) <= 76
    assert (
        decoded.decode().replace("\r\n", "\n")
        == f"{before}{reader.first_name}, {reader.sign_url}\n.\n{before}"
    )


# --- Without SMTP --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Readers’ Common", "市民の会" * 20, 'The "New" Friends, <you@example.org>'])
def test_other_backends_get_the_same_mail(write, name):
    message = write(
        "Zoë",
        mailing={"subject": "Für {{ supporter.first_name }} 🎉 " + "und alle " * 10},
        organization={"name": name},
    )

    other = message.raw.as_message()

    again = message_from_bytes(other.message().as_bytes(), policy=policy.default)
    again.raw = RawMail("", "", other.message().as_bytes())
    for header_name in ONCE - {"Content-Type"}:
        assert header(again, header_name) == header(message, header_name), header_name
    assert len(names_of(again)) == len({key.lower() for key in names_of(again)})
    assert [part.split() for part in parts(again)] == [part.split() for part in parts(message)]
    assert other.recipients() == ["connie@example.org"]
