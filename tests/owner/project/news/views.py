from django.conf import settings
from django.shortcuts import render
from markdown import markdown

from news.models import Item


def news(request):
    newest = Item.objects.order_by("-published")[: settings.NEWS_SHOWN]
    items = [{"published": item.published, "html": markdown(item.text)} for item in newest]
    return render(request, "news/list.html", {"items": items})
