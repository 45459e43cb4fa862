"""Django's middleware, its hooks called where they stand instead of in a thread.

MiddlewareMixin makes each hook of an asynchronous request a trip to a thread and back, even where the
hook only sets a header. These are the hooks of Django's own middleware, by what they
do: without input and output they are called at once; with it they still go to the request's thread.
Only the very classes are meant: a subclass may do anything, and keeps Django's path.
"""

from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils.deprecation import MiddlewareMixin
from django.utils.module_loading import import_string

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")  # methods that CsrfViewMiddleware lets pass


def session_is_saved(request, response):
    """SessionMiddleware writes what was changed, and looks into it for its age."""
    session = getattr(request, "session", None)
    return (
        session is not None
        and (session.modified or settings.SESSION_SAVE_EVERY_REQUEST)
        and not session.is_empty()
    )


def secret_is_in_session(request):
    """CsrfViewMiddleware reads its secret from the session, if the settings say so."""
    return settings.CSRF_USE_SESSIONS


def secret_goes_to_session(request, response):
    return settings.CSRF_USE_SESSIONS and request.META.get("CSRF_COOKIE_NEEDS_UPDATE")


def form_is_read(request, view, args, kwargs):
    """CsrfViewMiddleware looks for its token in the body, which may be a large upload."""
    return request.method not in SAFE


def messages_are_stored(request, response):
    """MessageMiddleware keeps what was not shown yet, perhaps in the session."""
    storage = getattr(request, "_messages", None)
    return storage is not None and (storage.used or storage.added_new)


# The middleware whose hooks are called at once; some hooks only where their function sees no input or output.
HOOKS = {
    "django.middleware.security.SecurityMiddleware": {},
    "django.middleware.csp.ContentSecurityPolicyMiddleware": {},
    "csp.middleware.CSPMiddleware": {},  # the package django-csp, which Django 5.2 needs for the same
    "django.contrib.sessions.middleware.SessionMiddleware": {"process_response": session_is_saved},
    "django.middleware.common.CommonMiddleware": {},
    "django.middleware.http.ConditionalGetMiddleware": {},
    "django.middleware.locale.LocaleMiddleware": {},
    "django.middleware.csrf.CsrfViewMiddleware": {
        "process_request": secret_is_in_session,
        "process_view": form_is_read,
        "process_response": secret_goes_to_session,
    },
    "django.contrib.auth.middleware.AuthenticationMiddleware": {},
    "django.contrib.messages.middleware.MessageMiddleware": {
        "process_response": messages_are_stored
    },
    "django.middleware.clickjacking.XFrameOptionsMiddleware": {},
}


def hooks_of(middleware):
    """Return the conditions of the hooks of a middleware; None where all go Django's own path."""
    cls = type(middleware)
    hooks = HOOKS.get(f"{cls.__module__}.{cls.__qualname__}")
    if hooks is None or cls.__acall__ is not MiddlewareMixin.__acall__:
        return None  # unknown, or Django has given it an asynchronous path by now
    # An engine or a storage of someone else's may do anything when it is made.
    parts = [getattr(middleware, "SessionStore", None)]
    if "messages" in cls.__module__:
        parts = [import_string(settings.MESSAGE_STORAGE)]
    own = all(part is None or part.__module__.startswith("django.contrib.") for part in parts)
    return hooks if own else None


def hook(method, does_io=None):
    """Make a hook asynchronous: called at once, unless `does_io` says that it reads or writes."""
    in_thread = sync_to_async(method, thread_sensitive=True)

    async def call(*arguments):
        if does_io and does_io(*arguments):
            return await in_thread(*arguments)
        return method(*arguments)

    return call


def inline(middleware, hooks):
    """Return what MiddlewareMixin.__acall__ does for this middleware, without the changes of thread."""
    get_response = middleware.get_response
    before, after = (
        hook(getattr(middleware, name), hooks.get(name)) if hasattr(middleware, name) else None
        for name in ("process_request", "process_response")
    )

    async def call(request):
        response = before and await before(request)
        response = response or await get_response(request)
        return await after(request, response) if after else response

    return call
