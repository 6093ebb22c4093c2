"""How a post of a petition will look; short addresses and QR codes, of one petition and of a whole campaign."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify

from campaigns.models import Campaign
from petitions.admin.petition_filters import number
from petitions.admin.preview_views import problems_of, unsaved_version
from petitions.admin.steps import counted
from petitions.forms.sharing import ChannelForm
from petitions.models import Petition, ShareImage, ShortAddress, Version
from petitions.pages import PetitionPage, absolute
from petitions.progress import progress_of
from petitions.qr_codes import qr_svg
from petitions.share_images.content import Content, content_of
from petitions.share_images.drawing import draw
from petitions.short_addresses import (
    address_for,
    addresses_for,
    clean_channel,
    remove_unused,
    short_url,
    signed_by_code,
)
from staff import audit
from toolkit.csv_files import rows_to_csv

ON_A_SHEET = 60  # QR codes; a thousand on one page would keep a server busy for many seconds
SCHEME = re.compile("^https?://")


@dataclass(frozen=True)
class Row:
    """A short address as staff see it."""

    address: ShortAddress
    signed: int

    @property
    def url(self) -> str:
        return short_url(self.address)

    @property
    def shown(self) -> str:
        """As it is printed: nobody types https://."""
        return SCHEME.sub("", self.url)


# --- One petition --------------------------------------------------------------------------------------------


def petition_sharing(model_admin: admin.ModelAdmin, request: HttpRequest, petition: Petition) -> HttpResponse:
    """How a post will look, and the petition's short addresses; a POST makes one or removes one nobody used."""
    may_change = model_admin.has_change_permission(request, petition)
    form = ChannelForm(request.POST if request.method == "POST" and "_remove" not in request.POST else None)
    if request.method == "POST":
        if not may_change:
            raise PermissionDenied
        if "_remove" in request.POST:
            return remove(request, petition)
        if form.is_valid():
            return add(request, petition, form.cleaned_data["channel"])
    version = version_to_show(petition)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Sharing: {petition.addressed_to}",
        "opts": Petition._meta,
        "petition": petition,
        "campaign": petition.campaign,
        "may_change": may_change,
        "form": form,
        "rows": rows_of(petition),
        **(post_of(petition, version) if version is not None else {}),
    }
    return TemplateResponse(
        request, "admin/petitions/petition/sharing.html", context, status=422 if form.errors else 200
    )


def version_to_show(petition: Petition) -> Version | None:
    """What visitors read, or what publishing would store; None where the texts have mistakes."""
    if petition.is_live(timezone.now()):
        return petition.current_version
    return None if problems_of(petition) else unsaved_version(petition)


def post_of(petition: Petition, version: Version) -> dict[str, Any]:
    """The parts of a shared post, and whether its picture is there and up to date."""
    now = timezone.now()
    live = petition.is_live(now)
    drawn = ShareImage.objects.filter(petition=petition).values_list("digest", flat=True).first()
    page = PetitionPage(petition, version, petition.state(now), progress_of(petition))
    digest = content_of(petition, version, state=page.state).digest
    shown = drawn if live else digest
    image = reverse("admin:petitions_petition_share_image", args=[petition.pk])
    return {
        "share": page.share,
        "domain": urlsplit(settings.SITE_URL).hostname,
        "image_url": f"{image}?{urlencode({'digest': shown})}" if shown else "",
        "image_is_old": live and drawn is not None and drawn != digest,
        "is_live": live,
    }


def petition_image(request: HttpRequest, petition: Petition) -> HttpResponse:
    """The picture visitors get; of a petition that is not live, drawn here and now and not kept."""
    version = version_to_show(petition)
    if version is None:
        raise Http404
    if petition.is_live(timezone.now()):
        png = ShareImage.objects.filter(petition=petition).values_list("png", flat=True).first()
    else:
        png = drawn(content_of(petition, version, state="open"))
    if png is None:
        raise Http404
    response = HttpResponse(bytes(png), content_type="image/png")
    response["Cache-Control"] = "private, max-age=60"
    return response


def drawn(content: Content) -> bytes | None:
    try:
        return draw(content)
    except Exception:  # noqa: BLE001 - whatever text broke it, staff see the page without the picture
        return None


def rows_of(petition: Petition) -> list[Row]:
    """The petition's short addresses with what they brought. Two queries."""
    signed = signed_by_code([petition])
    return [Row(address, signed.get(address.code, 0)) for address in petition.short_addresses.all()]


def add(request: HttpRequest, petition: Petition, channel: str) -> HttpResponse:
    now = timezone.now()
    with transaction.atomic():
        had = petition.short_addresses.count()
        address = address_for(petition, channel, at=now)
        if petition.short_addresses.count() > had:
            audit.record(
                actor=request.user,  # type: ignore[arg-type]
                action="made a short address",
                subject=petition,
                at=now,
                channel=address.channel,
                code=address.code,
            )
    messages.success(request, f"{address.channel}: {short_url(address)}")
    return HttpResponseRedirect(sharing_url(petition) + "#addresses")


def remove(request: HttpRequest, petition: Petition) -> HttpResponse:
    address = get_object_or_404(petition.short_addresses, pk=number(request.POST.get("_remove")))
    channel, code = address.channel, address.code
    with transaction.atomic():
        if remove_unused(address):
            audit.record(
                actor=request.user,  # type: ignore[arg-type]
                action="removed a short address",
                subject=petition,
                at=timezone.now(),
                channel=channel,
                code=code,
            )
            messages.success(request, f"The address of “{channel}” is removed.")
        else:
            messages.error(request, f"Somebody has signed through the address of “{channel}”, so it stays.")
    return HttpResponseRedirect(sharing_url(petition) + "#addresses")


def sharing_url(petition: Petition) -> str:
    return reverse("admin:petitions_petition_sharing", args=[petition.pk])


def petition_qr(request: HttpRequest, petition: Petition, pk: int) -> HttpResponse:
    """The QR code of a short address, to look at, or to download with `?download`."""
    address = get_object_or_404(petition.short_addresses, pk=pk)
    response = HttpResponse(qr_of(address, petition), content_type="image/svg+xml")
    name = slugify(f"qr {petition.slug} {address.channel}") or f"qr-{address.code}"
    kind = "attachment" if "download" in request.GET else "inline"
    response["Content-Disposition"] = f'{kind}; filename="{name}.svg"'
    response["Cache-Control"] = "private, max-age=3600"
    return response


def qr_of(address: ShortAddress, petition: Petition) -> SafeString:
    """SVG; what it says is escaped there."""
    svg = qr_svg(short_url(address), title=f"QR code: {petition.addressed_to}, {address.channel}")
    return mark_safe(svg)  # noqa: S308


# --- A campaign ----------------------------------------------------------------------------------------------


def of_campaign(campaign: Campaign) -> QuerySet[Petition]:
    return (
        Petition.objects.filter(letter__campaign=campaign)
        .select_related("letter", "target__place")
        .only(
            "slug",
            "addressee",
            "closed_at",
            "letter__kind",
            "target__name",
            "target__office",
            "target__place__name",
        )
        .order_by("target__place__name", "pk")
    )


def campaign_addresses(
    model_admin: admin.ModelAdmin, request: HttpRequest, campaign: Campaign
) -> HttpResponse:
    """The channels of a campaign; a POST makes one for all its petitions that are not closed."""
    may_change = request.user.has_perm("petitions.change_petition")
    form = ChannelForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if not may_change:
            raise PermissionDenied
        if form.is_valid():
            return add_for_all(request, campaign, form.cleaned_data["channel"])
    open_petitions = of_campaign(campaign).filter(closed_at=None).count()
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Addresses and QR codes",
        "opts": Campaign._meta,
        "campaign": campaign,
        "may_change": may_change,
        "form": form,
        "channels": channels_of(campaign),
        "petitions_text": counted(open_petitions, "petition"),
    }
    return TemplateResponse(
        request, "admin/campaigns/campaign/addresses.html", context, status=422 if form.errors else 200
    )


def channels_of(campaign: Campaign) -> list[dict[str, Any]]:
    """Each channel with how many petitions have it and how many signed through it. Two queries."""
    petitions = Petition.objects.filter(letter__campaign=campaign)
    signed = signed_by_code(petitions)
    numbers: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    addresses = ShortAddress.objects.filter(petition__in=petitions).order_by("channel")
    for channel, code in addresses.values_list("channel", "code"):
        numbers[channel][0] += 1
        numbers[channel][1] += signed.get(code, 0)
    return [
        {
            "name": channel,
            "petitions": counted(petitions_with, "petition"),
            "signed": brought,
            "query": urlencode({"channel": channel}),
        }
        for channel, (petitions_with, brought) in numbers.items()
    ]


def add_for_all(request: HttpRequest, campaign: Campaign, channel: str) -> HttpResponse:
    now = timezone.now()
    petitions = list(of_campaign(campaign).filter(closed_at=None))
    with transaction.atomic():
        before = ShortAddress.objects.filter(petition__in=petitions).count()
        addresses_for(petitions, channel, at=now)
        made = ShortAddress.objects.filter(petition__in=petitions).count() - before
        if made:
            audit.record(
                actor=request.user,  # type: ignore[arg-type]
                action="made short addresses",
                subject=campaign,
                at=now,
                channel=channel,
                number=made,
            )
    if not petitions:
        messages.warning(request, "This campaign has no petition that is not closed.")
    else:
        had = len(petitions) - made
        told = f"{channel}: {made:,} new short address{'es' if made != 1 else ''}"
        messages.success(request, told + (f"; {counted(had, 'petition')} had one already." if had else "."))
    return HttpResponseRedirect(reverse("admin:campaigns_campaign_addresses", args=[campaign.pk]))


def campaign_sheet(model_admin: admin.ModelAdmin, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """A channel's QR codes with city and address, to be printed and cut."""
    channel, addresses = chosen(request, campaign)
    page = Paginator(addresses, ON_A_SHEET).get_page(request.GET.get("page"))
    context = {
        **model_admin.admin_site.each_context(request),
        "is_nav_sidebar_enabled": False,
        "title": f"QR codes: {channel}",
        "opts": Campaign._meta,
        "campaign": campaign,
        "channel": channel,
        "query": urlencode({"channel": channel}),
        "page": page,
        "cards": [(Row(address, 0), address.petition, qr_of(address, address.petition)) for address in page],
    }
    return TemplateResponse(request, "admin/campaigns/campaign/qr_sheet.html", context)


def campaign_csv(request: HttpRequest, campaign: Campaign) -> StreamingHttpResponse:
    """City, mayor, channel and addresses, for the people who print; of one channel or of all."""
    _channel, addresses = chosen(request, campaign)
    blocks = rows_to_csv(csv_rows(addresses))
    response = StreamingHttpResponse(blocks, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{campaign.slug}-addresses.csv"'
    response["Cache-Control"] = "no-store"
    return response


def csv_rows(addresses: QuerySet[ShortAddress]) -> Iterator[tuple[str, ...]]:
    yield "City", "To", "Kind", "Channel", "Short address", "Page"
    for address in addresses.iterator(chunk_size=1000):
        petition = address.petition
        yield (
            petition.target.place.name if petition.target else "",
            petition.addressed_to,
            petition.letter.get_kind_display(),
            address.channel,
            short_url(address),
            absolute(petition.get_absolute_url()),
        )


def chosen(request: HttpRequest, campaign: Campaign) -> tuple[str, QuerySet[ShortAddress]]:
    """The channel the address names, "" for all, and its short addresses by city. One query when they are read."""
    addresses = (
        ShortAddress.objects.filter(petition__letter__campaign=campaign)
        .select_related("petition__letter", "petition__target__place")
        .defer("petition__letter__body", "petition__local")
        .order_by("channel", "petition__target__place__name", "petition_id")
    )
    if "channel" not in request.GET:
        return "", addresses
    try:
        channel = clean_channel(request.GET["channel"])
    except ValidationError as error:
        raise Http404 from error
    return channel, addresses.filter(channel=channel)
