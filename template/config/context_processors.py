"""What every template knows."""

from django.conf import settings

from config.stack import shown_to


def site(request):
    """Return the site's name for templates, and whether this visitor may see what serves it.

    It is called `site_title`, as Django's login view has a `site_name`.
    """
    return {"site_title": settings.SITE_NAME, "stack_page": lambda: shown_to(request.user)}
