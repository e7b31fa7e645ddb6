"""How words are said: a pronouncing dictionary in the recogniser's folder, and the pack's own additions.

Both files hold one word a line, its ways after it: `the<TAB>DH AH<TAB>DH IY`, sorted by word.
"""

import bisect
import lzma
from collections.abc import Iterable
from pathlib import Path

from runtime.contracts.errors import GrammarError, PackError
from runtime.speech import units

Way = tuple[str, ...]
"""Names of phones, as in ("S", "IH", "T")"""
DICTIONARY = "dictionary.xz"
ADDITIONS = "additions.txt"


class Pronouncer:
    """Looks words up; `lines` in any order, those of a later word with the same spelling ignored."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = sorted(lines)

    @classmethod
    def load(cls, asr_dir: Path) -> "Pronouncer":
        """PackError where the dictionary is missing or damaged, or an addition names no phone."""
        path = asr_dir / DICTIONARY
        try:
            lines = lzma.decompress(path.read_bytes()).decode("utf-8").splitlines()
        except (OSError, lzma.LZMAError, UnicodeDecodeError) as error:
            raise PackError(f"{path} cannot be read ({error}); rebuild or reinstall the pack") from error
        own = asr_dir / ADDITIONS
        added = own.read_text(encoding="utf-8").splitlines() if own.is_file() else []
        for line in added:
            word, *ways = line.split("\t")
            if bad := next((p for way in ways for p in way.split() if not units.is_phone(p)), ""):
                raise PackError(f"{own}: {word!r} is said with {bad!r}, which is no phone; rebuild the pack")
        words = {line.partition("\t")[0] for line in added}
        return cls([*added, *(line for line in lines if line.partition("\t")[0] not in words)])

    def ways(self, word: str) -> tuple[Way, ...]:
        """All ways `word` is said, the commonest first; () where nobody told."""
        at = bisect.bisect_left(self._lines, f"{word}\t")
        if at < len(self._lines) and self._lines[at].startswith(f"{word}\t"):
            return tuple(tuple(way.split()) for way in self._lines[at].split("\t")[1:])
        return ()

    def must(self, word: str) -> tuple[Way, ...]:
        """The same; GrammarError where nobody told."""
        if found := self.ways(word):
            return found
        raise GrammarError(
            f"nobody told how {word!r} is said; build the pack with the [voice] extra, which finds it out "
            f"(everpaw pack build --grammar ...), or write it in words of the dictionary"
        )

    def __len__(self) -> int:
        return len(self._lines)
