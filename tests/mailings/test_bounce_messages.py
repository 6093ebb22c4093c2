"""What mail servers send back is understood, whoever wrote it, and nonsense is no more than nonsense."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailings.bounce_messages import LONGEST, read, verdict
from tests.mailings.bounce_samples import (
    ANSWER,
    COMPLAINT,
    EXCHANGE,
    EXIM,
    EXIM_WARNING,
    GMAIL,
    MARK,
    OUT_OF_OFFICE,
    POSTFIX,
    READ_RECEIPT,
    filled,
)


def kind_of(content):
    returned = read(content)
    return returned.kind if returned else None


@pytest.mark.parametrize(
    "sample", [POSTFIX, EXIM, EXCHANGE, GMAIL], ids=["Postfix", "Exim", "Exchange", "Gmail"]
)
def test_unknown_mailbox_is_a_hard_bounce_whichever_server_says_so(sample):
    returned = read(filled(sample))

    assert returned.kind == "hard"
    assert [str(mark) for mark in returned.marks] == [MARK]
    assert "5.1.1" in returned.words


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("5.2.2", "552 5.2.2 Mailbox full"),
        ("5.7.1", "550 5.7.1 Service unavailable; client blocked using a list"),
        ("5.7.26", "550-5.7.26 Unauthenticated email from readers.example is not accepted"),
        ("5.3.4", "552 5.3.4 Message size exceeds fixed limit"),
        ("5.4.6", "554 5.4.6 Too many hops"),
        ("5.1.8", "550 5.1.8 Sender address rejected: Domain not found"),
        ("5.0.0", "550 This message was classified as SPAM"),
        ("5.0.0", "550 Over quota"),
        ("4.4.1", "connect to mail.example.net[192.0.2.25]:25: Connection timed out"),
        ("4.2.2", "452 4.2.2 The recipient's inbox is out of storage space"),
    ],
)
def test_what_may_pass_is_a_soft_bounce(status, words):
    assert kind_of(filled(POSTFIX, status=status, words=words)) == "soft"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("5.0.0", "550 No such user here"),
        ("5.5.0", "550 5.5.0 Requested action not taken: mailbox unavailable"),
        ("5.2.1", "550 5.2.1 The email account that you tried to reach is disabled"),
        ("5.4.4", "Host or domain name not found. Name service error for name=example.net"),
        ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied"),
        ("5.0.0", "550-5.1.1 never heard of them"),
    ],
)
def test_what_will_not_pass_is_a_hard_bounce(status, words):
    assert kind_of(filled(POSTFIX, status=status, words=words)) == "hard"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Unrouteable address", "hard"),
        ("SMTP error from remote mail server after RCPT TO: 550 5.1.1 unknown", "hard"),
        ("mailbox is full: retry timeout exceeded", "soft"),
        ("all hosts for 'example.net' have been failing for a long time", "soft"),
    ],
)
def test_report_without_a_form_is_read_by_its_words_only_above_the_returned_mail(words, kind):
    assert kind_of(filled(EXIM, words=words)) == kind


def test_numbers_of_machines_are_no_codes():
    assert verdict("", "host 5.1.1.20[5.1.1.20] is away") == "soft"


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded", "Delayed "])
def test_mail_that_is_still_tried_or_has_arrived_is_no_bounce(action):
    assert read(filled(POSTFIX, action=action, status="4.4.7")) is None


def test_warning_of_a_delay_is_no_bounce():
    assert read(filled(EXIM_WARNING)) is None


def test_mail_that_reached_one_of_two_mailboxes_behind_an_address_is_no_bounce():
    other = "\r\nFinal-Recipient: rfc822; both@example.net\r\nAction: relayed\r\nStatus: 2.0.0\r\n\r\n--4D3C1"
    content = filled(POSTFIX)
    place = content.index(b"\r\n--4D3C1", content.index(b"Diagnostic-Code"))

    assert read(content[:place] + other.encode() + content[place + 9 :]) is None


@pytest.mark.parametrize("sort", ["abuse", "fraud", "Abuse", "opt-out"])
def test_complaint_is_found_by_the_mail_it_quotes(sort):
    returned = read(filled(COMPLAINT, sort=sort))

    assert returned.kind == "complaint"
    assert [str(mark) for mark in returned.marks] == [MARK]


@pytest.mark.parametrize("sort", ["not-spam", "auth-failure", "virus", "", "other"])
def test_feedback_of_other_sorts_is_no_complaint(sort):
    assert read(filled(COMPLAINT, sort=sort)) is None


@pytest.mark.parametrize(
    "sample", [OUT_OF_OFFICE, ANSWER, READ_RECEIPT], ids=["out of office", "answer", "read receipt"]
)
def test_answers_of_people_and_machines_are_no_reports(sample):
    assert read(filled(sample)) is None


def test_report_inside_a_forwarded_mail_was_said_to_somebody_else():
    forwarded = b"From: a@example.org\r\nContent-Type: message/rfc822\r\n\r\n" + filled(POSTFIX)

    assert read(forwarded) is None


def test_report_without_a_mark_is_about_no_mail_of_ours():
    assert read(filled(POSTFIX, mark="connie.reed")) is None


def test_mark_is_found_where_a_server_changed_its_case_or_wrapped_the_address():
    content = filled(POSTFIX, mark=MARK.upper()).replace(b"bounces+", b"prvs=1234567890=BOUNCES+")

    assert [str(mark) for mark in read(content).marks] == [MARK]


def test_report_in_base64_is_read():
    fields = (
        b"Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@example.net\nAction: failed\nStatus: 5.1.1\n"
    )
    content = (
        f"To: bounces+{MARK}@mail.example.org\nContent-Type: multipart/report; boundary=b\n\n"
        "--b\nContent-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n"
        f"{__import__('base64').encodebytes(fields).decode()}\n--b--\n"
    )

    assert kind_of(content.encode()) == "hard"


def test_same_report_has_the_same_digest_whatever_was_added_on_its_way():
    first = read(filled(POSTFIX))
    again = read(b"Received: by another.example.net; Mon, 4 May 2026 12:00:00 +0000\r\n" + filled(POSTFIX))
    other = read(filled(POSTFIX).replace(b"5E1F2@", b"6F2A3@"))

    assert first.digest == again.digest != other.digest


# --- Nonsense ----------------------------------------------------------------------------------------------


@given(st.binary(max_size=2000))
def test_any_bytes_are_read_without_a_word(content):
    read(content)


@given(
    st.sampled_from([POSTFIX, EXIM, EXCHANGE, GMAIL, COMPLAINT]),
    st.integers(0, 4000),
    st.integers(0, 400),
    st.binary(max_size=100),
)
def test_damaged_reports_are_read_without_a_word(sample, place, length, put_in):
    content = filled(sample)

    read(content[:place] + put_in + content[place + length :])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n\n",
        b"\0" * 100,
        b'Content-Type: multipart/report; boundary="' + b"9" * 5000 + b'"\n\n',
        b"Content-Type: multipart/report; boundary*" + b"9" * 5000 + b"=a\n\n--a\n",
        b"Content-Type: message/delivery-status\n\nAction: failed\nStatus: 5." + b"1" * 5000 + b".1\n",
        b"Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n=",
        b"To: " + b"c" * 1_000_000,
        b"X:" + b"\n " * 200_000,
        b"Content-Type: text/plain\n\n" + b"5.1.1" * 100_000,
    ],
    ids=range(10),
)
def test_hostile_mail_says_nothing(content):
    assert read(content) is None


def test_mails_within_mails_end_somewhere():
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(5000))

    assert read(b"To: bounces+" + MARK.encode() + b"@mail.example.org\n" + nested) is None


def test_same_boundary_within_itself_ends_somewhere():
    head = b"Content-Type: multipart/mixed; boundary=b\n\n"

    assert read(head + (b"--b\n" + head) * 5000) is None


def test_no_more_than_the_beginning_of_a_long_mail_is_looked_at():
    content = b"Subject: long\n\n" + b"." * LONGEST + filled(POSTFIX)

    assert read(content) is None
