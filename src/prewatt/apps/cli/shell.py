"""How a command ends: exit code 0, 1 or 2, and one clear line on stderr instead of a traceback.

0 done (a pending sale is done: nothing is lost), 1 refused or not possible now, 2 the command was typed wrongly. What
nobody foresaw is one line too; with PREWATT_LOG_LEVEL=debug its traceback is shown, for whoever mends it.
"""

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any, Final

import typer

from prewatt.apps.cli.seller import SellerError
from prewatt.host.refusals import HostError
from prewatt.units import ValueFieldError

__all__ = ["EXIT_DONE", "EXIT_REFUSED", "EXIT_USAGE", "run"]

EXIT_DONE: Final = 0
EXIT_REFUSED: Final = 1
EXIT_USAGE: Final = 2
_EXIT_INTERRUPTED: Final = 130
# Of the library inside typer, which does not show its exceptions.
_NO_ARGUMENTS: Final = "NoArgsIsHelpError"
_EXPLAINED: Final = (ValueFieldError, SellerError, HostError)


def run(app: Callable[..., Any], arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    try:
        code = _run(app, arguments)
        # What was printed may still be waiting; where its reader has gone, that shows here and not at the very end.
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone; nothing more may be written, not even by the interpreter's own flush at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_REFUSED
    return code


def _run(app: Callable[..., Any], arguments: Sequence[str] | None) -> int:
    try:
        code = app(arguments, standalone_mode=False, prog_name="prewatt")
    except typer.TyperException as error:
        if type(error).__name__ == _NO_ARGUMENTS:
            # `prewatt` or `prewatt meter` alone: a person who wants to know what there is.
            print(_message(error), flush=True)  # noqa: T201 - the help
            return EXIT_DONE
        context = getattr(error, "ctx", None)
        where = f" (see `{context.command_path} --help`)" if context else ""
        return _say(f"{_message(error)}{where}", EXIT_USAGE)
    except (typer.Abort, KeyboardInterrupt):
        return _EXIT_INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # whatever it is, a person gets one line
        return _say(_line_of(error), EXIT_REFUSED)
    return code if isinstance(code, int) else EXIT_DONE


def _line_of(error: Exception) -> str:
    while isinstance(error, ExceptionGroup):
        # The tasks of the street end together; the first that failed is the cause.
        error = error.exceptions[0]
    if isinstance(error, _EXPLAINED):
        return str(error)
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror or error}"
    # Imported here: it brings the ciphers, which most commands never need.
    from prewatt.host.keys import VaultError
    from prewatt.link.certificates import CertificateError

    if isinstance(error, VaultError | CertificateError):
        return str(error)
    if os.environ.get("PREWATT_LOG_LEVEL") == "debug":
        traceback.print_exception(error)
    return f"this should not happen ({type(error).__name__}: {error}); PREWATT_LOG_LEVEL=debug shows where it did"


def _say(text: str, code: int) -> int:
    print(f"prewatt: {' '.join(text.split())}", file=sys.stderr)  # noqa: T201 - the one line of an error
    return code


def _message(error: typer.TyperException) -> str:
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    return str(message).rstrip(".")
