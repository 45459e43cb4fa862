"""What is kept of a conversation."""

from django.conf import settings
from django.db import connection, models, transaction
from django.utils import timezone

ROOM = r"(?P<room>[a-z0-9-]{1,50})"  # a room's name, as a part of an address
TEXT_LIMIT = 2000  # characters of a message
HISTORY = 50  # messages that a newcomer sees
MISSED = 500  # messages that a client gets at most when it comes back


class Messages(models.Manager):
    def post(self, room, author, text, user=None):
        """Store a message of a room's visitor and return it; `user` is None for guests."""
        with transaction.atomic():
            if connection.vendor == "postgresql":
                # One writer a room at a time: else a lower id could become visible after a higher
                # one, and a client that asks for what came after the higher one would miss it.
                # SQLite has a single writer anyway.
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [room])
            return self.create(room=room, author=author, text=text, user=user)

    def history(self, room, after=None):
        """Return a room's newest messages as JSON-ready dicts, oldest first.

        Without `after` the last HISTORY ones, else those with a higher id, at most MISSED.
        """
        messages = self.filter(room=room).order_by("-id")
        newest = messages[:HISTORY] if after is None else messages.filter(id__gt=after)[:MISSED]
        return [message.as_json() for message in reversed(newest)]

    def rooms(self, limit=12):
        """Return the names of the rooms with the newest messages, at most `limit`."""
        newest = self.values("room").annotate(newest=models.Max("id")).order_by("-newest")
        return [row["room"] for row in newest[:limit]]


class Message(models.Model):
    room = models.CharField(max_length=50)
    # The name at the time of writing, which outlives the user.
    author = models.CharField(max_length=150)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    text = models.TextField(max_length=TEXT_LIMIT)
    created = models.DateTimeField(default=timezone.now)

    objects = Messages()

    class Meta:
        indexes = [models.Index(fields=["room", "id"], name="chat_history")]

    def __str__(self):
        return f"{self.author} in {self.room}: {self.text[:50]}"

    def as_json(self):
        """Return what a client is sent; `id` is null for a message that is not stored."""
        return {
            "id": self.id,
            "author": self.author,
            "text": self.text,
            "created": self.created.isoformat(),
        }
