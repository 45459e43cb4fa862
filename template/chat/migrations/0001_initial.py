import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("room", models.CharField(max_length=50)),
                ("author", models.CharField(max_length=150)),
                ("text", models.TextField(max_length=2000)),
                ("created", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["room", "id"], name="chat_history")],
            },
        ),
        migrations.CreateModel(
            name="Presence",
            fields=[
                ("client", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("room", models.CharField(max_length=50)),
                ("name", models.CharField(max_length=150)),
                ("seen", models.DateTimeField(db_index=True)),
            ],
            options={
                "indexes": [models.Index(fields=["room", "seen"], name="chat_here")],
            },
        ),
    ]
