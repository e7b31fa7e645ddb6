"""Training the head's networks on windows of clips."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from training.wake.clips import Clip
from training.wake.head import Head, Net, Windows, merged, score
from training.wake.plan import Plan

_MINED = 150_000
"""Negatives that are scored after each round to find the hard ones"""


def fit(clips: Sequence[Clip], plan: Plan, seed: int, say: Callable[[str], None]) -> Head:
    """`plan.nets` networks from different seeds, folded into one head."""
    torch.set_num_threads(1)
    data = Windows(clips, plan)
    nets = []
    for number in range(plan.nets):
        torch.manual_seed(seed + number)
        nets.append(Net(plan.windows, plan.width, data.embeddings))
        _learn(nets[-1], data, plan, seed + number, say)
    return merged(nets)


def _learn(net: Net, data: Windows, plan: Plan, seed: int, say: Callable[[str], None]) -> None:
    """Rounds of training; the negatives that scored highest are shown more often in the next.

    Not much more often: a head that gets every near miss of the training voices right has learnt those voices
    by heart and misses new people. The same holds for real recordings: the names are nearly all synthetic, so
    a head that sees much real speech learns that real means no.
    """
    rng = np.random.default_rng(seed)
    names, negatives = np.flatnonzero(data.labels == 1), np.flatnonzero(data.labels == 0)
    others = np.flatnonzero((data.labels == 0) & ~data.real)
    real = np.flatnonzero((data.labels == 0) & data.real)
    hard = negatives
    sizes = [(names, plan.batch_names), (others, plan.batch_others)]
    sizes += [(real if len(real) else others, plan.batch_real)]
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.05)
    total = plan.rounds * plan.steps
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=2e-3, total_steps=total)
    for number in range(plan.rounds):
        net.train()
        loss_sum = 0.0
        for _ in range(plan.steps):
            which = np.concatenate([rng.choice(*size) for size in [*sizes, (hard, plan.batch_hard)]])
            seen = data.take(which)
            seen += plan.jitter * torch.randn_like(seen)
            wanted = torch.from_numpy(np.where(data.labels[which] == 1, 0.97, 0.005).astype(np.float32))
            loss = nn.functional.binary_cross_entropy_with_logits(net(seen), wanted)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            loss_sum += float(loss.detach())
        net.eval()
        looked_at = rng.permutation(negatives)[:_MINED]
        scores = score(merged([net]), data, looked_at)
        hard = looked_at[np.argsort(-scores)[: max(512, len(looked_at) // 33)]]
        wrong = float((scores > 0.5).mean())
        mean = loss_sum / plan.steps
        say(f"round {number + 1} of {plan.rounds}: loss {mean:.3f}, {wrong:.4%} of negatives wrong")
