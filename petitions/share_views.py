"""What leads people to a petition from elsewhere: the image of a shared link, and short addresses."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from petitions.models import ShareImage
from petitions.public_pages import CACHE_CONTROL, IMMUTABLE, publicly_cached
from petitions.short_addresses import destination


@require_safe
def image(request: HttpRequest, slug: str, digest: str) -> HttpResponse:
    """The image of a live petition, as it is now whatever the digest: posts shared long ago keep theirs. One query.

    At a petition's former address, a second.
    """
    images = ShareImage.objects.filter(petition__live_at__lte=timezone.now()).values_list("digest", "png")
    found = (
        images.filter(petition__slug=slug).first()
        or images.filter(petition__former_addresses__slug=slug).first()
    )
    if found is None:
        raise Http404
    current, png = found
    response = HttpResponse(bytes(png), content_type="image/png")
    lasting = IMMUTABLE if digest == current else CACHE_CONTROL
    return publicly_cached(request, response, cache_control=lasting)


@require_safe
def short_address(request: HttpRequest, code: str) -> HttpResponse:
    """From a short address to its petition, whose signatures then count for the channel. One query."""
    url = destination(code, at=timezone.now())
    if url is None:
        raise Http404
    return publicly_cached(request, HttpResponseRedirect(url), cache_control=CACHE_CONTROL)
