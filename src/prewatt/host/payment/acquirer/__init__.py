"""The way to a card acquirer over TCP: frames, one connection at a time, a journal, and the port for threads.

What is said and when is decided in `prewatt.host.payment.iso8583`; here bytes and commits are carried out.
"""

__all__: list[str] = []
