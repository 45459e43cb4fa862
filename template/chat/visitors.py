"""What a visitor is called, and what a visitor may say."""

import json
import re
import secrets

from chat.models import TEXT_LIMIT


def name_of(user, session):
    """Take the user and session of a request or a scope; return the name shown with messages.

    A guest's name is kept in the session. No user can take it: user names have no spaces.
    """
    if user.is_authenticated:
        return user.get_username()
    if "guest" not in session:
        session["guest"] = f"Guest {secrets.token_hex(2)}"
    return session["guest"]


def read_json(raw):
    """Take bytes or text from a client; return what it says in JSON, or None."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def clean_text(message):
    """Take a client's message as decoded JSON; return its text, ready to be stored.

    Raises ValueError, with a sentence for the client, where there is no text or too much of it.
    """
    text = message.get("text") if isinstance(message, dict) else None
    if not isinstance(text, str):
        raise ValueError('Send {"type": "message", "text": "…"}.')
    # PostgreSQL stores neither NUL nor half of a surrogate pair; JSON may hold both.
    text = text.replace("\0", "").encode(errors="replace").decode().strip()
    if not text:
        raise ValueError("The message is empty.")
    if len(text) > TEXT_LIMIT:
        raise ValueError(f"The message is too long: {len(text)} of {TEXT_LIMIT} characters.")
    return text


def parse_after(value):
    """Take `?after=` as text or None; return the id in it, or None where there is none."""
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 19 else None


def parse_client(value):
    """Take `?client=` as text or None; return the page's key in it, or None where there is none."""
    return value if value and re.fullmatch("[0-9a-f]{32}", value) else None
