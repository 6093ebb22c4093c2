"""The columns of a list of targets, and the many ways people head and fill them."""

import difflib
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from campaigns.models import Place, Target
from petitions.models import Kind, Petition
from toolkit.text_problems import shortened

FIRST_NAME = "first_name"
# No column: what stands beyond the last cell that has a heading.
BEYOND = "beyond"
# Longer headings are texts; a list without headings begins with one.
LONGEST_HEADING = 60


def longest(model: type[Place | Target | Petition], field: str) -> int:
    return model._meta.get_field(field).max_length or 0  # type: ignore[union-attr]


@dataclass(frozen=True)
class Column:
    """One column. `spellings` are further headings, in the form `folded` gives them."""

    name: str
    label: str
    longest: int
    spellings: str = ""
    needed: bool = False
    several_lines: bool = False


COLUMNS = {
    column.name: column
    for column in (
        Column(
            "kind", "Kind", 100, "side type stance petitionkind kindofpetition letter letterkind seite lado"
        ),
        Column(
            "office",
            "Office",
            longest(Target, "office"),
            "title role position jobtitle officetitle amt funktion cargo puesto fonction titre",
        ),
        Column(
            "name",
            "Name",
            longest(Target, "name"),
            "fullname mayor mayorname nameofmayor mayorsname official officialname officeholder target targetname "
            "person nombre nombrecompleto nom nomcomplet nome nomecompleto",
            needed=True,
        ),
        Column(FIRST_NAME, "First name", longest(Target, "name"), "givenname forename vorname prenom"),
        Column(
            "last_name",
            "Last name",
            longest(Target, "last_name"),
            "surname familyname nachname apellido apellidos nomdefamille sobrenome",
        ),
        Column(
            "place",
            "Place",
            longest(Place, "name"),
            "city town cityname townname placename municipality locality village cityortown citytown "
            "ciudad ville stadt ort cidade municipio commune gemeinde",
            needed=True,
        ),
        Column(
            "region",
            "Region",
            longest(Place, "region"),
            "state province stateprovince stateorprovince provincestate regionstate stateregion statename "
            "bundesland estado provincia provinz",
        ),
        Column("country", "Country", longest(Place, "country"), "countryname nation land pays pais"),
        Column("salutation", "Salutation", longest(Target, "salutation"), "greeting dear anrede saludo"),
        Column(
            "email",
            "E-mail",
            longest(Target, "email"),
            "mail emailaddress mailaddress contactemail officialemail officeemail mayoremail emails "
            "correo correoelectronico courriel",
        ),
        Column("headline", "Headline", longest(Petition, "headline"), "petitionheadline"),
        Column(
            "local",
            "Local paragraph",
            20_000,
            "localparagraph localtext paragraph localnote",
            several_lines=True,
        ),
        # Not “address”: in most lists that is a street.
        Column("slug", "Slug", longest(Petition, "slug"), "petitionslug"),
        Column("goal", "First goal", 100, "firstgoal signaturegoal"),
        Column(
            "postal_prefixes",
            "Postal codes",
            5_000,
            "postalcodes zip zips zipcode zipcodes postalcode postcode postcodes plz codepostal codigopostal",
        ),
    )
}
KIND_WORDS = {
    Kind.DEMAND: "demand demands push ask asks urge needsapush",
    Kind.THANK_YOU: "thankyou thanks thank thankyous thanked gratitude praise",
}


def folded(words: str) -> str:
    """Small letters and digits only, without accents and what stands in brackets: “E-Mail (optional)” is “email”."""
    plain = unicodedata.normalize("NFKD", re.sub(r"\([^()]*\)", "", words[:200]).casefold())
    return "".join(letter for letter in plain if letter.isalnum())


HEADINGS = {
    heading: column.name
    for column in COLUMNS.values()
    for heading in (folded(column.name), folded(column.label), *column.spellings.split())
}
KINDS = {word: kind for kind, words in KIND_WORDS.items() for word in words.split()}


def nearest(words: str, known: Collection[str]) -> str | None:
    """The known word they must have meant. Stricter than for other names: most headings are none of ours."""
    close = difflib.get_close_matches(folded(words)[:LONGEST_HEADING], known, n=1, cutoff=0.75)
    return close[0] if close else None


def column_of(heading: str) -> str | None:
    """The column somebody means by this heading, None where there is no such column."""
    return HEADINGS.get(folded(heading)) if len(heading) <= LONGEST_HEADING else None


def nearest_column(heading: str) -> str | None:
    """The heading they may have meant, as they would write it."""
    near = nearest(heading, HEADINGS)
    return COLUMNS[HEADINGS[near]].label if near else None


def kind_of(words: str) -> Kind | None:
    return KINDS.get(folded(words))


def nearest_kind(words: str) -> Kind | None:
    near = nearest(words, KINDS)
    return KINDS[near] if near else None


def ignored(heading: str) -> str:
    """What staff are told about a column that means nothing here."""
    near = nearest_column(heading)
    hint = f" If you mean the {near.lower()}, head it “{near}”." if near else ""
    return f"The column “{shortened(heading)}” is ignored.{hint}"
