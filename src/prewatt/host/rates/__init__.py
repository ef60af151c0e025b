"""A seller's rates: plans with their parts, quotes, previews, what a meter can follow of them, and importers.

Pure values and functions: no database, no clock, no files. `prewatt.host.rates.plan` says what a plan is,
`docs/guide/rates.md` how a seller writes one.
"""
