"""The JSON API under /api/v1 of a running `up`: what the command line does, for programs on this machine."""

from prewatt.apps.api.app import build_app

__all__ = ["build_app"]
