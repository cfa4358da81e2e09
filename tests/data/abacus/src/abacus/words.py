"""Numbers as words."""

WORDS = ["zero", "one", "two", "three"]


def word(number):
    """The word for a small number."""
    if 0 <= number < len(WORDS):
        return WORDS[number]
    return str(number)
