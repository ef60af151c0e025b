"""A text as it is searched: case, accents, spaces and signs make no difference.

Compatibility decomposition (Unicode, NFKD) takes accents off their letters and makes full-width letters plain; case
folding (Unicode, 3.13) does the rest. What is neither letter nor digit is left out, so `+33 6 12` is found as 33612 and
`O'Neill` as oneill. A text is only compared in this form, never shown.
"""

import unicodedata

__all__ = ["search_text"]


def search_text(text: str) -> str:
    """Letters and digits of ``text``, folded; may be empty, may be longer than what was given."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(each for each in folded if each.isalnum())
