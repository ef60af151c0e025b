"""Campaigns: one wish for many meters, carried out in their own time, until each has confirmed it.

`campaigns` starts, shows, pauses and ends them; `runner` lets their meters go, a few at a time, through `release`;
`progress` follows what the meters answer, and `loading` brings programs piece by piece. Everything is in the database,
so a restart goes on where it stood.
"""

__all__: list[str] = []
