"""Card payments after ISO 8583:1987, as values: what is said to an acquirer, what its answers mean, what must be kept.

Nothing here has a clock, a socket or a file: `acquirer` takes events with the time and gives effects. `fields` is the
table of data elements, `messages` lays them out (pyiso8583), `card` keeps numbers out of sight, `reasons` names
response codes, `rows` is the durable state, `line` keeps one connection alive.
"""

__all__: list[str] = []
