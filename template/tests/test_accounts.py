"""The project's own user model."""

import pytest
from django.contrib.auth import get_user_model

from accounts.models import User


def test_the_project_uses_its_own_user_model():
    assert get_user_model() is User


@pytest.mark.django_db
def test_a_user_logs_in(client):
    User.objects.create_user("ada", password="correct horse battery staple")
    assert client.login(username="ada", password="correct horse battery staple")
    assert not client.login(username="ada", password="wrong")


@pytest.mark.django_db
def test_the_admin_lists_users(admin_client):
    response = admin_client.get("/admin/accounts/user/")
    assert response.status_code == 200
    assert b"admin@example.com" in response.content
