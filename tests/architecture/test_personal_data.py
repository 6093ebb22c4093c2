"""Whoever adds a field decides at once whether it is personal, and when it goes."""

import pytest
from django.apps import apps
from django.db import models

from signers.models import Supporter
from staff.models import User

OURS = ("campaigns", "petitions", "signers", "fraud", "mailings", "staff")
ABOUT_PEOPLE = ("signers", "fraud", "staff")
# What holds whatever somebody types. Numbers, dates, switches and choices from a closed list describe an event.
TEXTS = (
    models.CharField,
    models.TextField,
    models.JSONField,
    models.BinaryField,
    models.GenericIPAddressField,
)
PEOPLE = (Supporter, User)

# Looked at, and found to say nothing about anybody, or to have no life of its own.
NOT_PERSONAL = {
    "petitions.Version.published_by": "the account says who; the version is a public act of the organization",
    "petitions.Stand.recorded_by": "the account says who; the move is a public act of the organization",
    "petitions.TargetList.created_by": "the account says who; the list goes within a day",
    "mailings.Mailing.created_by": "the account says who; a mailing is an act of the organization",
    "mailings.Mailing.asked_by": "the same",
    "mailings.Mailing.approved_by": "the same",
    "signers.Submission.wording": "our own words",
    "signers.Submission.referral": "a random code; recognises nobody",
    "signers.Submission.referral_code": "a random code; recognises nobody",
    "signers.Submission.proof": "random numbers of ours, and a sum worked out from them",
    "fraud.UsedProof.key": "a hash of a random number of ours",
    "signers.Submission.parked_reason": "our own words",
    "signers.Signature.wording": "our own words",
    "signers.Signature.referral": "a random code; recognises nobody",
    "signers.Signature.referral_code": "a random code; recognises nobody",
    "signers.Consent.wording": "our own words",
    "signers.OutgoingMail.event": "keys of rows",
    "signers.OutgoingMail.supporter": "the mail is deleted with its supporter",
    "signers.OutgoingMail.last_error": "what the server answered, without addresses",
    "signers.NetworkKey.key": "a random number, destroyed within 30 days",
    "signers.SharedNetwork.addresses": "of an institution, as entered by staff",
    "signers.SharedNetwork.note": "the institution",
    "fraud.AllowedDomain.domain": "of an institution, as entered by staff",
    "fraud.AllowedDomain.note": "the institution",
    "fraud.Batch.actor": "the account says who; the audit log keeps it",
    "fraud.Batch.reason": "staff are told to name no signer",
    "fraud.Batch.undo_reason": "the same",
    "fraud.Change.before": "dates and states, deleted with the signature",
    "fraud.Change.after": "the same",
    "fraud.Change.dropped": "keys of rows",
    "fraud.Change.made": "keys of rows",
    "staff.AuditEntry.actor": "a bare number once the account is gone",
    "staff.AuditEntry.action": "our own words",
    "staff.AuditEntry.subject_type": "our own words",
    "staff.AuditEntry.subject_label": "names things and rows, never signers",
    "staff.AuditEntry.reason": "staff are told to name no signer",
    "staff.AuditEntry.details": "numbers and choices",
    "staff.SiteState.message": "said to every visitor",
}


def our_models():
    return [model for app in OURS for model in apps.get_app_config(app).get_models()]


def needs_a_decision(field):
    if isinstance(field, models.ForeignKey):
        return field.related_model in PEOPLE
    return field.model._meta.app_label in ABOUT_PEOPLE and isinstance(field, TEXTS) and not field.choices


def fields_to_decide():
    return {
        f"{model._meta.label}.{field.name}": field.name in getattr(model, "PERSONAL_FIELDS", {})
        for model in our_models()
        for field in model._meta.local_fields
        if needs_a_decision(field)
    }


def test_every_field_about_people_is_declared():
    undecided = [
        name for name, declared in fields_to_decide().items() if not declared and name not in NOT_PERSONAL
    ]

    assert undecided == [], (
        "add each to PERSONAL_FIELDS of its model, or to NOT_PERSONAL here with the reason"
    )


def test_nothing_is_called_personal_and_not_personal():
    undeclared = [name for name, declared in fields_to_decide().items() if not declared]

    assert sorted(NOT_PERSONAL) == sorted(name for name in undeclared if name in NOT_PERSONAL)


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model._meta.label)
def test_declared_fields_exist_and_say_when_they_go(model):
    declared = getattr(model, "PERSONAL_FIELDS", {})

    assert set(declared) <= {field.name for field in model._meta.get_fields()}
    assert all(declared.values())
