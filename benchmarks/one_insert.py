"""The yardstick of the sign post: what any Django view costs that writes one row, with all the middleware there is."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from signers.models import Submission


@csrf_exempt
def insert(request: HttpRequest) -> HttpResponse:
    Submission.objects.create(
        petition_id=1,
        version_id=1,
        received_at=timezone.now(),
        first_name=request.POST["first_name"],
        last_name=request.POST["last_name"],
        email=request.POST["email"],
        updates=request.POST["updates"] == "yes",
        wording="May Readers’ Common send you updates by e-mail? Yes, keep me informed / No, thank you",
        referral_code="abcdefghjk",
    )
    return HttpResponseRedirect("/", status=303)


urlpatterns = [path("insert/", insert)]
