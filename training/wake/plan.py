"""How much is made and how long it is looked at: one table for names, one for the stop word."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """Saved beside the head."""

    windows: int
    patience: int
    """Steps of 80 ms in a row over the threshold"""
    refractory_s: float
    sentence_fires: float
    """Share of ordinary synthetic sentences that may fire when the threshold is chosen"""
    real_fires: float
    """Share of real recordings and animals that may"""
    early_s: float
    """The name counts as over this long before its end"""
    late_s: float
    names: int = 2560
    near: int = 1536
    talk: int = 3600
    orders: int = 1300
    noises: int = 150
    animals: int = 250
    real_copies: int = 5
    owner_copies: int = 60
    """Clips made of each recording by the owner"""
    choose: int = 160
    """Held-out clips of each kind to choose the threshold on"""
    nets: int = 2
    """Networks whose mean is the head"""
    width: int = 64
    rounds: int = 4
    steps: int = 450
    """Training steps a round; hard negatives are looked for between rounds"""
    batch_names: int = 128
    batch_others: int = 224
    batch_real: int = 32
    batch_hard: int = 32
    jitter: float = 1.0
    """Noise added to embeddings, which spread about 7"""


WAKE = Plan(16, patience=2, refractory_s=1.5, sentence_fires=0.005, real_fires=0.0, early_s=0.04, late_s=0.32)
# a stop too many costs a moment, a stop too few may cost more
STOP = Plan(10, patience=1, refractory_s=0.8, sentence_fires=0.01, real_fires=0.01, early_s=0.10, late_s=0.32)
SMOKE = {"names": 48, "near": 32, "talk": 32, "orders": 16, "noises": 4, "animals": 4, "real_copies": 0}
SMOKE |= {"choose": 16, "rounds": 2, "steps": 40, "owner_copies": 4}
