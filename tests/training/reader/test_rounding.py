"""Weights rounded while training are those onnxruntime makes of them, and gradients reach what is rounded."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'everpaw[training]'")

from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantizer  # noqa: E402
from torch import nn  # noqa: E402

from training.reader.rounding import BLOCK, rounded, to_blocks  # noqa: E402


def test_blocks_are_those_of_onnxruntime() -> None:
    weight = np.random.default_rng(3).normal(size=(6, 2 * BLOCK)).astype(np.float32)
    weight[0, :BLOCK] = 0.0
    steps, scales, _ = DefaultWeightOnlyQuantizer.quantize_ndarray(weight, 1, BLOCK, True)
    packed = np.asarray(steps).view(np.uint8).ravel()
    halves = np.stack([packed & 15, packed >> 4], axis=1).astype(np.int8).ravel()
    signed = np.where(halves > 7, halves - 16, halves).reshape(6, 2, BLOCK)
    expected = (signed * scales.reshape(6, 2, 1)).reshape(weight.shape)
    assert np.allclose(to_blocks(torch.from_numpy(weight)).numpy(), expected, atol=1e-6)


def test_what_is_no_whole_block_wide_is_rounded_too() -> None:
    weight = torch.randn(3, BLOCK + 5)
    small = to_blocks(weight)
    assert small.shape == weight.shape
    assert 0 < float((small - weight).abs().max()) <= float(weight.abs().max()) / 8 + 1e-6


def test_gradients_pass_through() -> None:
    net = nn.Sequential(nn.Embedding(9, BLOCK), nn.Linear(BLOCK, 2))
    ids = torch.tensor([[1, 2]])
    assert not torch.equal(rounded(net)(ids), net(ids))
    rounded(net)(ids).sum().backward()
    assert net[1].weight.grad.abs().sum() > 0
    assert net[0].weight.grad[1:3].abs().sum() > 0
