"""What every template knows."""

from django.conf import settings


def site(request):
    """Return the site's name for templates, as `site_name`."""
    return {"site_name": settings.SITE_NAME}
