"""The pages of a running `up`: the street, and each meter's face with its keys, for a browser on this machine;
and the one page of a host without a street."""

from prewatt.apps.web.hostpage import add_host_page
from prewatt.apps.web.pages import add_pages
from prewatt.apps.web.source import PageSource

__all__ = ["PageSource", "add_host_page", "add_pages"]
