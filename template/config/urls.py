"""Which address shows what."""

from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from django.views.generic import TemplateView

from config import stack

urlpatterns = [
    path("", TemplateView.as_view(template_name="home.html"), name="home"),
    path("chat/", include("chat.urls")),
    path("stream/", include("stream.urls")),
    path("about/stack/", stack.page, name="stack"),
    path("login/", LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    # With DEBUG alone; in production nginx serves what visitors upload.
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
]
