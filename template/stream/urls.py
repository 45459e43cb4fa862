from django.urls import path

from stream import views

app_name = "stream"
urlpatterns = [
    path("", views.page, name="page"),
    path("events/", views.events, name="events"),
]
