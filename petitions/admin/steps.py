"""From organization to published page: what is done, what is missing, and where to go on."""

from dataclasses import dataclass

from django.db.models import Count, Max, Q, Sum
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Campaign
from petitions.models import Petition
from petitions.publishing import review

# Above this the targets leave the campaign's form, and checking waits for its own page.
MOST_ON_FORM = 30
DONE, MISSING, LATER = "done", "missing", "later"


@dataclass(frozen=True)
class Step:
    """`state` is done, missing (the next thing to do) or later."""

    name: str
    state: str
    note: str
    url: str


@dataclass(frozen=True)
class Numbers:
    """What a campaign has, in one query for the petitions."""

    petitions: int
    published: int
    live: int
    signatures: int
    people: int


def numbers_of(campaign: Campaign) -> Numbers:
    now = timezone.now()
    found = Petition.objects.filter(letter__campaign=campaign).aggregate(
        petitions=Count("pk"),
        published=Count("current_version"),
        live=Count("pk", filter=Q(live_at__lte=now)),
        signatures=Sum("tally__count"),
        # The same on every row.
        people=Max("letter__campaign__tally__people"),
    )
    return Numbers(
        found["petitions"],
        found["published"],
        found["live"],
        found["signatures"] or 0,
        found["people"] or 0,
    )


def steps_of(campaign: Campaign | None) -> list[Step]:
    """The seven steps of a campaign; of one that is not saved yet, all are to come."""
    if campaign is None or not campaign.pk:
        return new_campaign()
    numbers = numbers_of(campaign)
    sources, kinds = (
        campaign.sources.count(),
        [letter.get_kind_display() for letter in campaign.letters.all()],
    )
    publish_url = reverse("admin:campaigns_campaign_publish", args=[campaign.pk])
    checked, check_note = check_state(campaign, numbers, ready=bool(kinds) and numbers.petitions > 0)
    if numbers.petitions > MOST_ON_FORM:
        targets_url = reverse("admin:petitions_petition_changelist") + f"?campaign={campaign.pk}"
    else:
        targets_url = "#targets-group"
    return [
        Step("Organization", DONE, campaign.organization.name, "#fieldset-0-0-heading"),
        Step("Campaign", DONE, campaign.title, "#fieldset-0-1-heading"),
        Step(
            "Sources", DONE if sources else LATER, str(sources) if sources else "none yet", "#sources-group"
        ),
        Step("Letters", DONE if kinds else MISSING, " and ".join(kinds) or "write one", "#letters-group"),
        Step(
            "Targets",
            DONE if numbers.petitions else MISSING if kinds else LATER,
            counted(numbers.petitions, "petition") if numbers.petitions else "add one",
            targets_url,
        ),
        Step("Check", checked, check_note, publish_url),
        Step(
            "Publish",
            DONE
            if numbers.petitions and numbers.live == numbers.petitions
            else MISSING
            if checked == DONE
            else LATER,
            f"{numbers.live} of {numbers.petitions} live" if numbers.live else "nothing live yet",
            publish_url,
        ),
    ]


def new_campaign() -> list[Step]:
    return [
        Step("Organization", MISSING, "choose or add one", "#fieldset-0-0-heading"),
        Step("Campaign", LATER, "title and summary", "#fieldset-0-1-heading"),
        Step("Sources", LATER, "what the letter cites", "#sources-group"),
        Step("Letters", LATER, "the text, once", "#letters-group"),
        Step("Targets", LATER, "each gets a petition", "#targets-group"),
        Step("Check", LATER, "after saving", ""),
        Step("Publish", LATER, "after checking", ""),
    ]


def check_state(campaign: Campaign, numbers: Numbers, *, ready: bool) -> tuple[str, str]:
    """Whether anything stands in the way of publishing; looked at here only while that is quick."""
    if not ready:
        return LATER, "after letters and targets"
    if numbers.petitions > MOST_ON_FORM:
        return DONE if numbers.published else MISSING, "open the checklist"
    errors = len(review(campaign).errors)
    return (MISSING, f"{counted(errors, 'mistake')} to correct") if errors else (DONE, "ready")


def counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def total_text(signatures: int | None, people: int | None) -> str:
    """“1,204 signatures from 1,100 people”; the people only where some signed more than once."""
    text = counted(signatures or 0, "signature")
    if not signatures or not people or people >= signatures:
        return text
    return f"{text} from {people:,} {'person' if people == 1 else 'people'}"
