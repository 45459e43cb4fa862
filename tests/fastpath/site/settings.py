"""A site that does all that the two paths could do differently. VARIANT chooses among the ways Django can be set up."""

import os

VARIANT = os.environ["VARIANT"]
ROOT = os.environ["FOLDER"]

SECRET_KEY = "of-a-test"
DEBUG = False
ALLOWED_HOSTS = ["site.example", ".site.example"]
ROOT_URLCONF = "views"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "notes",
]
# From the outside in. Between Django's own stand others: asynchronous ones, and those that are both.
MIDDLEWARE = [
    "middleware.recorder",
    "django.middleware.security.SecurityMiddleware",
    "middleware.Outer",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "middleware.Common",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "middleware.only_asynchronous",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "middleware.Inner",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "loaders": [
                ("django.template.loaders.locmem.Loader", {"page.html": "{% csrf_token %}{{ user }}: {{ text }}"})
            ],
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": f"{ROOT}/db.sqlite3",
        "OPTIONS": {"timeout": 30, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL"},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": f"{ROOT}/cache"}}
USE_I18N = True
LANGUAGES = [("en", "English"), ("de", "German"), ("fr", "French")]
FILE_UPLOAD_MAX_MEMORY_SIZE = 5000  # larger ones go to the disk
FILE_UPLOAD_TEMP_DIR = ROOT
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler", "views.Reader"]
LOGGING = {"version": 1, "disable_existing_loggers": False, "root": {"handlers": [], "level": "CRITICAL"}}
LOGGING_CONFIG = None
THREADS = 4

if VARIANT == "sessions":
    CSRF_USE_SESSIONS = True
    MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
    SESSION_SAVE_EVERY_REQUEST = True
elif VARIANT == "cookies":
    SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
    SECURE_SSL_REDIRECT = False
    SESSION_EXPIRE_AT_BROWSER_CLOSE = True
elif VARIANT == "cached":
    SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
    PREPEND_WWW = True
elif VARIANT == "messages":
    MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
elif VARIANT == "strangers":
    # Engines and storages of someone else's, which do input and output wherever they can.
    SESSION_ENGINE = "stranger"
    MESSAGE_STORAGE = "stranger.Messages"
elif VARIANT == "synchronous":
    # One that is only synchronous: Django then calls all around it synchronously too, in one thread.
    MIDDLEWARE.insert(8, "middleware.only_synchronous")
