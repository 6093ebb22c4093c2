"""The format of campaign files: every key of every table, in the order in which it is written, and what it may hold."""

from dataclasses import dataclass
from enum import Enum

from django.db.models import Model

from campaigns.models import Campaign, Organization, Place, Source, Target
from petitions.models import Kind, Letter, Petition

# A group of letters, a novel is not: more than this in one text is a mistake (or an attack).
LONGEST_TEXT = 100_000
HIGHEST_NUMBER = 2_147_483_647


class Form(Enum):
    """What a value looks like in the file."""

    LINE = "a text in quotes, on one line"
    TEXT = "a text in quotes (''' for several lines)"
    LINES = 'a list of texts, such as ["Ada Okafor", "Li Wei"]'
    CODES = 'a list of texts, such as ["941", "942"]'
    NUMBER = "a whole number without quotes"
    FLAG = "true or false, without quotes"
    DATE = "a date without quotes, such as 2026-03-08"
    MOMENT = "a date, time and offset without quotes, such as 2026-03-08T18:00:00Z"


@dataclass(frozen=True)
class Key:
    """One key of a table. `model` is what it is stored in, None for keys that only steer the reading."""

    name: str
    form: Form = Form.LINE
    model: type[Model] | None = None
    field: str = ""
    required: bool = False
    least: int = 0
    choices: tuple[str, ...] = ()

    @property
    def stored_in(self) -> str:
        return self.field or self.name


KINDS = tuple(Kind.values)

ORGANIZATION = (
    Key("name", model=Organization, required=True),
    Key("parent", model=Organization),
    Key("postal_address", Form.TEXT, Organization),
    Key("from_email", model=Organization),
    Key("reply_to", model=Organization),
    Key("privacy_url", model=Organization),
    Key("accent", model=Organization),
)
CAMPAIGN = (
    Key("slug", model=Campaign, required=True),
    Key("title", model=Campaign, required=True),
    Key("summary", Form.TEXT, Campaign),
    Key("language", model=Campaign),
    Key("confirmation", model=Campaign, choices=tuple(Campaign.Confirmation.values)),
    Key("asks_postal_code", Form.FLAG, Campaign),
    Key("asks_country", Form.FLAG, Campaign),
    Key("asks_comment", Form.FLAG, Campaign),
    Key("count_floor", Form.NUMBER, Campaign),
    Key("total_of", model=Campaign, choices=tuple(Campaign.Total.values)),
    Key("shows_league", Form.FLAG, Campaign),
)
SOURCES = (
    Key("key", model=Source, required=True),
    Key("authors", Form.LINES, Source),
    Key("title", model=Source, required=True),
    Key("publication", model=Source),
    Key("date", Form.DATE, Source),
    Key("url", model=Source),
    Key("archived_url", model=Source),
)
LETTER = (
    Key("headline", model=Letter, required=True),
    Key("lead_in", model=Letter, required=True),
    Key("statement", Form.TEXT, Letter, required=True),
    Key("call_to_action", model=Letter, required=True),
    Key("button", model=Letter),
    Key("greeting", model=Letter),
    Key("body", Form.TEXT, Letter, required=True),
    Key("closing", model=Letter),
    Key("signed_by", model=Letter),
    Key("signed_role", model=Letter),
    Key("thanks", Form.TEXT, Letter),
    Key("share_title", model=Letter),
    Key("share_text", Form.TEXT, Letter),
)
PETITION = (
    Key("kind", choices=KINDS),
    Key("slug", model=Petition),
    Key("headline", model=Petition),
    Key("local", Form.TEXT, Petition),
    Key("goal", Form.NUMBER, Petition, least=1),
    Key("position", Form.NUMBER, Petition),
    Key("closes_at", Form.MOMENT, Petition),
)
TARGETS = (
    Key("name", model=Target, required=True),
    Key("last_name", model=Target),
    Key("office", model=Target),
    Key("place", model=Place, field="name", required=True),
    Key("region", model=Place),
    Key("country", model=Place),
    Key("postal_prefixes", Form.CODES, Place),
    Key("salutation", model=Target),
    Key("email", model=Target),
    Key("petition", Form.FLAG),
    *PETITION,
)
GROUPS = (
    Key("addressee", model=Petition, required=True),
    *PETITION,
    Key("members", Form.LINES),
)
