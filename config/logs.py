"""Logs as JSON lines on standard error; anything that looks like a phone number is masked."""

import json
import logging
import re
from datetime import UTC, datetime

_PHONE = re.compile(r"(?<![\d.:])(?:\+81[- ]?\d{9,10}|0\d{9,10}|0\d{1,4}-\d{1,4}-\d{4})(?!\d)")


class JsonLines(logging.Formatter):
    """One object a line: time, level, where, what, and the trace of a defect."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "where": record.name,
            "what": record.getMessage(),
        }
        if record.exc_info:
            said["trace"] = self.formatException(record.exc_info)
        return _PHONE.sub("***", json.dumps(said, ensure_ascii=False))


def install(level: int = logging.INFO) -> None:
    """Replace the root's handlers with JSON lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # One line a request is the proxy's work; ours are events and defects.
    logging.getLogger("geventwebsocket.handler").setLevel(logging.WARNING)
