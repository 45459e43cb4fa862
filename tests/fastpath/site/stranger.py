"""A session engine and a message storage that read the database as soon as they are made."""

from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.sessions.backends.db import SessionStore as Store
from django.contrib.sessions.models import Session


class SessionStore(Store):
    def __init__(self, session_key=None):
        super().__init__(session_key)
        self.others = Session.objects.count()

    @classmethod
    def get_model_class(cls):
        return Session


class Messages(FallbackStorage):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.others = Session.objects.count()
