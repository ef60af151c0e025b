"""What an accountant asks of the books: trial balance, statements, closed periods, and entries for other programs."""

from prewatt.host.accounting.accounting import Accounting
from prewatt.host.accounting.periods import Periods

__all__ = ["Accounting", "Periods"]
