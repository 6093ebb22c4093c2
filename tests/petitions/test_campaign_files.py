"""Campaign files: every problem with its place, loading twice, and the round trip."""

import datetime
import io
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.models import Campaign, Organization, Place, Source, Target
from petitions.campaign_files import BrokenFile, Loaded, load, loading, read, write
from petitions.campaign_files.positions import find_positions
from petitions.campaign_files.writing import block, one_line
from petitions.models import Letter, Petition, Version
from petitions.publishing import publish
from staff.models import AuditEntry
from tests.factories import NOW, make_campaign, make_letter, make_organization, make_petition, make_signature

SAMPLE = Path(apps.get_app_config("petitions").path) / "samples" / "open-sundays.toml"

LETTER = """
headline = "Open the library"
lead_in = "The petition reads:"
statement = "Open it."
call_to_action = "Sign here."
body = "Please."
"""
START = f"""[organization]
name = "Lamp & Page"
[campaign]
slug = "lamps"
title = "More lamps"
[letters.demand]{LETTER}"""
ADA = """
[[targets]]
name = "Ada Okafor"
place = "Rivermouth"
"""


def problems(text: str | bytes) -> list[str]:
    with pytest.raises(BrokenFile) as broken:
        read(text)
    return [str(problem) for problem in broken.value.problems]


def is_read_or_refused(text: str | bytes) -> bool:
    try:
        return bool(read(text))
    except BrokenFile as broken:
        return bool(broken.problems)


def line_of(text: str, words: str) -> int:
    return text[: text.index(words)].count("\n") + 1


def load_text(text: str) -> Loaded:
    return load(read(text), at=NOW)


def state(campaign: Campaign) -> dict[str, Any]:
    """All that a file is about, without keys that depend on when a row was made."""
    skipped = {
        "id",
        "created_at",
        "campaign_id",
        "organization_id",
        "letter_id",
        "target_id",
        "place_id",
        "current_version_id",
    }

    def row(instance: Any) -> dict[str, Any]:
        return {
            f.attname: getattr(instance, f.attname)
            for f in instance._meta.concrete_fields
            if f.attname not in skipped
        }

    petitions = Petition.objects.filter(letter__campaign=campaign).order_by("slug")
    return {
        "organization": row(campaign.organization),
        "campaign": row(campaign),
        "sources": [row(source) for source in campaign.sources.order_by("key")],
        "letters": [row(letter) for letter in campaign.letters.order_by("kind")],
        "targets": [
            (row(target), row(target.place))
            for target in campaign.targets.order_by("name", "place__name", "place__region")
        ],
        "petitions": [
            (
                row(petition),
                petition.letter.kind,
                petition.target and (petition.target.name, petition.target.place.name),
                sorted(petition.members.values_list("name", flat=True)),
            )
            for petition in petitions
        ],
    }


def forget(campaign: Campaign) -> None:
    """Deletes a campaign that was never published, with all that belongs to it."""
    Petition.objects.filter(letter__campaign=campaign).delete()
    organization = campaign.organization
    campaign.delete()
    organization.delete()
    Place.objects.all().delete()


# --- The sample --------------------------------------------------------------------------------------------


def test_letters_of_the_sample_have_400_to_600_words() -> None:
    file = read(SAMPLE.read_bytes())

    lengths = {kind: len(letter.text("body").split()) for kind, letter in file.letters.items()}

    assert set(lengths) == {"demand", "thank-you"}
    assert all(400 <= length <= 600 for length in lengths.values()), lengths


def test_every_source_of_the_sample_says_that_it_is_invented() -> None:
    file = read(SAMPLE.read_bytes())

    publications = [source.text("publication") for source in file.sources]

    assert len(publications) >= 6
    assert all(publication.endswith("(invented)") for publication in publications)


@pytest.mark.django_db
def test_sample_can_be_published_without_a_warning() -> None:
    loaded = load(read(SAMPLE.read_bytes()), at=NOW)

    published = publish(campaign=loaded.campaign, at=NOW)

    assert published.new == 7
    assert not Version.objects.filter(letter_text__contains="{{").exists()


@pytest.mark.django_db
def test_sample_is_written_the_way_an_export_writes_it() -> None:
    text = SAMPLE.read_text(encoding="utf-8")

    exported = write(load_text(text).campaign)

    assert exported == text[text.index("[organization]") :]


# --- Problems ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "words", "expected"),
    [
        ("[[source]]\nkey = 'a'", "[[source]]", "source: There is no table “source” here. Did you mean “sources”?"),
        (ADA + "e-mail = 'a@example.org'", "e-mail", "targets[1].e-mail: There is no key “e-mail” here. Did you mean “email”?"),
        (ADA + "email = 'no address'", "email", "targets[1].email: Enter a valid email address."),
        (ADA + "goal = '500'", "goal", "targets[1].goal: “goal” has to be a whole number without quotes, not a text."),
        (ADA + "goal = true", "goal", "targets[1].goal: “goal” has to be a whole number without quotes, not true or false."),
        (ADA + "goal = 0", "goal", "targets[1].goal: Write a number from 1 to 2,147,483,647, without separators."),
        (ADA + "kind = 'demnad'", "kind", "targets[1].kind: “demnad” is not possible here. Write \"demand\" or \"thank-you\". Did you mean “demand”?"),
        (ADA + "kind = 'thank-you'", "kind", "targets[1].kind: The file has no [letters.thank-you]. Add it, or choose the other kind."),
        (ADA + "slug = 'a b'", "slug = 'a b'", "targets[1].slug: Enter a valid “slug” consisting of letters, numbers, underscores or hyphens."),
        (ADA + "headline = '{{ place.nam }}'", "headline = '{{", "targets[1].headline: There is no merge field {{ place.nam }}. Did you mean {{ place.name }}?"),
        (ADA + "headline = '{{ place.region }}'", "headline = '{{", "targets[1].headline: {{ place.region }} has no value for Mayor Ada Okafor. Add a fallback: {{ place.region|… }}."),
        (ADA + "local = '[^smith]'", "local", "targets[1].local: No source has the key “smith”."),
        (ADA + "closes_at = 2026-05-03", "closes_at", "targets[1].closes_at: “closes_at” has to be a date, time and offset without quotes, such as 2026-03-08T18:00:00Z, not a date."),
        (ADA + "closes_at = 9999-12-31T23:00:00Z", "closes_at", "targets[1].closes_at: This date is outside the calendar. Choose another one."),
        (ADA + 'salutation = """Dear\nAda"""', "salutation", "targets[1].salutation: This has to be on one line. Remove the line breaks."),
        ("[[targets]]\nname = 'Ada'", "[[targets]]", "targets[1].place: This is missing. Add place = \"…\"."),
        ("[[targets]]\nname = ' '\nplace = 'Q'", "name = ' '", "targets[1].name: “name” is empty. Write something."),
        (ADA + "petition = false\ngoal = 5", "goal", "targets[1].goal: With petition = false there is no petition that could have this. Remove one of them."),
        (ADA + ADA.replace("Okafor\"", "Okafor\" # again"), "name = \"Ada Okafor\" # again", "targets[2].name: This target stands in the file already, with the same kind. Remove one of them. (The first is on line 14.)"),
        (ADA + "[[groups]]\naddressee = 'All'\nmembers = ['lamps-rivermuth']", "members", "groups[1].members: No target has the slug “lamps-rivermuth”. Did you mean “lamps-rivermouth”?"),
        ("[[groups]]\naddressee = 'All'\nplace = 'Q'", "place", "groups[1].place: There is no key “place” here. Possible are: addressee, kind, slug, headline, local, goal, position, closes_at, members."),
        ("[[sources]]\nkey = 'A B'\ntitle = 'T'", "key = 'A B'", "sources[1].key: Use small letters, digits and hyphens, such as smith-2026."),
        ("[[sources]]\nkey = 'a'\ntitle = 'T'\nurl = 'javascript:x'", "url", "sources[1].url: Enter a full web address that begins with https:// or http://."),
        ("[[sources]]\nkey = 'a'\ntitle = 'T'\ndate = '2026-05-03'", "date", "sources[1].date: “date” has to be a date without quotes, such as 2026-03-08, not a text."),
        ("[[sources]]\nkey = 'a'\ntitle = 'T'\nauthors = ['A', 3]", "authors", "sources[1].authors: Every item of this list has to be a text in quotes; one is a number."),
        ("[[sources]]\nkey = 'a'\ntitle = \"T\\u0000\"", "title = \"T", "sources[1].title: There is a character in this text that cannot be stored (NUL). Remove it."),
        ("[sources]\nkey = 'a'\ntitle = 'T'", "[sources]", "sources: There can be several: write [[sources]] with two brackets."),
        ("[letters.thanks]", "[letters.thanks]", "letters.thanks: There is no letter “thanks” here. Did you mean “thank-you”?"),
    ],
)  # fmt: skip
def test_problem_is_told_with_its_line_and_key(more: str, words: str, expected: str) -> None:
    text = f"{START}\n{more}\n"

    found = problems(text)

    assert f"line {line_of(text, words)}, {expected}" in found


def test_every_problem_is_told_in_one_go() -> None:
    text = """[organization]
name = "Lamp & Page"
accent = "red"
reply_to = "nobody"
[campaign]
slug = "no slug"
title = 5
confirmation = "afterward"
count_floor = -1
colour = "blue"
[letters.demand]
headline = "Open {{ place.nme }}"
lead_in = "To {{ target.name }}:"
body = "See [^smith]."
[[targets]]
name = "Ada"
place = "Rivermouth"
date = 2026-05-03
"""

    places = [problem.split(": ")[0] for problem in problems(text)]

    assert places == [
        "line 3, organization.accent",
        "line 4, organization.reply_to",
        "line 6, campaign.slug",
        "line 7, campaign.title",
        "line 8, campaign.confirmation",
        "line 9, campaign.count_floor",
        "line 10, campaign.colour",
        "line 11, letters.demand.statement",
        "line 11, letters.demand.call_to_action",
        "line 12, letters.demand.headline",
        "line 14, letters.demand.body",
        "line 18, targets[1].date",
    ]


def test_two_letters_make_every_target_choose() -> None:
    found = problems(f"{START}[letters.thank-you]{LETTER}{ADA}")

    assert found == ['line 19, targets[1]: Which letter? Add kind = "demand" or kind = "thank-you".']


def test_field_used_twice_names_each_target_once() -> None:
    found = problems(START.replace("Please.", "{{ place.region }}, {{ place.region }}") + ADA)

    assert found == [
        "line 11, letters.demand.body: {{ place.region }} has no value for Mayor Ada Okafor. Add a fallback: {{ place.region|… }}."
    ]


def test_same_slug_and_same_key_are_refused() -> None:
    sources = "[[sources]]\nkey = 'a'\ntitle = 'T'\n" * 2
    group = "[[groups]]\naddressee = 'All'\nslug = 'one'\n"

    found = problems(f"{START}{sources}{ADA}slug = 'one'\n{group}")

    assert found == [
        "line 16, sources[2].key: Another source has this key. Choose a different one. (The first is on line 12.)",
        "line 25, groups[1].slug: Another petition has this slug. Choose a different one. (The first is on line 19.)",
    ]


def test_one_target_cannot_have_two_addresses() -> None:
    both = (
        f"{ADA}kind = 'demand'\nemail = 'a@example.org'\n{ADA}kind = 'thank-you'\nemail = 'b@example.org'\n"
    )

    found = problems(f"{START}[letters.thank-you]{LETTER}{both}")

    assert found == [
        "line 29, targets[2].email: “email” differs from what an earlier target says about the same person or place."
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "line 1, organization: The file has no [organization]. Add it, with at least name."),
        ("a", "line 1: This is not TOML. A key has to be followed by = and its value."),
        ("a = b", "line 1, column 5: This is not TOML. Write a text in quotes, a number, true or false, a date, or a list."),
        ("\na = 'x", "line 2: This is not TOML. A text has no closing quotes."),
        ("a = '''x", "line 1: This is not TOML. A text that begins with ''' has no closing '''."),
        ("[a]\n[a]", "line 2, column 3: This is not TOML. This table is begun twice. Keep one header, or use [[ ]] where there can be several."),
        ("a = 1\na = 2", "line 2: This is not TOML. This key is given twice. Keep one of them."),
        ("organization = 3", "line 1, organization: This has to be a table, not a number. Begin it with [organization]."),
        ("targets = 3", "line 1, targets: There can be several: write [[targets]] with two brackets."),
        ("letters = 3", "line 1, letters: Write the letters as [letters.demand] and [letters.thank-you]."),
        (b"# \xff", "line 1: The file is not in UTF-8. Save it as UTF-8 in your editor."),
        ("[a]\nb = '\ud800'", "line 2: The file is not in UTF-8. Save it as UTF-8 in your editor."),
        ("[organization]".encode("utf-16"), "line 1: The file is not in UTF-8. Save it as UTF-8 in your editor."),
        ("\na = " + "9" * 5000, "line 2: A number has too many digits."),
        ("a = " + "[" * 5000, "line 1: Brackets or names are nested too deeply."),
        ("a = " + "{a=" * 5000, "line 1: Brackets or names are nested too deeply."),
        (".".join("a" * 100_000) + " = 1", "line 1: Brackets or names are nested too deeply."),
        ("[" + ".".join("a" * 100_000) + "]", "line 1: Brackets or names are nested too deeply."),
        (b"#" * 50_000_000, "line 1: The file is too large. A campaign file has at most 5,000,000 bytes."),
        ("a = 1\0", "line 1, column 6: This is not TOML. Only one key and value can stand on a line."),
    ],
    ids=range(20),
)  # fmt: skip
def test_what_is_hardly_a_campaign_file_is_told_so(text: str | bytes, expected: str) -> None:
    assert expected in problems(text)


@pytest.mark.parametrize(
    "value",
    [
        "0x" + "f" * 5000,
        "1e999999",
        "nan",
        "-0",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "24:00:00",
        "[[[1]]]",
    ],
)
def test_odd_values_are_problems_wherever_they_stand(value: str) -> None:
    for key in ("name", "email", "goal", "closes_at", "petition", "postal_prefixes"):
        assert problems(f"{START}[[targets]]\nplace = 'Q'\n{key} = {value}\n")


@given(
    st.text() | st.binary() | st.from_regex(r"(\[{1,2}[a-z.]+\]{1,2}\n|[a-z]+ = [\[{\"'0-9a-z:.-]*\n){1,20}")
)
def test_any_input_is_read_or_refused(text: str | bytes) -> None:
    assert is_read_or_refused(text)


@given(st.sampled_from(SAMPLE.read_text(encoding="utf-8").splitlines()), st.text(max_size=30))
@settings(max_examples=60)
def test_damaged_file_is_read_or_refused(line: str, replacement: str) -> None:
    text = SAMPLE.read_text(encoding="utf-8").replace(line, replacement, 1)

    assert is_read_or_refused(text)


def test_lines_are_found_around_everything_toml_has() -> None:
    text = """# [comment]
[letters.'thank-you']
body = '''
[not.a.header]
key = 1
'''  # comment
more = [
  "[x]", # ]
]
inline = { a = 1, b = "}" }
[[targets]]
a.b = 1
[[targets]]
name = \"\"\"
[[targets]]\"\"\"
[targets.below]
x = 2026-01-01T00:00:00Z"""

    lines = find_positions(text).lines

    assert lines == {
        ("letters",): 2,
        ("letters", "thank-you"): 2,
        ("letters", "thank-you", "body"): 3,
        ("letters", "thank-you", "more"): 7,
        ("letters", "thank-you", "inline"): 10,
        ("targets",): 11,
        ("targets", 1): 11,
        ("targets", 1, "a"): 12,
        ("targets", 1, "a", "b"): 12,
        ("targets", 2): 13,
        ("targets", 2, "name"): 14,
        ("targets", 2, "below"): 16,
        ("targets", 2, "below", "x"): 17,
    }


# --- Slugs and kinds ---------------------------------------------------------------------------------------


def test_slug_is_made_of_campaign_and_place() -> None:
    file = read(f"{START}{ADA}[[targets]]\nname = 'Zoë'\nplace = 'Saint-Émile'\n")

    assert list(file.slugs.values()) == ["lamps-rivermouth", "lamps-saint-emile"]


def test_slugs_of_one_place_tell_its_petitions_apart() -> None:
    letters = f"{START}[letters.thank-you]{LETTER}"
    file = read(
        f"{letters}{ADA}kind = 'demand'\n{ADA}kind = 'thank-you'\n{ADA.replace('Ada', 'Bo')}kind = 'demand'\n"
    )

    assert list(file.slugs.values()) == [
        "lamps-rivermouth-demand",
        "lamps-rivermouth-thank-you",
        "lamps-rivermouth-bo-okafor",
    ]


def test_slug_is_made_even_where_no_letter_fits_an_address() -> None:
    file = read(
        f"{START}[[targets]]\nname = 'ليلى'\nplace = 'مرفأ'\n[[targets]]\nname = 'נעמי'\nplace = 'נמל'\n"
    )

    assert list(file.slugs.values()) == ["lamps-demand", "lamps-2"]


# --- Loading -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_loading_again_changes_nothing() -> None:
    file = read(SAMPLE.read_bytes())
    load(file, at=NOW)
    entries = AuditEntry.objects.count()

    again = load(file, at=NOW)

    assert not again.changed
    assert not again.left
    assert AuditEntry.objects.count() == entries


@pytest.mark.django_db
def test_loading_counts_what_it_made_and_leaves_a_trace() -> None:
    loaded = load(read(SAMPLE.read_bytes()), at=NOW)

    assert loaded.created == {
        "organizations": 1, "campaigns": 1, "sources": 7, "letters": 2, "places": 6, "targets": 6, "petitions": 7
    }  # fmt: skip
    assert AuditEntry.objects.get().action == "loaded a campaign file"


@pytest.mark.django_db
def test_petition_that_is_closed_in_the_same_moment_stays_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    load_text(START + ADA)
    fill = loading.fill

    def slow_fill(instance: Model, *given: Any, **options: Any) -> None:
        if isinstance(instance, Petition):
            Petition.objects.update(closed_at=NOW)
        fill(instance, *given, **options)

    monkeypatch.setattr(loading, "fill", slow_fill)

    load_text(START + ADA + "goal = 50\n")

    petition = Petition.objects.get()
    assert (petition.goal, petition.closed_at) == (50, NOW)


@pytest.mark.django_db
def test_changed_file_updates_only_what_differs() -> None:
    load_text(START + ADA)

    again = load_text(START.replace("More lamps", "Brighter lamps") + ADA + "goal = 50\n")

    assert again.updated == {"campaigns": 1, "petitions": 1}
    assert not again.created
    assert Campaign.objects.get().title == "Brighter lamps"
    assert Petition.objects.get().goal == 50


@pytest.mark.django_db
def test_key_that_is_gone_from_the_file_is_emptied() -> None:
    load_text(f"{START}{ADA}headline = 'Hello'\nemail = 'a@example.org'\n")

    load_text(START + ADA)

    assert Petition.objects.get().headline == ""
    assert Target.objects.get().email == ""


@pytest.mark.django_db
def test_what_other_campaigns_share_is_not_emptied() -> None:
    Organization.objects.create(name="Lamp & Page", parent="from Elsewhere", accent="#112233")
    Place.objects.create(name="Rivermouth", postal_prefixes="410")

    load_text(START + ADA)

    organization = Organization.objects.get()
    assert (organization.parent, organization.accent) == ("from Elsewhere", "#112233")
    assert Place.objects.get().postal_prefixes == "410"


@pytest.mark.django_db
def test_what_the_file_lacks_is_left_and_named() -> None:
    load_text(f"{START}[[sources]]\nkey = 'smith'\ntitle = 'T'\n{ADA}")

    again = load_text(START)

    assert again.left == [
        "source “smith”",
        "target Mayor Ada Okafor, Rivermouth",
        "petition “lamps-rivermouth”",
    ]
    assert Source.objects.exists()
    assert Petition.objects.exists()


@pytest.mark.django_db
def test_draft_gets_the_new_slug() -> None:
    load_text(START + ADA)

    load_text(f"{START}{ADA}slug = 'lamps-for-all'\n")

    assert Petition.objects.get().slug == "lamps-for-all"


@pytest.mark.django_db
def test_slug_chosen_in_the_admin_stays_where_the_file_gives_none() -> None:
    load_text(START + ADA)
    Petition.objects.update(slug="chosen")

    again = load_text(START + ADA)

    assert not again.changed
    assert Petition.objects.get().slug == "chosen"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            f"{ADA}slug = 'elsewhere'\n",
            "line 16, targets[1].slug: The petition to Mayor Ada Okafor has the address “lamps-rivermouth”. Write that one.",
        ),
        (
            f"{ADA.replace('Ada', 'Bo')}slug = 'lamps-rivermouth'\n",
            "line 16, targets[1].slug: Here is the published petition to Mayor Ada Okafor. Choose a different address.",
        ),
    ],
)
def test_published_petition_keeps_address_and_target(more: str, expected: str) -> None:
    publish(campaign=load_text(START + ADA).campaign, at=NOW)

    with pytest.raises(BrokenFile) as broken:
        load_text(START + more)

    assert [str(problem) for problem in broken.value.problems] == [expected]
    assert Target.objects.get().name == "Ada Okafor"


@pytest.mark.django_db
def test_slugs_of_other_campaigns_are_refused_and_nothing_changes() -> None:
    other = make_campaign(slug="others", title="Others")
    make_petition(slug="lamps-rivermouth", letter=make_letter(campaign=other))

    with pytest.raises(BrokenFile) as broken:
        load_text(START + ADA)

    assert (
        str(broken.value)
        == "line 13, targets[1].slug: This address belongs to a petition of “Others”. Choose a different one."
    )
    assert not Campaign.objects.filter(slug="lamps").exists()


@pytest.mark.django_db
def test_campaign_of_another_organization_is_not_taken_over() -> None:
    make_campaign(slug="lamps", organization=make_organization(name="Owners"))

    with pytest.raises(BrokenFile) as broken:
        load_text(START)

    assert "line 4, campaign.slug: This address belongs to a campaign of “Owners”." in str(broken.value)
    assert not Organization.objects.filter(name="Lamp & Page").exists()


@pytest.mark.django_db
def test_group_gets_its_members_and_loses_them() -> None:
    group = "[[groups]]\naddressee = 'All mayors'\nmembers = ['lamps-rivermouth']\n"
    load_text(START + ADA + group)
    members = [target.name for target in Petition.objects.get(target=None).members.all()]

    again = load_text(START + ADA + "[[groups]]\naddressee = 'All mayors'\n")

    assert members == ["Ada Okafor"]
    assert again.updated == {"petitions": 1}
    assert not Petition.objects.get(target=None).members.exists()


@pytest.mark.django_db
def test_target_without_petition_can_be_a_member() -> None:
    group = "[[groups]]\naddressee = 'All mayors'\nmembers = ['ada']\n"

    load_text(f"{START}{ADA}petition = false\nslug = 'ada'\n{group}")

    assert [target.name for target in Petition.objects.get().members.all()] == ["Ada Okafor"]


# --- The round trip ----------------------------------------------------------------------------------------

ANY_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.text(
    "'\"\\\n\r\t x\u2028\ufeff\x7f\x1b\u200f"
)


@given(ANY_TEXT)
def test_any_text_is_read_back_as_it_was(text: str) -> None:
    normal = text.replace("\r\n", "\n").replace("\r", "\n")

    assert tomllib.loads(f"x = {block(normal)}\n") == {"x": normal}
    assert tomllib.loads(f"x = {one_line(text)}\n") == {"x": text}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("one\ntwo\n", "'''\none\ntwo\n'''"),
        ('C:\\x "y"\n', "'''\nC:\\x \"y\"\n'''"),
        ("it is '''so'''\nyes", "\"\"\"\nit is '''so'''\nyes\"\"\""),
        ("bell \x07\nend", '"""\nbell \\u0007\nend"""'),
    ],
)
def test_long_texts_stay_readable(text: str, written: str) -> None:
    assert block(text) == written


# What neither the admin nor a file takes in a letter: broken fields, citations, HTML.
WORDS = st.text(
    st.characters(exclude_characters="\0\r{}[]<>", exclude_categories=["Cs"]) | st.sampled_from("'\"\\\n\t"),
    max_size=40,
)
LONG = WORDS.map(lambda words: f"x{words}")
LINE = WORDS.map(lambda words: f"x{' '.join(words.splitlines())}x"[:100].strip())


@pytest.mark.django_db
@pytest.mark.one_database
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=st.lists(LINE, min_size=8, max_size=8), texts=st.lists(LONG, min_size=5, max_size=5), data=st.data()
)
def test_campaign_survives_the_round_trip(lines: list[str], texts: list[str], data: st.DataObject) -> None:
    with transaction.atomic():
        campaign = hostile_campaign(lines, texts, data)
        before, exported = state(campaign), write(campaign)
        forget(campaign)

        loaded = load_text(exported)

        assert state(loaded.campaign) == before
        assert write(loaded.campaign) == exported
        assert not load_text(exported).changed
        transaction.set_rollback(True)


def hostile_campaign(lines: list[str], texts: list[str], data: st.DataObject) -> Campaign:
    organization = Organization.objects.create(name=lines[0], parent=lines[1], postal_address=texts[0])
    campaign = Campaign.objects.create(
        organization=organization,
        slug="hostile",
        title=lines[2],
        summary=texts[1],
        confirmation="afterwards",
        asks_comment=data.draw(st.booleans()),
        count_floor=data.draw(st.integers(0, 2**31 - 1)),
    )
    Source.objects.create(
        campaign=campaign,
        key="a-1",
        title=lines[3],
        authors=lines[4:6],
        date=data.draw(st.none() | st.dates()),
    )
    letter = {
        "headline": lines[4],
        "lead_in": lines[5],
        "call_to_action": lines[6],
        "closing": lines[7],
        "greeting": lines[0],
    }
    for kind in ("demand", "thank-you"):
        Letter.objects.create(
            campaign=campaign, kind=kind, statement=texts[2], body=texts[3], thanks=texts[4], **letter
        )
    demand, thanks = Letter.objects.order_by("kind")
    days = st.datetimes(timezones=st.just(datetime.UTC))
    moments = st.none() | days.filter(lambda moment: datetime.MINYEAR < moment.year < datetime.MAXYEAR)
    place = Place.objects.create(
        name=lines[6], region=lines[7], postal_prefixes=data.draw(st.sampled_from(["", "1 2", " 1,2\n3"]))
    )
    one = Target.objects.create(campaign=campaign, name=lines[1], place=place, salutation=lines[2])
    two = Target.objects.create(
        campaign=campaign, name=lines[1] + "!", last_name="Other", office=lines[3], place=place
    )
    common = {
        "local": texts[0],
        "closes_at": data.draw(moments),
        "goal": data.draw(st.none() | st.integers(1, 2**31 - 1)),
    }
    Petition.objects.create(
        letter=demand, target=one, slug="b", position=data.draw(st.integers(0, 3)), **common
    )
    Petition.objects.create(
        letter=thanks, target=one, slug="a", position=data.draw(st.integers(0, 3)), headline=lines[5]
    )
    group = Petition.objects.create(letter=thanks, addressee=lines[0], slug="c", position=2)
    group.members.set([one, two] if data.draw(st.booleans()) else [two])
    return campaign


@pytest.mark.django_db
def test_line_ends_of_browsers_become_those_of_files() -> None:
    campaign = load_text(START + ADA).campaign
    Letter.objects.update(body="one\r\ntwo\rthree")

    exported = write(campaign)

    assert "body = '''\none\ntwo\nthree'''" in exported
    assert not load_text(exported).changed


# --- The commands ------------------------------------------------------------------------------------------


def run(*arguments: str) -> str:
    output = io.StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


@pytest.mark.django_db
def test_import_command_tells_what_it_did(tmp_path: Path) -> None:
    file = tmp_path / "lamps.toml"
    file.write_text(START + ADA, encoding="utf-8")

    first, second = run("import_campaign", str(file)), run("import_campaign", str(file))

    assert (
        first
        == "More lamps:\nCreated: 1 organization, 1 campaign, 1 letter, 1 place, 1 target, 1 petition.\n"
    )
    assert second == "More lamps:\nNothing has changed.\n"


@pytest.mark.django_db
def test_import_command_reads_standard_input_and_publishes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((START + ADA).encode())))

    output = run("import_campaign", "-", "--publish")

    assert output.endswith("Published: 1 new.\n")
    assert Petition.objects.get().live_at is not None


@pytest.mark.django_db
def test_publishing_leaves_out_what_the_file_lacks(tmp_path: Path) -> None:
    load_text(START + ADA)
    file = tmp_path / "lamps.toml"
    file.write_text(START + ADA.replace("Ada", "Bo").replace("River", "Lamp"), encoding="utf-8")

    run("import_campaign", str(file), "--publish")

    assert Petition.objects.get(target__name="Ada Okafor").live_at is None
    assert Petition.objects.get(target__name="Bo Okafor").live_at is not None


@pytest.mark.django_db
def test_broken_file_is_refused_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "lamps.toml"
    file.write_text(START.replace('title = "More lamps"', "title = 3\nlanguage = '!'"), encoding="utf-8")

    with pytest.raises(CommandError) as refused:
        run("import_campaign", str(file))

    lines = str(refused.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        "line 5, campaign.title",
        "line 6, campaign.language",
        "Nothing was changed.",
    ]
    assert not Organization.objects.exists()


@pytest.mark.django_db
def test_failing_publication_takes_the_import_back(tmp_path: Path) -> None:
    file = tmp_path / "lamps.toml"
    file.write_text(START, encoding="utf-8")

    with pytest.raises(CommandError, match="Add at least one target or group"):
        run("import_campaign", str(file), "--publish")

    assert not Campaign.objects.exists()


@pytest.mark.django_db
def test_signed_statement_changes_only_with_a_reason(tmp_path: Path) -> None:
    publish(campaign=load_text(START + ADA).campaign, at=NOW)
    make_signature(petition=Petition.objects.get())
    file = tmp_path / "lamps.toml"
    file.write_text((START + ADA).replace("Open it.", "Open it now."), encoding="utf-8")

    with pytest.raises(CommandError, match="--reason"):
        run("import_campaign", str(file), "--publish")
    unchanged = Letter.objects.get().statement
    run("import_campaign", str(file), "--publish", "--reason", "Clearer")

    assert unchanged == "Open it."
    assert Version.objects.get(number=2).reason == "Clearer"


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for name in (str(tmp_path / "none.toml"), str(tmp_path), "a\0b"):
        with pytest.raises(CommandError, match="Cannot read"):
            run("import_campaign", name)


@pytest.mark.django_db
def test_export_command_writes_what_import_reads() -> None:
    campaign = load_text(START + ADA).campaign

    assert run("export_campaign", "lamps") == write(campaign)


@pytest.mark.django_db
def test_export_of_an_unknown_campaign_suggests_one() -> None:
    make_campaign(slug="open-sundays")

    with pytest.raises(CommandError, match="Did you mean “open-sundays”"):
        run("export_campaign", "open-sunday")
