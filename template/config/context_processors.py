"""What every template knows."""

from django.conf import settings


def site(request):
    """Return the site's name for templates, as `site_title`: Django's login view has a `site_name`."""
    return {"site_title": settings.SITE_NAME}
