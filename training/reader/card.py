"""The model card of the reader."""

from collections.abc import Mapping
from typing import Any

from runtime.intervals import Share
from training.reader.examples import THRESHOLD_ONE_IN
from training.reader.export import Parity


def card(
    metrics: Mapping[str, Share | float],
    settings: Mapping[str, Any],
    parity: Parity,
    start: str,
    command: str,
) -> str:
    """`start`: name of the encoder it began with; `command`: the line that makes it."""
    rows = "\n".join(
        f"| {name} | {value if isinstance(value, Share) else f'{value:.3f}'} |"
        for name, value in metrics.items()
    )
    return f"""# Reader: a sentence to danger and feeling

The encoder of `{start}`, its vocabulary cut to {settings["words"]} word pieces, with two heads.
Read where no rule of danger applies: at or above {settings["threshold"]} the pet stops the play and gives
help.

**Data**
- training/data/danger (ours): what people in danger say, and sentences that only sound so
- GoEmotions (Apache-2.0), CLINC-150 (CC BY 3.0), training/data/paraphrases.yaml (ours)
- the start, with a licence of its own (all-MiniLM-L6-v2: Apache-2.0)

**Measured** on sentences kept aside: a fifth of ours, whose look-alikes set the threshold too, together
with one in {THRESHOLD_ONE_IN} of GoEmotions' train part; GoEmotions' and CLINC-150's dev parts (these without
what a rule finds). Nothing at all was tuned on the held-out and `everyday` sets of
`python -m training.reader.report --reader FOLDER`.

| | |
|---|---|
{rows}

Shipped (weights of 4 bits) against trained: {parity}.

**Falls short**: English only; one sentence at a time; sarcasm and quotation ("he said he wants to die, in the
play") may be taken for danger. It errs on the side of help. It is no diagnosis and no emergency service.

**Made by** `{command}`

**Licence** Apache-2.0, where the start's allows it
"""
