"""Rows that prove something cannot be rewritten, whoever asks the database."""

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from petitions.models import Version
from signers.confirming import confirm
from signers.models import Consent
from staff import audit
from staff.models import AuditEntry
from tests import factories


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (Version, {"statement": "Never said."}),
        (Consent, {"granted": True}),
        (AuditEntry, {"reason": "Made up later."}),
    ],
)
def test_what_was_written_once_stays(db, model, change):
    signature = factories.make_signature()
    confirm(signature_id=signature.pk, at=timezone.now())
    audit.record(actor=None, action="tested", subject=signature.petition, at=timezone.now())

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        model.objects.update(**change)

    assert model.objects.count() >= 1
