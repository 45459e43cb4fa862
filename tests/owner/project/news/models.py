from django.db import models
from django.utils import timezone


class Item(models.Model):
    text = models.TextField()
    published = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return self.text[:50]
