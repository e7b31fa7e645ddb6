"""The model card of the reader."""

import argparse
from collections.abc import Mapping
from typing import Any

from runtime.intervals import Share
from training.reader.examples import THRESHOLD_REMARKS
from training.reader.export import Parity


def card(
    metrics: Mapping[str, Share | float],
    settings: Mapping[str, Any],
    parity: Parity,
    args: argparse.Namespace,
) -> str:
    rows = "\n".join(
        f"| {name} | {value if isinstance(value, Share) else f'{value:.3f}'} |"
        for name, value in metrics.items()
    )
    half = " --bf16" if args.bf16 else ""
    return f"""# Reader: a sentence to danger and feeling

The encoder of `{args.start.name}`, its vocabulary cut to {settings["words"]} word pieces, with two heads.
Read where no rule of danger applies: at or above {settings["threshold"]} the pet stops the play and gives
help.

**Data**
- training/data/danger (ours): what people in danger say, and sentences that only sound so
- GoEmotions (Apache-2.0), CLINC-150 (CC BY 3.0), training/data/paraphrases.yaml (ours)
- the start, with a licence of its own (all-MiniLM-L6-v2: Apache-2.0)

**Measured** on sentences kept aside: a fifth of ours; of GoEmotions' dev part those beyond the first
{THRESHOLD_REMARKS:,}, which set the threshold; CLINC-150's dev part without those that hold an alarming word.
Nothing at all was tuned on `held_out_danger` and `held_out_harmless` of
`python -m training.reader.report --reader FOLDER`; some of its `everyday` ones set the threshold.

| | |
|---|---|
{rows}

Shipped (weights of 4 bits) against trained: {parity}.

**Falls short**: English only; one sentence at a time; sarcasm and quotation ("he said he wants to die, in the
play") may be taken for danger. It errs on the side of help. It is no diagnosis and no emergency service.

**Made by** `python -m training.reader --start FOLDER --out {args.out.name} --steps {settings["steps"]} \
--seed {settings["seed"]}{half}`

**Licence** Apache-2.0, where the start's allows it
"""
