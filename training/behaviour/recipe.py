"""`everpaw train behaviour`: with settings any checkpoint learns, else the starter's small one."""

from training.behaviour import starter

_SETTINGS = ("--config", "--set")


def main(argv: list[str]) -> int:
    if any(word.split("=")[0] in _SETTINGS for word in argv):
        from training.school import recipe

        return recipe.main("behaviour", argv)
    return starter.main(argv)
