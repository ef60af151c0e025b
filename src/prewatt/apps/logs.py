"""Logs of `up`: JSON lines on stderr. What is logged names meters and orders, never keys, tokens or tags.

What the libraries below say (through the standard library's logging) goes the same way, so that every line is one
JSON object.
"""

import logging
import sys

import structlog
from structlog.processors import ExceptionRenderer, JSONRenderer, TimeStamper
from structlog.stdlib import ProcessorFormatter
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import Processor

__all__ = ["set_up_logs"]


def set_up_logs(level: str) -> None:
    """Sets the least level that is shown: debug, info, warning or error."""
    number = logging.getLevelNamesMapping()[level.upper()]
    marks: list[Processor] = [structlog.processors.add_log_level, TimeStamper(fmt="iso", utc=True)]
    # Without the locals of its frames, among which there may be a key.
    ends: list[Processor] = [ExceptionRenderer(ExceptionDictTransformer(show_locals=False)), JSONRenderer()]
    structlog.configure(
        processors=[*marks, *ends],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    processors = [ProcessorFormatter.remove_processors_meta, *ends]
    handler.setFormatter(ProcessorFormatter(foreign_pre_chain=marks, processors=processors))
    logging.basicConfig(level=number, handlers=[handler])
