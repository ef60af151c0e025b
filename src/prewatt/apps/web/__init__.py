"""The pages of a running `up`: the street, and each meter's face with its keys, for a browser on this machine."""

from prewatt.apps.web.pages import add_pages
from prewatt.apps.web.source import PageSource

__all__ = ["PageSource", "add_pages"]
