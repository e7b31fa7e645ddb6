"""Conversations as tokens: the tokenizer of the starter, and scenes packed as trees.

All turns of a scene share one beginning (card and facts) and nothing else. A row of tokens holds it
once and each turn as a branch after it; the mask lets a branch see the beginning and itself, and positions
start again at every branch. So the model sees exactly what it sees on the robot, at a third of the cost.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from runtime.mind.emotion import MOODS
from runtime.mind.prompt import END, HEARD, TAGS, act_tag, mood_tag, render
from training.data.conversations import Scene
from training.data.turns import Turn

PAD, UNKNOWN = "<pad>", "<unk>"
_SPLIT = Regex(r"'s\b|[.,!?;:\"()-]|\d")


def special_tokens(acts: Iterable[str]) -> list[str]:
    """All tags, in the order of their numbers."""
    return [PAD, UNKNOWN, *TAGS, *(mood_tag(m) for m in MOODS), *(act_tag(a) for a in acts)]


def make_tokenizer(texts: Iterable[str], acts: Sequence[str], size: int) -> Tokenizer:
    """Byte-pair pieces over lower case, so that "Anna" in a fact and "anna" as heard are the same pieces."""
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(prepend_scheme="always"), pre_tokenizers.Split(_SPLIT, "isolated")]
    )
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=special_tokens(acts), show_progress=False, min_frequency=3
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def add_tags(tokenizer: Tokenizer, acts: Iterable[str]) -> None:
    """Teach the tags to somebody else's tokenizer."""
    tokenizer.add_special_tokens([AddedToken(tag, special=True) for tag in special_tokens(acts)])


def texts_of(scene: Scene) -> Iterator[str]:
    """What a tokenizer learns from: prompts and replies without their tags' fences."""
    for turn in scene.turns:
        yield render(turn.prompt).split(HEARD, 1)[1] + turn.reply
    yield " ".join((scene.name, *scene.card, *scene.facts))


@dataclass(frozen=True)
class Row:
    """One scene as tokens; all lists are of one length."""

    tokens: list[int]
    positions: list[int]
    branches: list[int]
    """0: the shared beginning; 1, 2, ...: the turns"""
    learned: list[bool]
    """A token of a reply"""
    unsaid: list[bool] = field(default_factory=list)
    """A token that breaks a rule where it stands"""


def encode_turn(tokenizer: Tokenizer, turn: Turn) -> tuple[list[int], list[int], list[int]]:
    """(shared beginning, the turn's own part, the reply with its end)."""
    text = render(turn.prompt)
    cut = text.index(HEARD)
    head, own = (tokenizer.encode(part, add_special_tokens=False).ids for part in (text[:cut], text[cut:]))
    return (
        head,
        own,
        [*tokenizer.encode(turn.reply, add_special_tokens=False).ids, tokenizer.token_to_id(END)],
    )


def pack(
    tokenizer: Tokenizer, scene: Scene, length: int,
    wrong: Callable[[Turn], tuple[list[int], list[bool]] | None] = lambda turn: None,
) -> Row:  # fmt: skip
    """The scene's turns as a tree of at most `length` tokens; turns that do not fit are left out.

    `wrong`: an answer that must not be given, as tokens and which of them break a rule; a branch of its own.
    """
    head: list[int] = []
    row = Row([], [], [], [])
    for number, turn in enumerate(scene.turns, start=1):
        start, own, reply = encode_turn(tokenizer, turn)
        if not row.tokens:
            head = start[:length]
            _extend(row, head, 0, 0)
        if len(row.tokens) + len(own) + len(reply) <= length:
            _extend(row, own + reply, number, len(head), learned=[False] * len(own) + [True] * len(reply))
        unsaid, breaks = wrong(turn) or ([], [])
        if unsaid and len(row.tokens) + len(own) + len(unsaid) <= length:
            branch = len(scene.turns) + number
            _extend(row, own + unsaid, branch, len(head), unsaid=[False] * len(own) + breaks)
    return row


def _extend(
    row: Row, tokens: list[int], branch: int, position: int,
    learned: Sequence[bool] = (), unsaid: Sequence[bool] = (),
) -> None:  # fmt: skip
    row.tokens.extend(tokens)
    row.positions.extend(range(position, position + len(tokens)))
    row.branches.extend([branch] * len(tokens))
    row.learned.extend(learned or [False] * len(tokens))
    row.unsaid.extend(unsaid or [False] * len(tokens))


@dataclass(frozen=True)
class Batch:
    tokens: torch.Tensor  # (B, T)
    positions: torch.Tensor  # (B, T)
    sees: torch.Tensor
    """(B, 1, T, T): which tokens each token may look at"""
    learned: torch.Tensor
    """(B, T - 1): the tokens 1.. that count in the loss"""
    unsaid: torch.Tensor
    """(B, T - 1): those of them that must not be said"""


def batch_of(rows: Sequence[Row], pad: int) -> Batch:
    length = max(len(row.tokens) for row in rows)
    tokens = np.full((len(rows), length), pad, np.int64)
    positions = np.zeros((len(rows), length), np.int64)
    branches = np.full((len(rows), length), -1, np.int64)
    learned, unsaid = np.zeros((2, len(rows), length), bool)
    for i, row in enumerate(rows):
        n = len(row.tokens)
        tokens[i, :n], positions[i, :n], branches[i, :n] = row.tokens, row.positions, row.branches
        learned[i, :n], unsaid[i, :n] = row.learned, row.unsaid
    own = torch.from_numpy(branches)
    sees = (own[:, None, :] == 0) | (own[:, None, :] == own[:, :, None])  # (B, T, T)
    sees &= torch.ones(length, length, dtype=torch.bool).tril()
    return Batch(
        torch.from_numpy(tokens), torch.from_numpy(positions), sees[:, None],
        torch.from_numpy(learned[:, 1:]), torch.from_numpy(unsaid[:, 1:]),
    )  # fmt: skip
