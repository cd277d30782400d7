"""Logs of every process: structlog, to standard error, as text for people or JSON for machines."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType

import structlog

from roost.env_file import env_file
from roost.errors import SettingMissing
from roost.settings import Settings, meant_by, settings, strangers
from workers.log_outages import InOurWords
from workers.log_repeats import Repeats

#: All but the ends of lines and tabs that tracebacks have.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

log = structlog.get_logger(__name__)


def set_up(settings: Settings) -> None:
    """Send our own and every library's records through one formatter, and whatever else a process would print."""
    level = logging.getLevelName(settings.log_level.upper())
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                show_controls,
                renderer,
            ],
        )
    )
    handler.addFilter(InOurWords())
    handler.addFilter(Repeats())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_exception
    threading.excepthook = lambda thrown: _log_exception(
        thrown.exc_type, thrown.exc_value, thrown.exc_traceback
    )
    if level > logging.DEBUG:
        # Two lines a task would be most of the log; what failed is still told.
        for name in ("celery.app.trace", "celery.worker.strategy", "celery.beat"):
            logging.getLogger(name).setLevel(logging.WARNING)
    for name, place in strangers(env_file()).items():
        log.warning("no_such_setting", setting=name, where=place, perhaps=meant_by(name))


def show_controls(
    _logger: object, _method: str, line: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    r"""Write a control character as `\x1b`: what callers, nodes and addresses bring along must not steer the terminal that shows the log."""
    for name, value in line.items():
        if isinstance(value, str):
            line[name] = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", value)
    return line


def refuse_to_start(kind: str, why: object) -> None:
    """Say in one line why a process does not start, in the format of its log."""
    if _as_json():
        print(_line("error", "cannot_start", kind=kind, why=str(why)), file=sys.stderr)
    else:
        print(f"{kind}: {why}", file=sys.stderr)


def _as_json() -> bool:
    try:
        return settings().log_format == "json"
    except SettingMissing:
        return False  # the settings are what is wrong


def _line(level: str, event: str, **about: str) -> str:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"event": event, "level": level, "logger": __name__, "timestamp": now, **about})


def _log_exception(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    """An error that nobody caught; what a person interrupted is none."""
    if not issubclass(kind, KeyboardInterrupt | SystemExit):
        log.error("uncaught", exc_info=(kind, error, trace))


def write_farewell(message: str, _file: object = None) -> None:
    """What is said on a signal: in one write, which a signal handler may do."""
    said = _line("info", "signal", says=message) if _as_json() else message
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"{said}\n".encode())
