"""Backups are equal to what they were made of, and who left since then stays away when one is brought back."""

import json
import os
import signal
import stat
from contextlib import closing, contextmanager
from datetime import timedelta
from io import StringIO
from threading import Timer

import psycopg2
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from config.backups import ledger, making, postgresql, restoring
from config.backups.files import BackupError, Manifest, manifest_of, unfinished
from config.backups.making import backup, expire
from config.backups.restoring import restore, verify
from mailings.models import Mailing
from mailings.unsubscribing import unsubscribe
from signers import changing_address, consents, own_page
from signers.confirming import disown
from signers.erasing import erase
from signers.models import AddressChange, Consent, OutgoingMail, Signature, Subscription, Supporter
from staff.models import AuditEntry
from tests.factories import (
    make_edition,
    make_mail,
    make_mailing,
    make_petition,
    make_recipient,
    make_signature,
    make_subscription,
)

transactional = pytest.mark.django_db(transaction=True)


@pytest.fixture
def elsewhere(tmp_path):
    """`with elsewhere():` the database is another one, which is empty."""
    own = connection.settings_dict["NAME"]
    other = f"{own}_elsewhere" if connection.vendor == "postgresql" else str(tmp_path / "other.sqlite3")

    @contextmanager
    def there():
        connection.close()
        connection.settings_dict["NAME"] = other
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = own

    if connection.vendor == "postgresql":
        postgresql.execute(f'DROP DATABASE IF EXISTS "{other}"')
        postgresql.execute(f'CREATE DATABASE "{other}"')
    yield there
    if connection.vendor == "postgresql":
        postgresql.execute(f'DROP DATABASE "{other}" WITH (FORCE)')


def people_of_a_petition(names):
    """Each has signed, and wants updates."""
    petition = make_petition(at=timezone.now() - timedelta(days=9))
    people = {}
    for name in names:
        signature = make_signature(
            petition, email=f"{name}@example.org", confirmed=True, at=timezone.now() - timedelta(days=2)
        )
        make_subscription(signature.supporter, petition.campaign.organization)
        people[name] = signature.supporter
    return petition, people


def there_are():
    return {mailbox.partition("@")[0] for mailbox in Supporter.objects.values_list("mailbox", flat=True)}


# --- Making and proving --------------------------------------------------------------------------------------


@transactional
def test_backup_is_proven_without_touching_the_site(tmp_path):
    _petition, people = people_of_a_petition(["ann", "bo", "cy"])
    people["bo"].signatures.update(comment="“odd” ☂ and\nlong " * 20)
    output = StringIO()

    call_command("backup", str(tmp_path / "backups"), stdout=output)
    (path,) = [path for _moment, path in making.backups_in(tmp_path / "backups")]
    Signature.objects.filter(supporter=people["ann"]).update(first_name="Changed since")
    call_command("restore", str(path), "--verify", stdout=output)

    assert "Equal: " in output.getvalue()
    assert Signature.objects.filter(first_name="Changed since").exists()
    manifest = json.loads(manifest_of(path).read_text())
    assert manifest["tables"]["signers_signature"][0] == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    assert {file.suffix for file in path.parent.iterdir()} <= {".dump", ".sqlite3", ".json", ".jsonl"}


@transactional
def test_digest_sees_a_single_changed_letter_and_no_order(tmp_path):
    people_of_a_petition(["ann", "bo"])
    before = making.database().tables_now()

    Supporter.objects.filter(mailbox="ann@example.org").update(last_name="Reef")
    after = making.database().tables_now()

    assert [name for name in before if before[name] != after[name]] == ["signers_supporter"]
    Supporter.objects.filter(mailbox="ann@example.org").update(last_name="Reed")
    assert making.database().tables_now() == before


@transactional
@pytest.mark.parametrize(
    "harm", ["cut", "changed", "gone", "no manifest", "foreign manifest", "another kind"]
)
def test_what_cannot_be_a_whole_backup_is_refused_with_a_reason(tmp_path, harm):
    path = tmp_path / "undersigned-x.dump"
    path.write_bytes(b"content" * 1000)
    whole = Manifest(1, connection.vendor, timezone.now(), [], path.stat().st_size, "0" * 64, {})
    manifest_of(path).write_bytes(whole.packed())
    reasons = {
        "cut": "is not whole",
        "changed": "changed or damaged",
        "gone": "There is no file",
        "no manifest": "is missing",
        "foreign manifest": "does not describe a backup",
        "another kind": "This is a backup of oracle",
    }
    if harm == "cut":
        path.write_bytes(b"content")
    elif harm == "gone":
        path.unlink()
    elif harm == "no manifest":
        manifest_of(path).unlink()
    elif harm == "foreign manifest":
        manifest_of(path).write_text('{"format": [[]], "at": "\\ud800"}')
    elif harm == "another kind":
        manifest_of(path).write_bytes(whole.packed().replace(connection.vendor.encode(), b"oracle"))

    with pytest.raises(CommandError, match=reasons[harm]):
        call_command("restore", str(path), "--verify")


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"null", b"\xff\x00", b'{"format": 1}', b"[" * 100_000, b'{"format": 2, "at": ""}'],
)
def test_manifest_of_odd_content_is_refused(tmp_path, content, db):
    path = tmp_path / "a.dump"
    path.write_bytes(b"")
    manifest_of(path).write_bytes(content)

    with pytest.raises(BackupError, match="does not describe"):
        verify(path)


@transactional
def test_file_that_only_looks_like_a_backup_is_named_as_such(tmp_path, elsewhere):
    made = backup(tmp_path, at=timezone.now())
    content = made.path.read_bytes()
    made.path.write_bytes(content[:100] + bytes(len(content) - 100))
    forged = Manifest(**vars(made.manifest) | {"sha256": making.digest_of(made.path)})
    manifest_of(made.path).write_bytes(forged.packed())

    with (
        elsewhere(),
        pytest.raises(BackupError, match=r"pg_restore failed|no SQLite database|is damaged|something else"),
    ):
        restore(made.path, replace=False, at=timezone.now())
    with elsewhere():
        assert making.database().is_empty()


def test_nothing_half_is_left_behind(tmp_path):
    def half():
        with unfinished(tmp_path / "a.dump") as path:
            path.write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert list(tmp_path.iterdir()) == []


@transactional
def test_backup_that_fails_says_so_and_leaves_nothing(tmp_path, monkeypatch):
    def fails(_path):
        raise BackupError("pg_dump failed: no space left")

    monkeypatch.setattr(making.database(), "make", fails)

    with pytest.raises(CommandError, match="no space left"):
        call_command("backup", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_directory_that_cannot_be_made_is_named(tmp_path, db):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(CommandError, match="file"):
        call_command("backup", str(tmp_path / "file" / "backups"))


def test_old_backups_go_with_their_manifests_and_nothing_else(tmp_path):
    at = timezone.now()
    names = [f"undersigned-{at - timedelta(days=days):%Y%m%dT%H%M%S}Z.dump" for days in (40, 31, 29, 0)]
    for name in names:
        (tmp_path / name).touch()
        manifest_of(tmp_path / name).touch()
    (tmp_path / "undersigned-20200101T000000Z.dump.mine").touch()

    expired = expire(tmp_path, but=tmp_path / names[-1], at=at, keep_days=30)

    assert [path.name for path in expired] == names[:2]
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {
        *names[2:],
        *(f"{name}.json" for name in names[2:]),
        "undersigned-20200101T000000Z.dump.mine",
    }


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no programs to call")
def test_password_stands_in_no_list_of_processes(monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "PASSWORD", "s3cret-word")

    assert postgresql.environment()["PGPASSWORD"] == "s3cret-word"


# --- Bringing back -------------------------------------------------------------------------------------------


@transactional
def test_who_left_after_the_backup_stays_away(tmp_path, elsewhere):
    petition, people = people_of_a_petition(["ann", "bo", "cy", "di", "ed"])
    make_mail(make_signature(petition, email="fay@example.org"))
    mailing = make_mailing(petition.campaign, starts_at=timezone.now() - timedelta(hours=1))
    copy = make_recipient(make_edition(mailing, petition), supporter=people["di"])
    made = backup(tmp_path, at=timezone.now())

    now = timezone.now()
    erase(supporter_id=people["ann"].pk, at=now)
    disown(signature_id=people["bo"].signatures.get().pk, at=now, block=False)
    own_page.withdraw(supporter_id=people["cy"].pk, signature_id=people["cy"].signatures.get().pk, at=now)
    unsubscribe(recipient_id=copy.pk, at=now)
    call_command("backup", str(tmp_path), "--only-who-left", stdout=StringIO())
    with elsewhere():
        done = restore(made.path, replace=False, at=timezone.now())

        assert there_are() == {"bo", "cy", "di", "ed", "fay"}
        removed = {
            row.supporter.mailbox[:2]: row.removal for row in Signature.objects.exclude(removed_at=None)
        }
        assert removed == {"bo": "not-me", "cy": "withdrawn"}
        assert not Signature.objects.filter(supporter=people["bo"]).exclude(first_name="").exists()
        assert {row.supporter_id for row in Subscription.objects.all()} == {
            people[name].pk for name in ("bo", "cy", "ed")
        }
        assert [mail.state for mail in OutgoingMail.objects.all()] == ["dropped"]
        assert Mailing.objects.get().state(timezone.now()) == "paused"
        assert AuditEntry.objects.filter(action="restored").count() == 1
    assert dict(done.again) == {"erased": 1, "removed": 2, "unsubscribed": 1}
    assert (done.mails_dropped, done.mailings_paused, done.migrated) == (1, 1, 0)
    # What leaves the house holds nobody.
    told = (tmp_path / ledger.NAME).read_text()
    assert not any(word in told for word in ("example.org", "Connie", "Reed"))


@transactional
def test_who_became_one_with_somebody_erased_is_erased_as_well(tmp_path, elsewhere):
    _petition, people = people_of_a_petition(["old", "new", "other"])
    made = backup(tmp_path, at=timezone.now())

    now = timezone.now()
    change = AddressChange.objects.create(
        supporter=people["old"], email="new@example.org", mailbox="new@example.org", asked_at=now
    )
    changing_address.confirm(change_id=change.pk, at=now)
    erase(supporter_id=people["new"].pk, at=now)
    ledger.write_down(tmp_path, since=made.manifest.at)
    with elsewhere():
        restore(made.path, replace=False, at=timezone.now())

        assert there_are() == {"other"}


@transactional
def test_replacing_asks_the_database_that_goes_who_left(tmp_path):
    _petition, people = people_of_a_petition(["ann", "bo"])
    made = backup(tmp_path, at=timezone.now())
    erase(supporter_id=people["ann"].pk, at=timezone.now())
    people_of_a_petition(["late"])

    with pytest.raises(BackupError) as refused:
        restore(made.path, replace=False, at=timezone.now())
    done = restore(made.path, replace=True, at=timezone.now())

    assert "it holds 2 supporters and 2 signatures, the latest signed at" in str(refused.value)
    assert there_are() == {"bo"}
    assert done.again["erased"] == 1


@transactional
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite replaces it whoever has it open")
def test_nobody_else_may_be_connected(tmp_path, monkeypatch):
    monkeypatch.setattr(postgresql, "LEAVING_TAKES", 0)
    connection.close()
    made = backup(tmp_path, at=timezone.now())

    with (
        closing(psycopg2.connect(**connection.get_connection_params())),
        pytest.raises(BackupError, match="others are connected"),
    ):
        restore(made.path, replace=True, at=timezone.now())


@transactional
def test_replacing_with_what_fails_leaves_everything_as_it_was(tmp_path):
    people_of_a_petition(["ann"])
    made = backup(tmp_path, at=timezone.now())
    content = made.path.read_bytes()
    made.path.write_bytes(content[: len(content) // 2] + bytes(len(content) - len(content) // 2))
    forged = Manifest(**vars(made.manifest) | {"sha256": making.digest_of(made.path)})
    manifest_of(made.path).write_bytes(forged.packed())

    with pytest.raises(BackupError):
        restore(made.path, replace=True, at=timezone.now())

    assert there_are() == {"ann"}


@transactional
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite renames a file that is ready")
@pytest.mark.parametrize("come", ["nothing", "half", "all but the proof"])
def test_replacing_that_is_broken_off_leaves_everything_as_it_was(tmp_path, monkeypatch, come):
    people_of_a_petition(["ann"])
    made = backup(tmp_path, at=timezone.now())
    people_of_a_petition(["bo"])

    def broken_off(script, changing, _size):
        lines = script.readlines()
        changing.writelines(lines[: {"nothing": 0, "half": len(lines) // 2}.get(come, len(lines))])
        raise KeyboardInterrupt

    monkeypatch.setattr(postgresql.shutil, "copyfileobj", broken_off)
    with pytest.raises(KeyboardInterrupt):
        restore(made.path, replace=True, at=timezone.now())

    assert there_are() == {"ann", "bo"}


@transactional
def test_backup_of_a_newer_release_is_refused(tmp_path):
    made = backup(tmp_path, at=timezone.now())
    newer = Manifest(
        **vars(made.manifest) | {"migrations": [*made.manifest.migrations, "signers.9999_later"]}
    )
    manifest_of(made.path).write_bytes(newer.packed())

    with pytest.raises(BackupError, match=r"newer release, which knows signers\.9999_later"):
        restore(made.path, replace=True, at=timezone.now())


# --- The ledger ----------------------------------------------------------------------------------------------


def test_ledger_says_everything_once_however_often_it_is_written(tmp_path, db):
    _petition, people = people_of_a_petition(["ann", "bo"])
    since = timezone.now() - timedelta(days=1)
    erase(supporter_id=people["ann"].pk, at=timezone.now())

    written = [ledger.write_down(tmp_path, since=since) for _ in range(2)]

    assert written == [1, 0]
    assert stat.S_IMODE(os.stat(tmp_path / ledger.NAME).st_mode) == 0o600


def test_line_that_was_cut_off_takes_no_other_along(tmp_path, db):
    _petition, people = people_of_a_petition(["ann", "bo"])
    since = timezone.now() - timedelta(days=1)
    erase(supporter_id=people["ann"].pk, at=timezone.now())
    (tmp_path / ledger.NAME).write_bytes(b'{"at": "2026-11-\xe2')

    ledger.write_down(tmp_path, since=since)

    found, odd = ledger.entries(tmp_path, since=since)
    assert ([entry.row for entry in found], odd) == ([people["ann"].pk], 1)


@transactional
def test_who_became_one_with_somebody_and_wants_no_more_updates_gets_none(tmp_path, elsewhere):
    _petition, people = people_of_a_petition(["old", "new", "other"])
    Supporter.objects.filter(pk=people["old"].pk).update(created_at=timezone.now() - timedelta(days=20))
    made = backup(tmp_path, at=timezone.now())

    now = timezone.now()
    change = AddressChange.objects.create(
        supporter=people["old"], email="new@example.org", mailbox="new@example.org", asked_at=now
    )
    changing_address.confirm(change_id=change.pk, at=now)
    left = Supporter.objects.get(mailbox="new@example.org")
    organization = Subscription.objects.filter(supporter=left).get().organization_id
    no = consents.Choice(left.pk, organization, granted=False, wording="")
    consents.record([no], source=Consent.Source.UNSUBSCRIBE, at=timezone.now())
    ledger.write_down(tmp_path, since=made.manifest.at)
    with elsewhere():
        restore(made.path, replace=False, at=timezone.now())

        assert [row.supporter.mailbox for row in Subscription.objects.all()] == ["other@example.org"]


@transactional
def test_half_a_backup_is_removed_when_somebody_ends_it(tmp_path, monkeypatch):
    def ended(path):
        path.write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(making.database(), "make", ended)
    with pytest.raises(SystemExit):
        call_command("backup", str(tmp_path), stdout=StringIO())

    assert not [path for path in tmp_path.iterdir() if path.name != ledger.NAME]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@transactional
def test_missing_ledger_is_said(tmp_path, elsewhere):
    made = backup(tmp_path, at=timezone.now())
    (tmp_path / ledger.NAME).unlink()
    told = StringIO()
    with elsewhere():
        call_command("restore", str(made.path), stdout=StringIO(), stderr=told)

    assert "No erasures.jsonl lies beside the backup" in told.getvalue()


@transactional
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite rewrites nothing under a reader")
def test_backup_waits_for_a_table_that_is_being_rewritten(tmp_path):
    people_of_a_petition(["ann", "bo"])
    connection.close()
    with closing(psycopg2.connect(**connection.get_connection_params())) as migrating:
        migrating.cursor().execute(
            "ALTER TABLE signers_signature ADD COLUMN odd double precision DEFAULT random()"
        )
        ending = Timer(1, migrating.commit)
        ending.start()
        made = backup(tmp_path, at=timezone.now())
        ending.join()
    try:
        assert made.manifest.tables["signers_signature"][0] == 2
    finally:
        postgresql.execute("ALTER TABLE signers_signature DROP COLUMN odd")


def test_who_left_is_written_down_before_the_first_backup(tmp_path, db):
    _petition, people = people_of_a_petition(["ann"])
    erase(supporter_id=people["ann"].pk, at=timezone.now())

    call_command("backup", str(tmp_path / "new" / "backups"), "--only-who-left", stdout=StringIO())

    assert ledger.What.ERASED in (tmp_path / "new" / "backups" / ledger.NAME).read_text()


def test_another_person_who_got_the_same_number_is_left_alone(db):
    _petition, people = people_of_a_petition(["ann"])
    entry = ledger.Entry(
        ledger.What.ERASED, timezone.now(), people["ann"].pk, people["ann"].created_at - timedelta(days=1)
    )

    assert not ledger.do_again(entry, at=timezone.now())
    assert there_are() == {"ann"}


def test_who_said_yes_again_after_leaving_stays_subscribed(db):
    petition, people = people_of_a_petition(["ann"])
    said_no = Subscription.objects.get().since - timedelta(days=1)
    entry = ledger.Entry(
        ledger.What.UNSUBSCRIBED,
        said_no,
        people["ann"].pk,
        people["ann"].created_at,
        {"organization": petition.campaign.organization_id},
    )

    assert not ledger.do_again(entry, at=timezone.now())
    assert Subscription.objects.count() == 1


@pytest.mark.parametrize(
    "line", ["", "null", "[]", "{", '{"what": "erased"}', "\x00", "[" * 100_000, '{"what": "x", "at": "y"}']
)
def test_lines_that_cannot_be_read_are_counted_and_passed_over(tmp_path, line):
    good = ledger.Entry(ledger.What.ERASED, timezone.now(), 7, timezone.now())
    (tmp_path / ledger.NAME).write_text(f"{line}\n{good.line()}\n")

    assert ledger.entries(tmp_path, since=timezone.now() - timedelta(days=1)) == ([good], 1)


def test_without_a_ledger_nobody_left(tmp_path):
    assert ledger.entries(tmp_path, since=timezone.now()) == ([], 0)


def test_database_of_another_kind_cannot_say_who_left(tmp_path, db, monkeypatch):
    def unreadable(*_arguments, **_fields):
        raise restoring.DatabaseError("no such table: signers_consent\nDETAIL: …")

    monkeypatch.setattr(ledger, "write_down", unreadable)

    assert restoring.ask_who_left(tmp_path, timezone.now()) == "DatabaseError: no such table: signers_consent"
