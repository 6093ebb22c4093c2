"""A mail server that is down, slow of wit or rude never touches signing."""

import pytest

from signers.models import OutgoingMail, Signature
from tests.people import Person, later, path_of, text_of
from tests.smtp_server import DROP, SmtpServer
from toolkit.emails import ServerUnavailable


@pytest.fixture
def use(settings):
    """`use(server)` sends all mail there."""

    def point(server):
        settings.EMAIL_BACKEND = "toolkit.emails.SmtpBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, 5

    return point


def test_signing_goes_on_while_the_mail_server_is_away_and_the_mail_follows(petition, work, use):
    people = [Person(first_name=name, email=f"{name.lower()}@people.example") for name in ("Ada", "Bo", "Cy")]
    with SmtpServer() as gone:
        use(gone)

    answers = [person.signs(petition) for person in people]
    with pytest.raises(ServerUnavailable):
        work()
    thanks = people[0].opens(path_of(answers[0]))

    assert [answer.status_code for answer in answers] == [303, 303, 303]
    assert "check your e-mail" in text_of(thanks)
    assert Signature.objects.count() == 3

    with SmtpServer() as back:
        use(back)
        work(at=later(minutes=2))

    assert len(back.mails) == 3
    assert {mail.state for mail in OutgoingMail.objects.all()} == {"sent"}


@pytest.mark.parametrize(
    "answers",
    [
        {"connect": b"421 Too busy\r\n"},
        {"connect": b"554 Go away\r\n"},
        {"EHLO": DROP, "HELO": DROP},
        {"MAIL": b"451 Later\r\n"},
        {"RCPT": b"450 Greylisted\r\n"},
        {"DATA": b"452 Disk full\r\n"},
        {"connect": b"\xff\xfe\r\n"},
    ],
)
def test_whatever_the_server_says_the_mail_arrives_once_when_it_has_recovered(
    connie, petition, work, use, answers
):
    with SmtpServer(answers) as ill:
        use(ill)
        connie.signs(petition)
        try:
            work()
        except ServerUnavailable:
            pass  # the worker waits and tries again
    assert ill.mails == []

    with SmtpServer() as well:
        use(well)
        work(at=later(hours=1))
        work(at=later(hours=2))

    assert len(well.mails) == 1


def test_a_refused_address_is_given_up_and_the_next_mail_goes_out(connie, petition, work, use):
    ray = Person(first_name="Ray", email="ray@people.example")
    with SmtpServer({"RCPT": [b"550 No such mailbox\r\n", b"250 OK\r\n"]}) as server:
        use(server)
        connie.signs(petition)
        ray.signs(petition)
        work()
        work(at=later(days=2))

    assert [mail.state for mail in OutgoingMail.objects.order_by("id")] == ["failed", "sent"]
    assert len(server.mails) == 1
