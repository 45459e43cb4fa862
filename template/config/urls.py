"""Which address shows what."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import TemplateView

urlpatterns = [
    path("", TemplateView.as_view(template_name="home.html"), name="home"),
    path("chat/", include("chat.urls")),
    path("stream/", include("stream.urls")),
    path("admin/", admin.site.urls),
]
