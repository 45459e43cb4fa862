"""Which address is measured: the same ones over both interfaces, and in bare.py without Django."""

from django.conf import settings
from django.urls import path

from bench.apps import views

kind = "asynchronous" if hasattr(settings, "ASGI_APPLICATION") else "threaded"
urlpatterns = [
    path("hello/", getattr(views, f"hello_{kind}")),
    path("sync/", views.hello_threaded),
    path("query/", getattr(views, f"query_{kind}")),
    path("wait/", getattr(views, f"wait_{kind}")),
    path("events/", getattr(views, f"events_{kind}")),
]
