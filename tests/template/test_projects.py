"""Generated projects work: their own tests and checks pass with their own dependencies."""

import pytest

from tests.template.rendering import name_of, pairwise, run

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "answers",
    pairwise("interface", "server", "database", "django_version", "python_version"),
    ids=name_of,
)
def test_the_projects_own_tests_and_checks_pass(template, tmp_path, answers):
    project = template.render(tmp_path / "site", **answers)
    run("uv", "sync", "--quiet", cwd=project)
    for target in ("check", "test"):  # test_render.py lints
        run("make", target, cwd=project)
