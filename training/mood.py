"""`everpaw train mood`: the owner's emotion from text; one or several a sentence, any checkpoint."""

from training.school import recipe


def main(argv: list[str]) -> int:
    return recipe.main("mood", argv)
