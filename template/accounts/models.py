"""Who can log in."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """Django's own user, as a model of the project, so that fields can be added at any time."""
