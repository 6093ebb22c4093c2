"""Staff pause signing while Connie types: nothing she wrote is lost, and one press signs when it goes on."""

import html
import re
from collections.abc import Callable

from petitions.models import Petition
from signers.models import Signature
from staff.site_state import State, switch
from tests.factories import NOW
from tests.people import Person

FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


def test_what_was_typed_while_signing_was_paused_signs_later(
    petition: Petition, connie: Person, work: Callable[..., None]
) -> None:
    switch(State.SIGNING_PAUSED, actor=None, at=NOW, message="Back at noon.")

    refused = connie.signs(petition)
    page = refused.content.decode()

    assert refused.status_code == 503
    assert "Back at noon." in page

    switch(State.FULL, actor=None, at=NOW)
    kept = {name: html.unescape(value) for name, value in FIELD.findall(page)}
    taken = connie.presses(f"{petition.get_absolute_url()}sign/", **kept)
    work()

    assert taken.status_code == 303
    assert Signature.objects.get().email == connie.email
    assert len(connie.mails) == 1
