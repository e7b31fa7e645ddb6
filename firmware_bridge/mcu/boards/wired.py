"""What the maker wired otherwise than the board file says: `everpaw flash board --wiring FILE` writes it."""

try:
    import wiring
except ImportError:
    wiring = None


def wired(name: str, default: object) -> object:
    """The maker's value of `name`, else `default`; of a table, the maker's entries beside the default's."""
    value = getattr(wiring, name, None)
    if value is None:
        return default
    if isinstance(default, dict):
        merged = dict(default)
        merged.update(value)
        return merged
    return value
