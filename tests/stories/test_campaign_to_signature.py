"""From a campaign file to signed pages, and what happens when its text changes meanwhile."""

import io
import re

import pytest
from django.core.management import CommandError, call_command

from petitions.models import Petition, Version
from signers.models import Signature
from tests.people import Person, shown_count, text_of

CAMPAIGN = """
[organization]
name = "Readers’ Common"
parent = "from Lamp & Page"
from_email = "hello@readers.example"

[campaign]
slug = "open-sundays"
title = "Open Sundays"

[[sources]]
key = "ferry-2026"
authors = ["Ann Ferry", "Bo Quill"]
title = "What “open” means"
publication = "The Rivermouth Courier"
date = 2026-01-27
url = "https://courier.example/open"

[[sources]]
key = "hours"
title = "Opening hours"

[letters.demand]
headline = "Open {{ place.name }}’s library on Sundays"
lead_in = "The petition to {{ target.office }} {{ target.last_name }} reads:"
statement = "Open the library of {{ place.name }} on Sundays."
call_to_action = "Tell {{ target.office }} {{ target.last_name }}: open up."
body = '''
Many ask for it.[^ferry-2026] Few are against.[^hours]

{{ call_to_action }}

* one
* **two**[^ferry-2026]
'''
thanks = "The council meets on the first Monday."

[letters.thank-you]
headline = "Thank you, {{ target.office }} {{ target.last_name }}"
lead_in = "Our thanks to {{ target.office }} {{ target.last_name }}:"
statement = "Thank you for Sundays in {{ place.name }}."
call_to_action = "Add your thanks."
button = "Say thank you"
body = "It is open.[^hours]"

[[targets]]
name = "Ada Okafor"
office = "Mayor"
place = "Rivermouth"
region = "Westmark"
kind = "demand"
slug = "rivermouth"

[[targets]]
name = "Jan van der Berg"
office = "Mayor"
place = "Hillford"
region = "Westmark"
kind = "thank-you"
slug = "hillford"
"""
REWORDED = CAMPAIGN.replace('on Sundays."\ncall', 'every Sunday afternoon."\ncall')


@pytest.fixture
def publish(db, tmp_path):
    """`publish(text)` imports a campaign file and publishes it, as `manage.py import_campaign` does."""

    def do(text, **options):
        file = tmp_path / "campaign.toml"
        file.write_text(text, encoding="utf-8")
        call_command("import_campaign", str(file), publish=True, verbosity=0, stdout=io.StringIO(), **options)

    return do


@pytest.fixture
def petition(publish):
    publish(CAMPAIGN)
    return Petition.objects.get(slug="rivermouth")


def links(person, address):
    return re.findall(r'href="(/(?:campaigns|petitions)/[^"]+)"', person.opens(address).content.decode())


def test_a_file_becomes_pages_that_are_found_from_home_signed_and_confirmed(connie, petition, work):
    [campaign] = [link for link in links(connie, "/") if link.startswith("/campaigns/")]
    petitions = {link for link in links(connie, campaign) if link.startswith("/petitions/")}
    page = connie.opens(petition.get_absolute_url())
    connie.signs(petition)
    work()
    thanks = connie.confirms()
    work()

    assert petitions == {"/petitions/rivermouth/", "/petitions/hillford/"}
    assert "The petition to Mayor Okafor reads: Open the library of Rivermouth on Sundays." in text_of(page)
    assert page.content.decode().count("Ann Ferry") == 1
    assert "Open the library of Rivermouth on Sundays." in connie.mails[0].body
    assert "hello@readers.example" in connie.mails[0].from_email
    assert "The council meets on the first Monday." in text_of(thanks)
    assert "Thank you, Mayor van der Berg" in text_of(thanks)
    assert shown_count(connie, petition) == (1, 1)


def test_the_thank_you_petition_of_the_same_file_is_signed_in_its_own_words(connie, petition):
    page = connie.opens("/petitions/hillford/")

    assert "Thank-you to Mayor Jan van der Berg" in text_of(page)
    assert "Say thank you" in text_of(page)


def test_a_statement_reworded_while_collecting_leaves_each_signature_its_own_version(
    connie, petition, publish, work
):
    ray = Person(first_name="Ray", email="ray@people.example")
    connie.signs(petition)
    work()

    with pytest.raises(CommandError, match="Say why"):
        publish(REWORDED)
    unchanged = connie.opens(petition.get_absolute_url())
    publish(REWORDED, reason="The council asked for hours.")
    ray.signs(petition)
    work()
    for person in (connie, ray):
        person.confirms()
    work()

    assert "every Sunday afternoon" not in text_of(unchanged)
    assert {row.first_name: row.version.statement for row in Signature.objects.all()} == {
        "Connie": "Open the library of Rivermouth on Sundays.",
        "Ray": "Open the library of Rivermouth every Sunday afternoon.",
    }
    assert "Rivermouth on Sundays." in connie.mails[0].body
    assert "every Sunday afternoon." in ray.mails[0].body
    assert shown_count(connie, petition) == (2, 2)


def test_the_change_is_explained_in_public(connie, petition, publish, work):
    connie.signs(petition)
    work()
    publish(REWORDED, reason="The council asked for hours.")

    assert (
        f"{petition.get_absolute_url()}versions/"
        in connie.opens(petition.get_absolute_url()).content.decode()
    )
    history = text_of(connie.opens(f"{petition.get_absolute_url()}versions/"))
    assert "Why it changed: The council asked for hours." in history
    assert "[added: every Sunday afternoon.]" in history
    assert "Version 1" in history
    assert "Version 2" in history


def test_who_signs_from_a_page_opened_before_the_change_signs_what_they_read(connie, petition, publish, work):
    read = connie.opens(petition.get_absolute_url()).content.decode()
    shown = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', read))
    publish(REWORDED)

    connie.signs(petition, **shown)
    work()
    asked = connie.opens(connie.link("confirm"))

    assert Signature.objects.get().version.number == 1
    assert "Rivermouth on Sundays." in connie.mails[0].body
    assert "Rivermouth on Sundays." in text_of(asked)
    assert "every Sunday afternoon" not in text_of(asked)


@pytest.mark.parametrize("version", ["0", "99", "-1", "1.5", "one", "9" * 5000, "²", "\x00"])
def test_a_version_that_was_never_shown_is_taken_for_the_current_one(connie, petition, work, version):
    answer = connie.signs(petition, version=version)
    work()

    assert answer.status_code == 303
    assert Signature.objects.get().version == petition.current_version


def test_importing_the_same_file_again_publishes_nothing_new(connie, petition, publish):
    before = connie.opens(petition.get_absolute_url())

    publish(CAMPAIGN)

    assert Version.objects.count() == 2
    assert connie.opens(petition.get_absolute_url())["ETag"] == before["ETag"]
