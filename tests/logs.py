"""What is logged while a test looks, of every level, whatever another test set up."""

from contextlib import contextmanager

import structlog

__all__ = ["told"]


@contextmanager
def told():
    """The entries of the log, in a list that grows."""
    before = structlog.get_config()
    structlog.reset_defaults()
    try:
        with structlog.testing.capture_logs() as logs:
            yield logs
    finally:
        structlog.configure(**before)
