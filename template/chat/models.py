"""What is kept of a conversation, and who is there."""

from datetime import timedelta

from django.conf import settings
from django.db import connection, models, transaction
from django.utils import timezone

ROOM = r"(?P<room>[a-z0-9-]{1,50})"  # a room's name, as a part of an address
TEXT_LIMIT = 2000  # characters of a message
HISTORY = 50  # messages that a newcomer sees
MISSED = 500  # messages that a client gets at most when it comes back
SMOKE = "smoke-"  # how the names of the smoke suite's rooms begin: nothing of them is kept
AWAY = timedelta(seconds=60)  # after the last sign of life a page is forgotten
CROWD = 100  # pages of a room that are listed: more come in, but unseen


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


class Presences(models.Manager):
    def here(self):
        return self.filter(seen__gt=timezone.now() - AWAY)

    def enter(self, room, client, name):
        """Note a sign of life of an open page; return its time and whether the page is new here."""
        seen = timezone.now()
        known = self.here().filter(client=client, room=room, name=name).update(seen=seen)
        if known or room.startswith(SMOKE):
            return seen, False
        self.filter(seen__lte=seen - AWAY).delete()
        if self.filter(room=room).count() >= CROWD:
            return seen, False
        # One statement: the page may be coming in through two processes at once.
        self.bulk_create(
            [self.model(client=client, room=room, name=name, seen=seen)],
            update_conflicts=True,
            unique_fields=["client"],
            update_fields=["room", "name", "seen"],
        )
        return seen, True

    def leave(self, client, **known):
        """Forget a page; with `seen`, only if no other process has seen it since."""
        return self.filter(client=client, **known).delete()[0] > 0

    def names(self, room):
        """Return who is in a room, each name once, in order."""
        return sorted(set(self.here().filter(room=room).values_list("name", flat=True)))


class Presence(models.Model):
    """A page that shows a room now. In the database, so that all processes see the same."""

    # Chosen by the page, at random: when it comes back it is still the same one.
    client = models.CharField(max_length=32, primary_key=True)
    room = models.CharField(max_length=50)
    name = models.CharField(max_length=150)
    seen = models.DateTimeField(db_index=True)

    objects = Presences()

    class Meta:
        indexes = [models.Index(fields=["room", "seen"], name="chat_here")]

    def __str__(self):
        return f"{self.name} in {self.room}"
