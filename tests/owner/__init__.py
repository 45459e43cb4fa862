"""What an owner may do to a generated project: an application of their own, and changes in the template's files.

Used where a test asks what becomes of it: `copier update` (tests/template) and a deployed project (tests/deploy).
"""

import shutil
from pathlib import Path

from tests.template.rendering import run

FILES = Path(__file__).parent / "project"

# path: (what stands there, what the owner writes instead)
EDITS = {
    "config/settings.py": [
        ('    "stream",\n]', '    "stream",\n    "news",\n]'),
        ('LANGUAGE_CODE = "en-us"', 'LANGUAGE_CODE = "en-gb"'),
    ],
    "config/urls.py": [
        (
            '    path("stream/", include("stream.urls")),\n',
            '    path("stream/", include("stream.urls")),\n    path("news/", include("news.urls")),\n',
        )
    ],
    "templates/base.html": [
        ("Stream</a>\n", "Stream</a>\n        <a href=\"{% url 'news:list' %}\">News</a>\n"),
    ],
    "templates/home.html": [("This is your new site.", "The harbour has a site.")],
    "templates/chat/room.html": [('placeholder="Message as {{ name }}"', 'placeholder="Hail as {{ name }}"')],
    "README.md": [("## Deploying\n", "## Who keeps watch\n\nThe harbour office, day and night.\n\n## Deploying\n")],
    "Makefile": [(".PHONY: help dev", ".PHONY: help coverage dev")],
    "deploy/inventory/production/group_vars/all.yml": [
        ("app_domains_extra: []", "app_domains_extra: [www.site.test]"),
        ("app_environment: {}\n", "app_environment:\n  NEWS_SHOWN: 20\n"),
    ],
}
# path: what the owner adds at its end
ADDITIONS = {
    "config/settings.py": '\n\n# News\n# ----\n\nNEWS_SHOWN = env.int("NEWS_SHOWN", default=10)\n',
    "static/site.css": "\n.news time {\n  color: gray;\n}\n",
    "Makefile": "\ncoverage: ## Show which lines the tests run\n\tuv run pytest --cov\n",
    ".env.example": "\n# How many news are shown.\n# NEWS_SHOWN=10\n",
}


def change(project: Path) -> None:
    """Do to a generated project what its owner does; the lock is left to `uv lock`."""
    shutil.copytree(FILES, project, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name, edits in EDITS.items():
        text = (project / name).read_text()
        for old, new in edits:
            assert old in text, f"{name} does not contain {old!r}"
            text = text.replace(old, new)
        (project / name).write_text(text)
    for name, text in ADDITIONS.items():
        with (project / name).open("a") as file:
            file.write(text)
    for packages in (["markdown>=3.7,<4"], ["--dev", "pytest-cov>=6"]):
        run("uv", "add", "--quiet", "--frozen", *packages, cwd=project)
