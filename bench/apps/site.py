"""The project's own ASGI application, with the WebSockets of the benchmark in front of its routes."""

from config import asgi  # first: it loads Django

from bench.apps.consumers import Echo, Room  # isort: skip
from django.urls import path

asgi.websocket_urlpatterns[:0] = [
    path("ws/bench/echo/", Echo.as_asgi()),
    path("ws/bench/room/<slug:room>/", Room.as_asgi()),
]
application = asgi.application
