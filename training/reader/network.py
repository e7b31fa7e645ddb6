"""An encoder with two heads, and how it is made to know fewer words."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.processors import TemplateProcessing
from torch import nn
from transformers import AutoModel

from runtime.contracts.errors import TrainingError
from runtime.mind.reader import FEELINGS, MAX_TOKENS

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
_WORDS, _PLACES = (f"encoder.embeddings.{name}_embeddings.weight" for name in ("word", "position"))


_NO_START = "{} holds no encoder to start from ({}); the recipe says where to get one"


class ReaderNet(nn.Module):
    """BERT-shaped encoder, mean over its last states, one logit of danger and one a feeling."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        width = encoder.config.hidden_size
        self.dropout = nn.Dropout(0.1)
        self.danger = nn.Linear(width, 1)
        self.feelings = nn.Linear(width, len(FEELINGS))

    def pooled(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """(B, T), (B, T) -> (B, width)."""
        states = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask
        ).last_hidden_state  # (B, T, width)
        mask = attention_mask[:, :, None].to(states.dtype)
        return (states * mask).sum(1) / mask.sum(1)

    def heads(self, pooled: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, width) -> (B,), (B, 7)."""
        kept = self.dropout(pooled)
        return self.danger(kept)[:, 0], self.feelings(kept)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return self.heads(self.pooled(input_ids, attention_mask))


def start(folder: Path) -> tuple[ReaderNet, Tokenizer]:
    """A pretrained BERT-shaped encoder with its fast tokenizer, from a local folder."""
    try:
        encoder = AutoModel.from_pretrained(
            folder, local_files_only=True, attn_implementation="eager", add_pooling_layer=False
        )
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise TrainingError(_NO_START.format(folder, error)) from error
    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # tokenizers raises nothing narrower
        raise TrainingError(_NO_START.format(folder, error)) from error
    return ReaderNet(encoder), bare(tokenizer)


def bare(tokenizer: Tokenizer) -> Tokenizer:
    """Without padding and truncation of its own."""
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def encode(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Texts -> ids and mask (B, T), cut at MAX_TOKENS."""
    rows = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
    rows = [row if len(row) <= MAX_TOKENS else [*row[: MAX_TOKENS - 1], row[-1]] for row in rows]
    width = max(map(len, rows))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    return ids, mask


def fewer_words(
    net: ReaderNet, tokenizer: Tokenizer, own: Iterable[str], texts: Iterable[str], words: int
) -> tuple[ReaderNet, Tokenizer]:
    """The same, knowing only `words` word pieces (those of `own` before the commonest of `texts`) and
    MAX_TOKENS places."""
    kept = _pieces(tokenizer, own, texts, words)
    old, state = tokenizer.get_vocab(), net.state_dict()
    config = net.encoder.config.__class__(**{
        **net.encoder.config.to_dict(), "vocab_size": len(kept), "max_position_embeddings": MAX_TOKENS,
    })  # fmt: skip
    config._attn_implementation = "eager"
    smaller = ReaderNet(AutoModel.from_config(config, add_pooling_layer=False))
    state[_WORDS] = state[_WORDS][[old[piece] for piece in kept]]
    state[_PLACES] = state[_PLACES][:MAX_TOKENS]
    wanted = smaller.state_dict()
    smaller.load_state_dict({name: value for name, value in state.items() if name in wanted})
    return smaller, _tokenizer_of(tokenizer, kept)


def _pieces(tokenizer: Tokenizer, own: Iterable[str], texts: Iterable[str], count: int) -> list[str]:
    """Specials, every single letter, those of `own`, then those of `texts` by how often."""
    vocabulary = tokenizer.get_vocab()
    first, then = (
        Counter(piece for encoding in tokenizer.encode_batch(list(group)) for piece in encoding.tokens)
        for group in (own, texts)
    )
    letters = [
        piece
        for c in "abcdefghijklmnopqrstuvwxyz0123456789'"
        for piece in (c, f"##{c}")
        if piece in vocabulary
    ]
    order = [*SPECIAL, *letters, *(piece for counts in (first, then) for piece, _ in counts.most_common())]
    return list(dict.fromkeys(order))[:count]


def _tokenizer_of(tokenizer: Tokenizer, pieces: Sequence[str]) -> Tokenizer:
    made = Tokenizer.from_str(tokenizer.to_str())
    made.model = WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]")
    made.post_processor = ends(pieces)
    return made


def ends(pieces: Sequence[str]) -> TemplateProcessing:
    """The two marks around a sentence."""
    marks = [(name, pieces.index(name)) for name in ("[CLS]", "[SEP]")]
    return TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=marks)
