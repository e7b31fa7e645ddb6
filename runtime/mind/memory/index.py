"""Where facts are found: full text and hashed vectors, both in memory only and rebuilt at every start.

The full-text index is SQLite's FTS5 over the tokens of each entry. The vectors count hashed letter groups and
consonants of the words (as runtime.mind.wording has them), so they see through typing mistakes and misheard
sounds.
"""

import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from runtime.mind.memory.entry import Entry, entry_of
from runtime.mind.memory.facts import Fact
from runtime.mind.wording import grams, words_of

SIZE = 256
"""Length of a vector"""
LIKE_ENOUGH = 0.42
"""Cosine from which likeness alone counts"""
_RANK_OFFSET = 20
"""Of reciprocal rank fusion: how fast a rank loses weight"""


class Index:
    """Entries by words and by likeness. `update` brings it to the state of a store."""

    def __init__(self) -> None:
        self._words = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._words.execute("PRAGMA temp_store=MEMORY")
        self._words.execute(
            "CREATE VIRTUAL TABLE entries USING fts5(tokens, tokenize='unicode61', detail=none)"
        )
        self._entries: dict[int, Entry] = {}
        self._numbers: list[int] = []
        self._vectors: npt.NDArray[np.float32] = np.zeros((0, SIZE), np.float32)

    def __len__(self) -> int:
        return len(self._entries)

    def entries(self) -> list[Entry]:
        """Oldest first."""
        return list(self._entries.values())

    def update(self, facts: Mapping[int, Fact]) -> None:
        """Make the index hold exactly `facts`, replaced ones left out."""
        wanted = {number: fact for number, fact in facts.items() if not fact.replaced}
        gone = {n for n, entry in self._entries.items() if wanted.get(n) != entry.fact}
        for number in gone:
            del self._entries[number]
        added = {n: entry_of(n, fact) for n, fact in wanted.items() if n not in self._entries}
        if not gone and not added:
            return
        self._entries |= added
        self._words.execute("BEGIN")
        self._words.executemany("DELETE FROM entries WHERE rowid = ?", ((n,) for n in gone))
        rows = ((n, " ".join(sorted(entry.asked_by))) for n, entry in added.items())
        self._words.executemany("INSERT INTO entries(rowid, tokens) VALUES (?, ?)", rows)
        self._words.execute("COMMIT")
        keep = np.array([n not in gone for n in self._numbers], bool)
        fresh = [_vector(entry.fact.text) for entry in added.values()]
        self._vectors = (
            np.concatenate([self._vectors[keep], np.stack(fresh)]) if fresh else self._vectors[keep]
        )
        self._numbers = [n for n, kept in zip(self._numbers, keep, strict=True) if kept] + list(added)

    def covering(self, wanted: Iterable[str]) -> list[Entry]:
        """Entries that may be asked for by every one of the tokens."""
        query = " AND ".join(f'"{token}"' for token in wanted)
        if not query:
            return []
        found = self._words.execute(
            "SELECT rowid FROM entries WHERE entries MATCH ? ORDER BY rowid", (query,)
        )
        return [self._entries[number] for (number,) in found]

    def nearest(self, wanted: Iterable[str], text: str, n: int) -> list[Entry]:
        """At most `n` entries that share a telling token or are much alike `text`, the best first."""
        by_words = self._ranked(" OR ".join(f'"{token}"' for token in wanted), 4 * n)
        by_likeness = self._alike(text, 4 * n)
        scores: dict[int, float] = {}
        for ranking in (by_words, by_likeness):
            for rank, number in enumerate(ranking):
                scores[number] = scores.get(number, 0.0) + 1.0 / (_RANK_OFFSET + rank)
        best = sorted(scores, key=lambda number: (-scores[number], -number))
        return [self._entries[number] for number in best[:n]]

    def _ranked(self, query: str, n: int) -> list[int]:
        if not query or n <= 0:
            return []
        sql = "SELECT rowid FROM entries WHERE entries MATCH ? ORDER BY bm25(entries) LIMIT ?"
        return [number for (number,) in self._words.execute(sql, (query, n))]

    def _alike(self, text: str, n: int) -> list[int]:
        if not self._numbers:
            return []
        likeness = self._vectors @ _vector(text)
        order = np.argsort(-likeness)[:n]
        return [self._numbers[int(i)] for i in order if likeness[i] >= LIKE_ENOUGH]


@lru_cache(maxsize=20_000)
def _places(word: str) -> tuple[int, ...]:
    """Where the features of a word count in a vector."""
    return tuple(zlib.crc32(gram.encode()) % SIZE for gram in grams([word]))


def _vector(text: str) -> npt.NDArray[np.float32]:
    """Shape (SIZE,), length 1 (0 for no words)."""
    places = [place for word in words_of(text) for place in _places(word)]
    counts = np.log1p(np.bincount(places, minlength=SIZE)) if places else np.zeros(SIZE)
    return np.asarray(counts / (np.linalg.norm(counts) or 1.0), np.float32)
