"""How long papers hold, and when somebody is told that they soon do not."""

from typing import Final

__all__ = ["AUTHORITY_DAYS", "BOX_DAYS", "PAPERS_WARN_DAYS"]

# An authority outlives the boxes it signs for; a meter's life is twenty years.
AUTHORITY_DAYS: Final = 20 * 365
BOX_DAYS: Final = 2 * 365
# Time enough to send somebody to the pole, and to send another when the first found the cabinet locked.
PAPERS_WARN_DAYS: Final = 60
