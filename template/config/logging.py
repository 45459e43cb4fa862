"""Log lines as JSON, each with the id of the request it belongs to."""

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime

# Set by config.middleware.request_log; a line written outside a request has no id.
request_id: ContextVar[str] = ContextVar("request_id", default="")


class JSONFormatter(logging.Formatter):
    """Turns a record into one line of JSON.

    More keys are added with `logger.info("…", extra={"fields": {"key": value}})`.
    """

    def format(self, record):
        """Take a LogRecord; return its line, with the time in UTC to the millisecond."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request_id.get(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
