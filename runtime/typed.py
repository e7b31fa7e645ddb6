"""What people type: bytes that are no text must not stop a conversation, nor stand in a fact."""


def typed(text: str) -> str:
    """`text` with "?" for bytes that were no UTF-8, which Python hands on as lone surrogates, and blanks for
    control characters.
    """
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(letter if letter.isprintable() else " " for letter in whole)
