import pytest
from django.conf import settings

from news.models import Item

pytestmark = pytest.mark.django_db


def test_news_are_shown_as_markdown(client):
    Item.objects.create(text="The **Anna** is in.")
    assert "<strong>Anna</strong>" in client.get("/news/").text


def test_no_more_news_are_shown_than_the_setting_says(client):
    Item.objects.bulk_create(Item(text="Ship") for _ in range(settings.NEWS_SHOWN + 1))
    assert client.get("/news/").text.count("<article>") == settings.NEWS_SHOWN


def test_every_page_leads_to_the_news(client):
    assert 'href="/news/"' in client.get("/").text
