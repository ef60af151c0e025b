"""Sans-IO machines: sessions of host and terminal, messages that start at a meter, and the rules of transfer.

Bytes, line ticks and random bytes are arguments; replies are plain values. The two ways to go wrong are in `errors`.
"""

__all__: list[str] = []
