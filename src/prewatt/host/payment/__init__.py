"""Ways to pay: an order is made only against a payment that somebody guarantees, and names its authorization number.

`port` is what each way to pay is; `cash` needs nobody; `iso8583` decides what is said to a card acquirer and
`acquirer` carries it over TCP; `reconcile` compares a day of theirs with ours; `sandbox` plays the other side.
"""

from prewatt.host.payment.cash import CASH, CashPayment, Guarantee, Guarantor, cash_authorization

__all__ = ["CASH", "CashPayment", "Guarantee", "Guarantor", "cash_authorization"]
