"""Lists of targets: reading any CSV, comparing it with a campaign, applying it."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from campaigns.models import Campaign, Organization, Place, Target
from petitions import checking
from petitions.models import FormerAddress, Letter, Petition, TargetList
from petitions.target_lists import comparing
from petitions.target_lists.applying import AppliedAlready, Outdated, WrongRows, apply
from petitions.target_lists.comparing import Mark, compare
from petitions.target_lists.keeping import Correction, correct, forget_lists, keep
from petitions.target_lists.reading import BrokenList, read
from staff.models import AuditEntry
from tests.factories import NOW, make_campaign, make_letter, make_petition, make_place, make_version
from tests.petitions.conftest import add_petition
from tests.threads import in_parallel


def cells_of(content):
    return [row["cells"] for row in read(content).rows]


def table(*rows, heading=("Name", "Place", "Region")):
    """A CSV text; rows may be shorter than the heading."""
    out = io.StringIO()
    csv.writer(out).writerows([heading, *rows])
    return out.getvalue()


# --- Reading -------------------------------------------------------------------------------------------------


def test_columns_may_come_in_any_order_under_their_usual_headings():
    content = "E-Mail Address,STATE / Province,Town,Full_Name,Thánks,Title\nm@x.example,Westmark,Rivermouth,Ada Okafor,,Mayor"

    found = read(content)

    assert found.rows == [
        {
            "line": 2,
            "cells": {
                "email": "m@x.example",
                "region": "Westmark",
                "place": "Rivermouth",
                "name": "Ada Okafor",
                "office": "Mayor",
            },
        }
    ]
    assert found.ignored == ["The column “Thánks” is ignored."]


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("City", "place"), ("ciudad", "place"), ("Municipality", "place"),
        ("mail", "email"), ("E_MAIL", "email"), ("e-mail (optional)", "email"),
        ("Side", "kind"), ("type", "kind"),
        ("Région", "region"), ("state", "region"), ("País", "country"),
        ("Office", "office"), ("ROLE", "office"),
        ("Local paragraph", "local"), ("local", "local"), ("ZIP codes", "postal_prefixes"), ("goal", "goal"),
    ],
)  # fmt: skip
def test_a_heading_is_understood(heading, column):
    known = {"name": "Name", "place": "Place"}
    headings = [*(known[name] for name in known if name != column), heading]

    [cells] = cells_of(";".join(headings) + "\n" + ";".join("x" * len(headings)))

    assert column in cells


def test_first_and_last_name_are_joined():
    [cells] = cells_of("Last name,City,First name\nvan der Berg,Hillford,Jan")

    assert cells == {"name": "Jan van der Berg", "last_name": "van der Berg", "place": "Hillford"}


def test_a_first_name_beside_the_whole_name_is_ignored_and_said_so():
    found = read("First name,Name,City\nJan,Jan Berg,Hillford")

    assert found.rows[0]["cells"]["name"] == "Jan Berg"
    assert found.ignored == ["The column “First name” is ignored beside the whole name."]


def test_an_unknown_column_is_named_with_the_nearest_known():
    assert read("Name,City,Emial,Shoe size\nAda,Rivermouth,a@x.example,9").ignored == [
        "The column “Emial” is ignored. If you mean the e-mail, head it “E-mail”.",
        "The column “Shoe size” is ignored.",
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_every_usual_encoding_and_separator_is_read(encoding, separator):
    text = separator.join(("Name", "City")) + "\r\n" + separator.join(("Zoë Müller", "Besançon")) + "\r\n"

    assert cells_of(text.encode(encoding)) == [{"name": "Zoë Müller", "place": "Besançon"}]


def test_a_line_that_names_the_separator_is_believed():
    found = read("sep=;\nName;City\nOkafor, Ada;Rivermouth\n")

    assert found.rows == [{"line": 3, "cells": {"name": "Okafor, Ada", "place": "Rivermouth"}}]


def test_quotes_line_breaks_in_quotes_blank_lines_and_empty_columns_are_read():
    text = 'Name,City,Local,,\r\n\r\n"Ada ""Ace"" Okafor",Rivermouth,"One.\r\n\r\nTwo.",,\n,,,,\rBo Lind,Hillford\r'

    assert read(text).rows == [
        {"line": 3, "cells": {"name": 'Ada "Ace" Okafor', "place": "Rivermouth", "local": "One.\n\nTwo."}},
        {"line": 7, "cells": {"name": "Bo Lind", "place": "Hillford"}},
    ]


def test_what_guards_a_cell_from_a_spreadsheet_goes_and_other_apostrophes_stay():
    text = 'Name,City,ZIP\nAda,\'s-Hertogenbosch,\'00123\nBo,Hillford,"=""00456"""\nLi,\'-Hill,1'

    assert [(cells["place"], cells["postal_prefixes"]) for cells in cells_of(text)] == [
        ("'s-Hertogenbosch", "00123"),
        ("Hillford", "00456"),
        ("-Hill", "1"),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "This is empty"),
        (" \n\n", "This is empty"),
        (b"\xff\xfe", "This is empty"),
        ("sep=;\n", "This is empty"),
        ("Name,City\n", "no row below"),
        ("Name,City\n,,\n", "no row below"),
        ("Ada Okafor,Rivermouth\nBo Lind,Hillford", "does not name the columns"),
        ("Name\nAda", "A column is missing: “Place”"),
        ("City\nRivermouth", "A column is missing: “Name”"),
        ("First name,City\nAda,Rivermouth", "A column is missing: “Name”"),
        ("Name,City,Town\nAda,Rivermouth,x", "Two columns are the place: “City” and “Town”"),
        ("Name,City\nA\0da,Rivermouth", "line 2"),
        (b"PK\x03\x04rest", "CSV"),
        (b"\xd0\xcf\x11\xe0rest", "CSV"),
        (b"%PDF-1.7", "CSV"),
        ("Name,City\nAda,Rivermouth\n".encode("utf-16-le"), "NUL"),
        (b"Name,City\nAda,\x81\xff", "The characters on line 2 cannot be read"),
        ('Name,City\nAda,"Rivermouth\nBo,Hillford', "quotation mark on line 2 is never closed"),
        ("Name,City\nAda," + "x" * 1_000_000, "more than 100,000 characters"),
        ('Name,City\nAda,"' + "x" * 1_000_000 + '"', "more than 100,000 characters"),
        ("x" * 1_000_000, "more than 100,000 characters"),
        ("x" * 15_000_001, "too large"),
        ("Name,City" + ",x" * 300 + "\nAda,Rivermouth", "more than 200 columns"),
        ("Name,City\n" + "Ada,Rivermouth\n" * 20_001, "more than 20,000 rows"),
    ],
)  # fmt: skip
def test_what_is_no_list_is_refused_with_what_to_do(content, words):
    with pytest.raises(BrokenList) as broken:
        read(content)

    assert words in str(broken.value)


@pytest.mark.parametrize(
    "odd", ["\ud800", "\x02", "\x1b[31m", "\u202eada", "𝕬𝖉𝖆", "🏛", "\ufeff", "\u2028", "a" * 90_000]
)
def test_odd_characters_are_stored_or_refused_but_never_fail(odd, letter):
    rows = read(f"Name,City,Local\nAda {odd},{odd} Rivermouth,{odd}\n{odd},{odd},\n").rows

    preview = compare(letter.campaign, rows)

    assert preview.rows
    preview.digest.encode()


# --- Comparing -----------------------------------------------------------------------------------------------


@pytest.fixture
def thanks(campaign):
    return make_letter(campaign=campaign, kind="thank-you")


def compared(campaign, *rows, heading=("Name", "Place", "Region"), **options):
    return compare(campaign, read(table(*rows, heading=heading)).rows, **options).rows


def messages(row):
    return {problem.column: problem.message for problem in row.problems}


def test_rows_are_marked_new_changed_and_unchanged_field_by_field(letter, petition):
    petition.target.email = "old@rivermouth.example"
    petition.target.save()
    add_petition(letter, place="Hillford", name="Bo Lind")

    new, changed, unchanged = compared(
        letter.campaign,
        ["Li Wei", "Tidewater", "Westmark", "li@tide.example"],
        ["Ada Okafor", "Rivermouth", "Westmark", "new@rivermouth.example"],
        ["Bo Lind", "Hillford", "Westmark"],
        heading=("Name", "Place", "Region", "E-mail"),
    )

    assert [row.mark for row in (new, changed, unchanged)] == [Mark.NEW, Mark.CHANGED, Mark.UNCHANGED]
    assert [(change.label, change.before, change.after) for change in changed.changes] == [
        ("E-mail", "old@rivermouth.example", "new@rivermouth.example")
    ]


def test_an_empty_cell_and_a_missing_column_leave_what_is_stored(letter, petition):
    Target.objects.update(email="kept@rivermouth.example", salutation="Dear Ada")
    Petition.objects.update(headline="Kept", goal=700)

    [row] = compared(
        letter.campaign,
        ["Ada Okafor", "Rivermouth", "", "", ""],
        heading=("Name", "Place", "Region", "E-mail", "Goal"),
    )

    assert row.mark is Mark.UNCHANGED


@pytest.mark.parametrize(
    ("stored", "given"),
    [
        (("Zoë Nuñez", "Saint Louis", "Missouri"), ("zoe NUNEZ", "St. Louis", "MO")),
        (("Ada Okafor", "São Tomé", "Westmark"), ("Ada Okafor", "Sao Tome", "westmark")),
        (("Ada Okafor", "Rivermouth", "Westmark"), ("Ada  Okafor", "RIVERMOUTH", "")),
        (("عائشة الحداد", "دمشق", ""), ("عائشة الحداد", "دمشق", "")),
    ],
)
def test_a_target_is_found_however_name_and_place_are_written(letter, stored, given):
    name, city, region = stored
    place = make_place(name=city, region=region)
    target = Target.objects.create(campaign=letter.campaign, name=name, place=place)
    Petition.objects.create(letter=letter, target=target, slug="one")

    [row] = compared(letter.campaign, given)

    assert row.target == target
    assert {change.label for change in row.changes} <= {"Name", "Last name"}


def test_the_same_name_in_two_regions_is_two_targets(letter):
    oregon, illinois = compared(
        letter.campaign, ["Ada Okafor", "Springfield", "Oregon"], ["Ada Okafor", "Springfield", "Illinois"]
    )

    assert oregon.mark is illinois.mark is Mark.NEW
    assert oregon.target.place is not illinois.target.place


def test_a_place_that_could_be_two_asks_for_its_region(letter):
    make_place(name="Springfield", region="Oregon")
    make_place(name="Springfield", region="Illinois")

    [row] = compared(letter.campaign, ["Ada Okafor", "Springfield", ""])

    assert "Say which region" in messages(row)["region"]


def test_a_region_that_was_not_known_moves_the_target(letter):
    place = make_place(name="Tidewater", region="")
    target = Target.objects.create(campaign=letter.campaign, name="Ada Okafor", place=place)
    Petition.objects.create(letter=letter, target=target, slug="one")

    [row] = compared(letter.campaign, ["Ada Okafor", "Tidewater", "Westmark"])

    assert row.target == target
    assert [(change.label, change.before, change.after) for change in row.changes] == [
        ("Place", "Tidewater", "Tidewater, Westmark")
    ]


def test_another_name_in_the_same_office_is_a_new_target_with_a_warning(letter, petition):
    [row] = compared(letter.campaign, ["Bo Lind", "Rivermouth", "Westmark"])

    assert row.mark is Mark.NEW
    assert row.warnings == [
        "Rivermouth already has a petition to Mayor Ada Okafor; this adds another and leaves that one."
    ]


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("E-mail", "ada(at)rivermouth", "is no e-mail address"),
        ("E-mail", "ada@gmial.com, bo@x.example", "is no e-mail address"),
        ("Kind", "thnk-you", "Did you mean “thank-you”?"),
        ("Kind", "perhaps", "Write demand or thank-you"),
        ("Kind", "thanks", "no thank-you letter"),
        ("Goal", "many", "is no number"),
        ("Goal", "0", "at least 1"),
        ("Goal", "9" * 5000, "too long"),
        ("Slug", "Open Sundays!", "Did you mean “open-sundays”?"),
        ("Slug", "taken-elsewhere", "another campaign"),
        ("Headline", "Open {{ place.nmae }}", "{{ place.name }}"),
        ("Headline", "Open it[^hours]", "Notes can be cited"),
        ("Headline", "x" * 201, "too long: 201 characters"),
        ("Headline", "{{ place.name }}" * 12, None),
        ("Local", "See.[^nobody]", "No source has the key “nobody”"),
        ("Local", "<b>Bold</b>", "HTML is shown as it is written"),
        ("Local", "Dear {{ supporter.first_name }}", "greeting only"),
        ("Local", "x" * 20_001, "too long"),
        ("Office", "=1+1", "is a formula"),
        ("Salutation", '=HYPERLINK("http://x.example","Dear")', "is a formula"),
        ("Country", "#N/A", "is an error of the spreadsheet"),
        ("Salutation", "Dear \ufffda", "could not be read"),
    ],
)
def test_a_wrong_cell_is_told_beside_its_column(letter, second, column, value, words):
    make_petition(slug="taken-elsewhere")

    [row] = compared(
        letter.campaign,
        ["Li Wei", "Tidewater", "Westmark", value],
        heading=("Name", "Place", "Region", column),
    )

    if words is None:
        assert row.mark is Mark.NEW
    else:
        assert row.mark is Mark.WRONG
        assert words in " ".join(messages(row).values())


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (["", "Tidewater"], "name"),
        (["Li Wei", ""], "place"),
        (["!!!", "Tidewater"], "name"),
        (["Li Wei", "…"], "place"),
        (["L" * 161, "Tidewater"], "name"),
        (["=HYPERLINK(1)", "Tidewater"], "name"),
        (["Li Wei", "Tidewater", "Westmark", "x@y.example"], ""),
    ],
)
def test_a_wrong_row_is_told(letter, row, column):
    [found] = compared(letter.campaign, row)

    assert found.mark is Mark.WRONG
    assert column in messages(found)


def test_a_region_the_letter_speaks_of_is_needed(letter):
    letter.body = "In {{ place.region }}."
    letter.save()

    lacking, given = compared(letter.campaign, ["Li Wei", "Tidewater"], ["Bo Lind", "Hillford", "Westmark"])

    assert "a region is needed" in messages(lacking)["region"]
    assert given.mark is Mark.NEW


def test_duplicate_rows_name_the_other_line(letter):
    _first, second, third = compared(
        letter.campaign,
        ["Ada Okafor", "Saint Louis", "Missouri"],
        ["ADA OKAFOR", "St. Louis", "MO"],
        ["Bo Lind", "St. Louis", "Missouri"],
    )

    assert "line 2 already" in messages(second)["name"]
    assert third.mark is Mark.NEW


def test_ten_thousand_equal_rows_are_one_target(letter):
    rows = compared(letter.campaign, *(["Ada Okafor", "Rivermouth"] for _ in range(10_000)))

    assert [row.mark for row in rows[:2]] == [Mark.NEW, Mark.WRONG]
    assert sum(row.mark is Mark.WRONG for row in rows) == 9_999


def test_two_rows_cannot_have_one_address(letter):
    _first, second = compared(
        letter.campaign,
        ["Ada Okafor", "Rivermouth", "same"],
        ["Bo Lind", "Hillford", "same"],
        heading=("Name", "Place", "Slug"),
    )

    assert "Line 2 has this address already" in messages(second)["slug"]


def test_two_rows_cannot_give_a_place_two_lists_of_postal_codes(letter):
    _first, second = compared(
        letter.campaign,
        ["Ada Okafor", "Rivermouth", "941 942"],
        ["Bo Lind", "Rivermouth", "943"],
        heading=("Name", "Place", "ZIP"),
    )

    assert "Line 2 gives other postal codes" in messages(second)["postal_prefixes"]


def test_a_draft_moves_to_the_other_kind_and_a_published_petition_does_not(letter, thanks, petition, second):
    make_version(second, at=NOW)

    draft, published = compared(
        letter.campaign,
        ["Ada Okafor", "Rivermouth", "Thank you!"],
        ["Jan van der Berg", "Hillford", "thanks"],
        heading=("Name", "Place", "Side"),
    )

    assert [(change.label, change.before, change.after) for change in draft.changes] == [
        ("Kind", "Demand", "Thank-you")
    ]
    assert "use “Take a stand”" in messages(published)["kind"]


def test_after_a_stand_the_old_list_still_changes_nothing(letter, thanks, petition):
    make_version(petition, at=NOW)
    Petition.objects.create(letter=thanks, target=petition.target, slug="thanks")
    Petition.objects.filter(pk=petition.pk).update(closed_at=NOW, won_at=NOW)

    [row] = compared(
        letter.campaign, ["Ada Okafor", "Rivermouth", "demand"], heading=("Name", "Place", "Kind")
    )

    assert row.mark is Mark.UNCHANGED


def test_the_only_letter_decides_the_kind(thanks):
    [row] = compared(thanks.campaign, ["Li Wei", "Tidewater"])

    assert row.petition.letter == thanks


def test_a_draft_is_found_by_its_address_and_takes_another_name(letter, petition):
    [row] = compared(
        letter.campaign,
        ["Ada Okafor-Lind", "Rivermouth", petition.slug],
        heading=("Name", "Place", "Slug"),
    )

    assert row.target == petition.target
    assert [change.label for change in row.changes] == ["Name", "Last name"]


def test_a_published_petition_keeps_its_person_and_its_address(letter, petition, second):
    make_version(petition, at=NOW)
    make_version(second, at=NOW)

    other_person, other_address = compared(
        letter.campaign,
        ["Bo Lind", "Rivermouth", petition.slug],
        ["Jan van der Berg", "Hillford", "elsewhere"],
        heading=("Name", "Place", "Slug"),
    )

    assert "Here is the published petition to Mayor Ada Okafor" in messages(other_person)["slug"]
    assert "people have the link" in messages(other_address)["slug"]


def test_an_address_of_somebody_else_is_refused(letter, petition, second):
    group = Petition.objects.create(letter=letter, addressee="mayors who read", slug="all-mayors")

    other_target, to_a_group = compared(
        letter.campaign,
        ["Ada Okafor", "Rivermouth", second.slug],
        ["Li Wei", "Tidewater", group.slug],
        heading=("Name", "Place", "Slug"),
    )

    assert "Mayor Jan van der Berg, Hillford, Westmark, has this address" in messages(other_target)["slug"]
    assert "the petition to mayors who read" in messages(to_a_group)["slug"]


def test_an_address_a_petition_once_had_is_its_own(letter, petition):
    make_version(petition, at=NOW)
    FormerAddress.objects.create(petition=petition, slug="once")

    [row] = compared(letter.campaign, ["Ada Okafor", "Rivermouth", "once"], heading=("Name", "Place", "Slug"))

    assert row.mark is Mark.UNCHANGED


def test_a_target_without_a_petition_gets_one(letter):
    target = Target.objects.create(
        campaign=letter.campaign, name="Ada Okafor", place=make_place(name="Rivermouth")
    )

    [row] = compared(letter.campaign, ["Ada Okafor", "Rivermouth"])

    assert (row.mark, row.target) == (Mark.CHANGED, target)
    assert [(change.label, change.after) for change in row.changes] == [("Petition", "Demand")]


@pytest.mark.parametrize("rows", [3, 300])
def test_comparing_takes_as_many_queries_for_three_rows_as_for_hundreds(letter, petition, rows):
    lines = [[f"Ada {number}", f"River {number}", "Westmark", f"slug-{number}"] for number in range(rows)]

    with CaptureQueriesContext(connection) as queries:
        compared(letter.campaign, *lines, heading=("Name", "Place", "Region", "Slug"))

    assert len(queries) <= 10


# --- Applying ------------------------------------------------------------------------------------------------


def kept(campaign, content):
    return keep(campaign=campaign, read=read(content), name="mayors.csv", actor=None, at=NOW)


def applied(target_list, **options):
    campaign = target_list.campaign
    preview = compare(campaign, target_list.rows)
    return apply(
        campaign=campaign,
        key=target_list.pk,
        **{"previewed": preview.digest, "actor": None, "at": NOW} | options,
    )


FULL = (
    "Name",
    "Office",
    "Place",
    "Region",
    "Country",
    "Salutation",
    "E-mail",
    "Kind",
    "Local",
    "ZIP",
    "Goal",
    "Headline",
)


def full_list(number=2):
    return table(
        *(
            [
                f"Ada Okafor {place}", "Lord Mayor", f"River {place}", "Westmark", "Lumenia", "Dear Lord Mayor",
                f"mayor@river{place}.example", "demand", "In {{ place.name }}.[^hours]", "941 942", "1,500", "Open up",
            ]
            for place in range(number)
        ),
        heading=FULL,
    )  # fmt: skip


def test_applying_makes_places_targets_and_petitions(letter):
    done = applied(kept(letter.campaign, full_list()))

    assert (done.added, done.changed, done.unchanged, done.left_out) == (2, 0, 0, 0)
    target = Target.objects.get(name="Ada Okafor 0")
    petition = target.petitions.get()
    assert (target.office, target.salutation, target.email, target.last_name) == (
        "Lord Mayor", "Dear Lord Mayor", "mayor@river0.example", "0",
    )  # fmt: skip
    place = target.place
    assert (place.name, place.region, place.country, place.postal_prefixes, place.name_key) == (
        "River 0", "Westmark", "Lumenia", "941 942", "river 0",
    )  # fmt: skip
    assert (petition.letter, petition.slug, petition.goal, petition.headline, petition.local) == (
        letter, "open-sundays-river-0", 1500, "Open up", "In {{ place.name }}.[^hours]",
    )  # fmt: skip
    assert not TargetList.objects.exists()


def test_applying_is_recorded_with_numbers_and_no_names(letter):
    applied(kept(letter.campaign, full_list()))

    entry = AuditEntry.objects.get(action="applied a list of targets")
    assert entry.details == {"added": 2, "changed": 0, "unchanged": 0, "left_out": 0}


def test_applying_the_same_list_again_changes_nothing(letter):
    applied(kept(letter.campaign, full_list()))
    before = [list(model.objects.order_by("pk").values()) for model in (Place, Target, Petition)]

    done = applied(kept(letter.campaign, full_list()))

    assert (done.added, done.changed, done.unchanged) == (0, 0, 2)
    assert before == [list(model.objects.order_by("pk").values()) for model in (Place, Target, Petition)]
    assert AuditEntry.objects.filter(action="applied a list of targets").count() == 1


def test_applying_changes_what_differs_and_nothing_else(letter):
    applied(kept(letter.campaign, full_list()))
    Petition.objects.update(position=7, closing_note="kept")
    changed = (
        full_list()
        .replace("Dear Lord Mayor", "Dear Madam")
        .replace("Open up", "Open now")
        .replace("941 942", "945")
    )

    done = applied(kept(letter.campaign, changed))

    assert (done.added, done.changed) == (0, 2)
    assert set(Target.objects.values_list("salutation", flat=True)) == {"Dear Madam"}
    assert set(Petition.objects.values_list("headline", "position", "closing_note")) == {
        ("Open now", 7, "kept")
    }
    assert set(Place.objects.values_list("postal_prefixes", flat=True)) == {"945"}


def test_a_new_list_uses_the_places_that_are_listed(letter):
    place = make_place(name="Saint Louis", region="Missouri", postal_prefixes="631")

    applied(kept(letter.campaign, table(["Ada Okafor", "St. Louis", "MO"], ["Bo Lind", "St Louis", ""])))

    assert set(Target.objects.values_list("place", flat=True)) == {place.pk}
    place.refresh_from_db()
    assert (place.name, place.postal_prefixes) == ("Saint Louis", "631")


def test_addresses_are_made_free_of_each_other_and_of_those_petitions_once_had(letter, petition):
    FormerAddress.objects.create(petition=petition, slug="open-sundays-tidewater")

    applied(
        kept(
            letter.campaign,
            table(
                ["Ada Lind", "Tidewater"],
                ["Bo Lind", "Tidewater"],
                ["Cy Lind", "Tidewater"],
                ["Дана", "Город"],
            ),
        )
    )

    slugs = Petition.objects.exclude(pk=petition.pk).order_by("pk").values_list("slug", flat=True)
    assert list(slugs) == [
        "open-sundays-tidewater-lind",
        "open-sundays-tidewater-2",
        "open-sundays-tidewater-3",
        "open-sundays",
    ]


def test_a_name_that_changes_takes_its_last_name_along_unless_that_was_written(letter, petition, second):
    Target.objects.filter(pk=second.target_id).update(last_name="Berg")

    applied(
        kept(
            letter.campaign,
            table(
                ["Ada Ökafor", "Rivermouth", petition.slug],
                ["Jan van der Bérg", "Hillford", second.slug],
                heading=("Name", "Place", "Slug"),
            ),
        )
    )

    assert dict(Target.objects.values_list("name", "last_name")) == {
        "Ada Ökafor": "Ökafor",
        "Jan van der Bérg": "Berg",
    }


def test_wrong_rows_stop_it_until_they_are_left_out(letter):
    target_list = kept(
        letter.campaign,
        table(
            ["Ada Okafor", "Rivermouth", "x"], ["Bo Lind", "Hillford"], heading=("Name", "Place", "E-mail")
        ),
    )

    with pytest.raises(WrongRows):
        applied(target_list)
    assert not Target.objects.exists()
    assert not Place.objects.exists()

    done = applied(target_list, without_wrong_rows=True)

    assert (done.added, done.left_out) == (1, 1)
    assert list(Place.objects.values_list("name", flat=True)) == ["Hillford"]


def test_what_changed_since_the_preview_is_shown_again(letter):
    target_list = kept(letter.campaign, table(["Ada Okafor", "Rivermouth"]))
    seen = compare(letter.campaign, target_list.rows).digest
    add_petition(letter, place="Rivermouth", name="Ada Okafor")

    with pytest.raises(Outdated) as outdated:
        applied(target_list, previewed=seen)

    assert outdated.value.preview.rows[0].mark is Mark.UNCHANGED
    assert TargetList.objects.exists()


def test_the_second_of_two_clicks_finds_it_done(letter):
    target_list = kept(letter.campaign, table(["Ada Okafor", "Rivermouth"]))
    seen = compare(letter.campaign, target_list.rows).digest
    applied(target_list, previewed=seen)

    with pytest.raises(AppliedAlready):
        apply(campaign=letter.campaign, key=target_list.pk, previewed=seen, actor=None, at=NOW)

    assert Target.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_apply_a_list_once(letter):
    target_list = kept(letter.campaign, full_list(20))
    seen = compare(letter.campaign, target_list.rows).digest
    done = []

    def click():
        try:
            done.append(
                apply(campaign=letter.campaign, key=target_list.pk, previewed=seen, actor=None, at=NOW)
            )
        except AppliedAlready:
            done.append(None)

    in_parallel((click, 3))

    assert sorted(done, key=bool)[:2] == [None, None]
    assert Petition.objects.count() == 20


@pytest.mark.django_db(transaction=True)
def test_two_lists_with_the_same_place_for_two_campaigns_list_it_once(letter):
    lists = [
        kept(letter.campaign, full_list(20)),
        kept(make_letter().campaign, full_list(20).replace("[^hours]", "")),
    ]

    in_parallel(*((lambda target_list=target_list: applied(target_list), 1) for target_list in lists))

    assert (Place.objects.count(), Petition.objects.count()) == (20, 40)


def test_an_address_taken_in_the_very_same_moment_changes_nothing(letter, monkeypatch):
    target_list = kept(
        letter.campaign, table(["Ada Okafor", "Rivermouth", "wanted"], heading=("Name", "Place", "Slug"))
    )
    make_petition(slug="wanted")
    monkeypatch.setattr("petitions.target_lists.matching.owners_of", lambda slugs: {})

    with pytest.raises(Outdated):
        applied(target_list)

    assert not Target.objects.filter(campaign=letter.campaign).exists()


def test_applying_takes_few_statements(letter):
    target_list = kept(letter.campaign, full_list(300))
    seen = compare(letter.campaign, target_list.rows).digest

    with CaptureQueriesContext(connection) as queries:
        applied(target_list, previewed=seen)

    assert Petition.objects.count() == 300
    assert len(queries) < 50


def test_nobody_can_apply_a_list_to_another_campaign(letter):
    target_list = kept(letter.campaign, table(["Ada Okafor", "Rivermouth"]))

    with pytest.raises(AppliedAlready):
        apply(campaign=make_campaign(), key=target_list.pk, previewed="", actor=None, at=NOW)


# --- Correcting and forgetting -------------------------------------------------------------------------------


def test_a_corrected_row_is_in_order(letter):
    target_list = kept(
        letter.campaign, table(["Ada", "Rivermouth", "x", "surplus"], heading=("Name", "Place", "E-mail"))
    )

    correct(
        campaign=letter.campaign,
        key=target_list.pk,
        corrections={0: Correction({"email": " ada@x.example\0\ud800".rstrip("\ud800")}, left_out=False)},
    )

    target_list.refresh_from_db()
    assert target_list.rows == [
        {
            "line": 2,
            "cells": {"name": "Ada", "place": "Rivermouth", "email": "ada@x.example"},
            "left_out": False,
        }
    ]


def test_a_row_can_be_left_out_and_taken_back(letter):
    target_list = kept(letter.campaign, table(["Ada", "Rivermouth"]))

    for left_out, mark in ((True, Mark.LEFT_OUT), (False, Mark.NEW)):
        correct(
            campaign=letter.campaign, key=target_list.pk, corrections={0: Correction({}, left_out=left_out)}
        )
        target_list.refresh_from_db()
        assert [row.mark for row in compare(letter.campaign, target_list.rows).rows] == [mark]


def test_corrections_of_rows_and_columns_that_are_not_there_are_passed_over(letter):
    target_list = kept(letter.campaign, table(["Ada", "Rivermouth"]))
    before = target_list.rows

    correct(
        campaign=letter.campaign,
        key=target_list.pk,
        corrections={
            7: Correction({"name": "x"}, left_out=True),
            0: Correction({"password": "x"}, left_out=False),
        },
    )

    target_list.refresh_from_db()
    assert target_list.rows[0]["cells"] == before[0]["cells"]


def test_a_list_is_forgotten_after_a_day(campaign):
    old = keep(
        campaign=campaign,
        read=read(table(["Ada", "Rivermouth"])),
        name="x",
        actor=None,
        at=NOW - timedelta(hours=24),
    )
    new = keep(
        campaign=campaign,
        read=read(table(["Ada", "Rivermouth"])),
        name="x",
        actor=None,
        at=NOW - timedelta(hours=23),
    )

    assert forget_lists(at=NOW) == 1
    assert list(TargetList.objects.all()) == [new]
    assert old.pk != new.pk


PIECES = st.sampled_from(
    ["{{ place.name }}", "{{ place.region }}", "{{place.nmae}}", "{{ local }}", "{{ supporter.first_name }}", "{{ place.region|x }}",
     "[^hours]", "[^nobody]", "[^hours]:", "[^hours](x)", "[", "]", "{", "}", "`", "\\", "<b>", "!", "(", ")", ":", "\n", "\n\n", "    ", "\t",
     "- ", "> ", "1. ", "# ", "*a*", "**b**", "word", " "]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join))
def test_quick_checks_find_what_thorough_ones_find(text):
    campaign = Campaign(title="Open", organization=Organization(name="Readers"))
    target = Target(name="Ada", office="Mayor", last_name="Ada", place=Place(name="Rivermouth"))
    petition = Petition(letter=Letter(campaign=campaign), target=target, local=text, headline=text[:30])

    quick = comparing.text_problems(petition, ("hours",))

    thorough = [
        problem
        for problem in checking.petition_problems(petition, keys=("hours",))
        # Told once: that the reader's name is out of place here.
        if "supporter.first_name }} has no value" not in problem.message
    ]
    assert set(quick) == set(thorough)
