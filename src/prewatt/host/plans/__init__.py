"""Rate plans at work: stored by version, given to meters, sold by, previewed.

`prewatt.host.rates` says what a plan is and works out a quote; what is here keeps plans in the database, knows which
one holds for a meter on a day, tells it what the books say of the month so far, and books what comes of it.
"""

__all__: list[str] = []
