"""What browsers ask us for while somebody fills in a form."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from fraud.proof_of_work import challenge


@require_safe
def proof_of_work(request: HttpRequest) -> HttpResponse:
    """A sum of its own for everybody who asks; no cookie, no query."""
    response = JsonResponse(challenge(at=timezone.now()))
    response["Cache-Control"] = "no-store"
    return response
