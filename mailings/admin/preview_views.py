"""A mailing as real people will read it, on a phone and at a desk, and test copies of it."""

from typing import Any

from csp.constants import SELF
from csp.decorators import csp_replace, csp_update
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.clickjacking import xframe_options_sameorigin

from mailings import previewing
from mailings.admin.pages import SEES_PEOPLE, WRITE, may, page
from mailings.admin.steps import Standing, page_url
from mailings.audience import Audience, audience_of
from mailings.checking import check
from mailings.models import Mailing
from mailings.previewing import Copy, PreviewReader
from mailings.staff_forms import TestCopyForm, key
from petitions.models import Petition
from signers.admin.mail_preview import as_page
from staff import audit
from toolkit.emails import DeliveryError, InDoubt

PARTS = {"html": "As most people see it", "text": "Text only", "headers": "Headers"}
WIDTHS = {"phone": "Phone", "desktop": "Desk"}
OTHER_PETITIONS = 50


@csp_update({"frame-src": [SELF]})
def preview_view(model_admin: admin.ModelAdmin, request: HttpRequest, mailing: Mailing) -> HttpResponse:
    """The page around the preview; a POST sends one test copy."""
    choice = Choice(request, mailing)
    form = test_form(request, mailing, choice)
    if request.method == "POST":
        if not may(request, WRITE):
            raise PermissionDenied
        if form.is_valid() and sent(request, mailing, form):
            return HttpResponseRedirect(choice.url())
    errors = [] if mailing.is_frozen else check(mailing, at=timezone.now(), audience=choice.audience).errors
    return page(
        model_admin,
        request,
        mailing,
        "preview",
        title="Preview",
        context={
            **choice.context(),
            "form": form,
            "errors": errors,
            "write_url": page_url(mailing, "write"),
        },
        standing=Standing(errors=len(errors)),
        status=422 if request.method == "POST" else 200,
    )


@xframe_options_sameorigin
@csp_replace({"frame-ancestors": [SELF]})
def part_view(
    model_admin: admin.ModelAdmin, request: HttpRequest, mailing: Mailing, part: str
) -> HttpResponse:
    """One part of the preview, to be shown in a frame on our own pages only."""
    if part not in PARTS:
        raise Http404
    copy = Choice(request, mailing).copy()
    if copy is None:
        raise Http404
    if part == "html":
        response = as_page(copy.html)
    else:
        response = HttpResponse(
            copy.text if part == "text" else copy.headers, content_type="text/plain; charset=utf-8"
        )
    response["Cache-Control"] = "no-store"
    return response


class Choice:
    """What the address says is to be looked at: whose copy, which petition, subject, part and width."""

    def __init__(self, request: HttpRequest, mailing: Mailing) -> None:
        sent = request.GET
        self.request = request
        self.mailing = mailing
        self.part = sent.get("part", "html") if sent.get("part") in PARTS else "html"
        self.width = sent.get("width", "phone") if sent.get("width") in WIDTHS else "phone"
        self.subject = "b" if sent.get("subject") == "b" and mailing.other_subject else "a"
        self.audience: Audience = audience_of(mailing, at=timezone.now())
        self.petitions = previewing.editions_of(mailing, self.audience)
        self.petition = sent.get("petition", "")[:20]
        self.invented = previewing.invented(self.petitions, self.petition)
        self.reader = self.read(sent.get("reader", "")[:20])

    def read(self, typed: str) -> PreviewReader | None:
        """The reader of that key; whoever may not see people has the invented ones only."""
        if not self.petitions:
            return None
        if typed.startswith("s") and may(self.request, SEES_PEOPLE):
            person = previewing.person(self.mailing, self.audience, key(typed[1:]) or 0)
            if person is not None:
                return person
        return next((reader for reader in self.invented if reader.key == typed), self.invented[0])

    def copy(self) -> Copy | None:
        if self.reader is None:
            return None
        return previewing.copy_for(self.mailing, self.reader, subject=self.subject, at=timezone.now())

    def url(self, **changed: str) -> str:
        return f"{page_url(self.mailing, 'preview')}?{self.query(**changed)}"

    def query(self, **changed: str) -> str:
        values = {
            "reader": self.reader.key if self.reader else "",
            "petition": self.petition,
            "subject": self.subject,
            "part": self.part,
            "width": self.width,
        }
        return urlencode({name: value for name, value in {**values, **changed}.items() if value})

    def switch(self, name: str, labels: dict[str, str]) -> list[tuple[str, str, bool]]:
        """`(address, label, whether it is shown)` for each value of one part of the address."""
        return [
            (self.url(**{name: value}), label, getattr(self, name) == value)
            for value, label in labels.items()
        ]

    def context(self) -> dict[str, Any]:
        copy = self.copy()
        people = previewing.real(self.mailing, self.audience) if may(self.request, SEES_PEOPLE) else {}
        readers = {**people, "Invented": self.invented if self.petitions else []}
        return {
            "copy": copy,
            "reader": self.reader,
            "readers": {
                label: [(self.url(reader=reader.key), reader) for reader in group]
                for label, group in readers.items()
            },
            "parts": self.switch("part", PARTS),
            "widths": self.switch("width", WIDTHS),
            "subjects": self.switch("subject", {"a": "First subject", "b": "Second subject"})
            if self.mailing.other_subject
            else [],
            "petitions": [
                (self.url(reader="short", petition=petition_key(petition)), petition)
                for petition in self.petitions[:OTHER_PETITIONS]
            ],
            "part": self.part,
            "part_label": PARTS[self.part],
            "width": self.width,
            "frame_url": f"{page_url(self.mailing, 'preview')}{self.part}/?{self.query()}",
        }


def petition_key(petition: Petition | None) -> str:
    return str(petition.pk if petition else 0)


# --- Test copies ---------------------------------------------------------------------------------------------


def test_form(request: HttpRequest, mailing: Mailing, choice: Choice) -> TestCopyForm:
    shown = choice.reader.petition if choice.reader else None
    initial = {
        "to": request.user.email,  # type: ignore[union-attr]
        "subject": choice.subject,
        "petition": petition_key(shown),
    }
    two = bool(mailing.other_subject)
    data = request.POST if request.method == "POST" else None
    return TestCopyForm(data, initial=initial, two_subjects=two)


def sent(request: HttpRequest, mailing: Mailing, form: TestCopyForm) -> bool:
    """Sends the copy and says what became of it; False where nothing left."""
    now = timezone.now()
    typed = form.cleaned_data
    petitions = previewing.editions_of(mailing, audience_of(mailing, at=now))
    if not petitions:
        messages.error(request, "Not sent: there is no petition yet that this mailing could lead to.")
        return False
    reader = previewing.as_test_reader(
        previewing.invented(petitions, typed["petition"])[0], typed["first_name"]
    )
    try:
        previewing.send_test(mailing, reader, subject=typed.get("subject", ""), to=typed["to"], at=now)
    except InDoubt as error:
        messages.warning(
            request, f"The test copy may or may not have left: the mail server did not answer. {error.reason}"
        )
        return True
    except DeliveryError as error:
        messages.error(request, f"The test copy was not sent. The mail server says: {error.reason}")
        return False
    except ValidationError:
        form.add_error("to", "This is no address that mail can be sent to.")
        return False
    # Whose address it was stays out of the log.
    audit.record(actor=request.user, action="test copy sent", subject=mailing, at=now)  # type: ignore[arg-type]
    messages.success(request, f"A test copy is on its way to {typed['to']}. Its links do nothing.")
    return True
