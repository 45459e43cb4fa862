"""Good answers are kept as they were given, bad ones are refused by name."""

import ast
import keyword
import re
import sys
import tomllib
import zoneinfo
from itertools import combinations

import jinja2
import pytest
import yaml
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from tests.template.rendering import ROOT, SHARED, TEXTS, check_that_files_parse, read_questions

few = settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
many = settings(few, max_examples=25)

# What a text field keeps: any line of printable characters, the awkward ones more often.
AWKWARD = "\"'`\\$%#{}<>&*_[]|~!;:@=+-.() /"
line = (
    st.text(st.one_of(st.sampled_from(AWKWARD), st.characters(codec="utf-8")), min_size=1, max_size=40)
    .map(str.strip)
    .filter(lambda text: text and text.isprintable())
)


def refused(template, tmp_path, **answer):
    """Return the message with which one bad answer is refused."""
    (name,) = answer
    with pytest.raises(ValueError, match=f"question '{name}'") as error:
        template.render(tmp_path / "refused", **answer)
    assert not (tmp_path / "refused").exists(), "something was written all the same"
    return str(error.value)


def assigned(path, name):
    """Return the literal that a Python file assigns to `name`."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == name:
            return ast.literal_eval(node.value)
    raise AssertionError(f"{path} does not set {name}")


def shown(markdown):
    """Return what Markdown shows for escaped text; fail where it would take a character for a mark."""
    marks = set("`*_[]<>&#~|!$") & set(re.sub(r"\\.", "", markdown))
    assert not marks, f"{marks} not escaped in {markdown}"
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown)


@few
@given(name=line, text=line, author=line)
@example(name='It\'s "100 %" $HOME #1 {{ 7*7 }}', text="1. {% raw %} <b> \\n", author="Ада 🦊 O'Neil")
@example(name="'''", text='"""', author="\\")
@example(name="{{", text="{#", author="${x}")
def test_texts_are_kept_literally_wherever_they_appear(template, tmp_path_factory, name, text, author):
    project = template.render(
        tmp_path_factory.mktemp("texts") / "site",
        SHARED,
        project_name=name, description=text, author_name=author,
    )  # fmt: skip
    check_that_files_parse(project)
    assert assigned(project / "config" / "settings.py", "SITE_NAME") == name
    metadata = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    assert metadata["description"] == text
    assert metadata["authors"][0]["name"] == author
    heading, _, summary, *_ = (project / "README.md").read_text().split("\n")
    assert shown(heading.removeprefix("# ")) == name
    assert shown(summary) == text
    assert f"Copyright (c) {author}\n" in (project / "LICENSE").read_text()
    answers = yaml.safe_load((project / ".copier-answers.yml").read_text())
    assert [answers[question] for question in TEXTS] == [name, text, author]


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("My Site", "mysite"),
        ("Мой сайт", "mysite"),
        ("42", "mysite"),
        ("X", "mysite"),
        ("Chat", "chatsite"),
        ("Django", "djangosite"),
        ("A" * 80, "a" * 30),
    ],
)
def test_a_short_name_that_works_is_suggested(template, tmp_path, name, slug):
    project = template.render(tmp_path / "site", SHARED, project_name=name)
    assert yaml.safe_load((project / ".copier-answers.yml").read_text())["project_slug"] == slug


@many
@given(text=st.text(min_size=1, max_size=20), question=st.sampled_from(TEXTS))
@example(text="two\nlines", question="project_name")
@example(text="right\u202eleft", question="project_name")
def test_texts_that_cannot_be_shown_on_one_line_are_refused(template, tmp_path, text, question):
    assume(not text.isprintable())
    assert "printable" in refused(template, tmp_path, **{question: text})


def test_texts_that_are_too_long_are_refused(template, tmp_path):
    assert "1 to 80" in refused(template, tmp_path, project_name="x" * 81)
    assert "at most 200" in refused(template, tmp_path, description="x" * 201)


@many
@given(slug=st.one_of(st.text(min_size=1), st.from_regex(r"\A[A-Za-z0-9_./ -]{1,40}\Z")))
@example(slug="my-site")
@example(slug="../etc")
@example(slug="mysite\n")
@example(slug="\uff4dysite")  # a full-width m
@example(slug="a" * 31)
@example(slug="my__site")
@example(slug="mysite_")
def test_short_names_that_are_no_python_names_are_refused(template, tmp_path, slug):
    assume(slug.strip())
    assume(not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", slug) or not 2 <= len(slug) <= 30)
    assert "cannot be the short name: use" in refused(template, tmp_path, project_slug=slug)


NAMES = yaml.safe_load((ROOT / "known-names.yml").read_text())
RESERVED = set(" ".join(NAMES["reserved_names"]["default"].values()).split())


def test_the_list_of_reserved_names_is_complete():
    own = {path.name for path in (ROOT / "template").iterdir() if path.is_dir()}
    wanted = {*keyword.kwlist, *keyword.softkwlist, *sys.stdlib_module_names, *own}
    possible = {name for name in wanted if re.fullmatch(r"[a-z][a-z0-9_]{1,29}", name)}
    assert possible - RESERVED == set()


def test_the_projects_dependencies_are_reserved_names(template, tmp_path):
    for interface in ("asgi", "wsgi"):
        project = template.render(tmp_path / interface, SHARED, interface=interface)
        metadata = tomllib.loads((project / "pyproject.toml").read_text())
        needed = [*metadata["project"]["dependencies"], *metadata["dependency-groups"]["dev"]]
        names = {re.match(r"[\w-]+", need)[0].replace("-", "_") for need in needed}
        assert names - {"django_environ", "django_csp"} - RESERVED == set()


@pytest.mark.parametrize("slug", ["class", "json", "django", "chat", "tests", "postgres", "root"])
def test_reserved_short_names_are_refused_with_another(template, tmp_path, slug):
    message = refused(template, tmp_path, project_slug=slug)
    assert f'"{slug}"' in message
    assert f'Try "{slug}site"' in message


@pytest.mark.parametrize(
    ("domain", "better"),
    [
        ("https://www.example.com", "www.example.com"),
        ("http://user@www.example.com:8000/path?query", "www.example.com"),
        ("www.example.com:443", "www.example.com"),
        ("www.example.com/", "www.example.com"),
        ("*.example.com", "example.com"),
        (".example.com", "example.com"),
        ("example.com.", "example.com"),
        ("Example.COM", "example.com"),
    ],
)
def test_a_domain_that_is_more_than_a_host_name_is_refused_with_the_right_one(template, tmp_path, domain, better):
    message = refused(template, tmp_path, domain=domain)
    assert f'"{domain}"' in message
    assert f'Did you mean "{better}"?' in message


@many
@given(domain=st.text(st.characters(codec="utf-8"), min_size=1, max_size=30))
@example(domain="localhost")
@example(domain="192.0.2.1")
@example(domain="-a.example.com")
@example(domain="a" * 64 + ".example.com")
@example(domain="a..example.com")
@example(domain="example.com\n")
def test_what_is_no_host_name_is_refused(template, tmp_path, domain):
    assume(domain.strip())
    assume(not re.fullmatch(r"([a-z0-9-]+\.)+[a-z][a-z0-9-]*", domain) or "-a" in domain or "a" * 64 in domain)
    assert "is not a host name" in refused(template, tmp_path, domain=domain)


@pytest.mark.parametrize("email", ["ada", "ada@", "@example.com", "a b@example.com", "ada@host\n"])
def test_what_is_no_email_address_is_refused(template, tmp_path, email):
    assert "is not an e-mail address" in refused(template, tmp_path, author_email=email)


@pytest.mark.parametrize("zone", ["Europe/Berln", "../etc/passwd", "Paris", "utc"])
def test_unknown_time_zones_are_refused(template, tmp_path, zone):
    assert f'"{zone}" is not a time zone' in refused(template, tmp_path, time_zone=zone)


def test_time_zones_offered_are_known_to_python():
    known = set(NAMES["time_zones"]["default"].split())
    assert known >= {"UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata"}
    assert known - zoneinfo.available_timezones() == set()


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"interface": "wsgi", "server": "uvicorn"}, "choose gunicorn or granian, or interface asgi"),
        ({"interface": "wsgi", "server": "hypercorn"}, "choose gunicorn or granian, or interface asgi"),
        ({"interface": "wsgi", "server": "daphne"}, "choose gunicorn or granian, or interface asgi"),
        ({"python_version": "3.11"}, "Django 6.1 needs Python 3.12"),
    ],
)
def test_choices_that_do_not_fit_together_are_refused(template, tmp_path, answers, reason):
    with pytest.raises(ValueError, match=reason):
        template.render(tmp_path / "refused", **answers)


NEEDS = ("websockets", "realtime", "concurrency", "connections")
EVERY_NEED = [list(some) for number in range(len(NEEDS) + 1) for some in combinations(NEEDS, number)]


def said(text, **answers):
    """Return what a text of copier.yml says after these answers."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 (no HTML)
    return environment.from_string(text).render(answers).strip()


def kept(template, tmp_path, **answers):
    """Return the answers that a new project keeps, without its files."""
    project = template.render(tmp_path / "site", ["*", "!.copier-answers.yml"], **answers)
    return yaml.safe_load((project / ".copier-answers.yml").read_text())


@pytest.mark.parametrize("needs", EVERY_NEED, ids=lambda needs: "+".join(needs) or "none")
def test_any_need_is_advised_asgi_and_none_wsgi_in_one_line_with_the_reason(needs):
    questions = read_questions()
    advised = "asgi" if needs else "wsgi"
    assert said(questions["advised_interface"]["default"], needs=needs) == advised
    advice = said(questions["advice"]["default"], needs=needs)
    shown = said(questions["interface"]["help"], advice=advice)
    assert f"Recommended: {advised.upper()}, because" in shown
    assert "\n" not in shown
    assert len(shown) <= 150


@pytest.mark.parametrize("needs", EVERY_NEED, ids=lambda needs: "+".join(needs) or "none")
def test_wsgi_can_be_chosen_unless_websockets_are_needed(needs):
    refusal = said(read_questions()["interface"]["choices"]["WSGI: the classic, with threads"]["validator"], needs=needs)
    assert ("choose interface asgi, or take websockets out of needs" in refusal) == ("websockets" in needs)


@pytest.mark.parametrize(
    ("answers", "interface", "server"),
    [
        ({}, "asgi", "uvicorn"),
        ({"needs": []}, "wsgi", "gunicorn"),
        ({"needs": ["concurrency"]}, "asgi", "uvicorn"),
        ({"needs": ["realtime"], "interface": "wsgi"}, "wsgi", "gunicorn"),
        ({"needs": [], "interface": "asgi"}, "asgi", "uvicorn"),
        ({"interface": "wsgi"}, "wsgi", "gunicorn"),
    ],
)
def test_advice_is_taken_and_can_be_overruled(template, tmp_path, answers, interface, server):
    project = kept(template, tmp_path, **answers)
    assert (project["interface"], project["server"]) == (interface, server)


def test_websockets_over_wsgi_are_refused_with_the_two_ways_out(template, tmp_path):
    with pytest.raises(ValueError, match="choose interface asgi, or take websockets out of needs"):
        kept(template, tmp_path, needs=["websockets"], interface="wsgi")


@pytest.mark.parametrize("question", [name for name, about in read_questions().items() if "choices" in about])
def test_unknown_choices_are_refused(template, tmp_path, question):
    several = read_questions()[question].get("multiselect")
    with pytest.raises(ValueError, match="Invalid choice"):
        template.render(tmp_path / "refused", **{question: ["nothing"] if several else "nothing"})


def test_questions_are_short_and_end_like_one():
    asked = {name: about for name, about in read_questions().items() if about.get("when") is not False}
    assert len(asked) == 14
    for name, about in asked.items():
        assert "?" in about["help"], name
        assert len(about["help"]) <= 100, name
        assert "choices" in about or "validator" in about, f"{name} accepts anything"
