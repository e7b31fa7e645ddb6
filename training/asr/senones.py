"""The recogniser's senones, from CMU Sphinx's files: `python -m training.asr.senones runtime/starter/asr`.

Writes senones.xz beside model.onnx, and lets the network tell its Gaussians' likelihoods, which it works out
anyway. Nothing is trained; of the mixtures' weights LEVELS levels are kept.
"""

import argparse
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx

from runtime.contracts.errors import EverpawError, TrainingError
from runtime.speech.senones import GAUSSIANS, PLACES, STREAMS, Senones, context
from runtime.speech.units import UNITS
from runtime.whole import put
from training import provenance
from training.asr.gaussians import LOG_BASE, MODEL, ORDER, mixture_weights

LEVELS = 8
_MAGIC = b"BMDF"
_ENTRY = np.dtype([("sequence", "<i4"), ("matrix", "<i4"), ("place", "u1"), ("context", "u1", 3)])
"""Of the model's definition: a sound (its states' sequence), the transitions, the context if it has one"""


def senones() -> Senones:
    """TrainingError where the package pocketsphinx-en-us is not installed."""
    if not (MODEL / "mdef").is_file():
        raise TrainingError(f"no acoustic model at {MODEL}; type: apt install pocketsphinx-en-us")
    entries, sequences = _definition((MODEL / "mdef").read_bytes())
    units = np.array([ORDER.index(unit or "SIL") for unit in UNITS])
    steps = mixture_weights(STREAMS, GAUSSIANS)
    owner = np.zeros(steps.shape[2], int)
    owner[sequences[entries["sequence"]]] = _sound(entries)[:, None]
    of_unit = [[] if unit == 0 else np.flatnonzero(owner == place) for unit, place in enumerate(units)]
    order = np.concatenate(of_unit).astype(int)  # a sound's own states come first in the file, too
    number = np.zeros(steps.shape[2], np.uint16)
    number[order] = np.arange(len(order))
    levels, weights = _in_levels(steps[:, :, order])
    contexts, tied = _contexts(entries[len(ORDER) :], sequences, units)
    first = np.cumsum([0, *map(len, of_unit)]).astype(np.int32)
    steps = np.diff(contexts, prepend=0).astype(np.int32)
    return Senones(levels, weights, first, units.astype(np.uint8), steps, number[tied].T.copy())


def tell_densities(proto: onnx.ModelProto) -> None:
    """Further outputs `densities_0` to `densities_2`, (1, frames, sounds, GAUSSIANS); nothing else changes.

    TrainingError for a network without the Gaussians. One that tells them already is left as it is.
    """
    graph = proto.graph
    if len(graph.output) == 1 + STREAMS:
        return
    made = {node.output[0]: node for node in graph.node if node.op_type == "Exp"}
    mixing = [node for node in graph.node if node.op_type == "Einsum" and node.input[0] in made]
    if len(mixing) != STREAMS:
        raise TrainingError(
            "the network has no Gaussians of Sphinx's model; `python -m training.asr` makes one"
        )
    for stream, node in enumerate(mixing):
        name = f"densities_{stream}"
        made[node.input[0]].output[0] = node.input[0] = name
        shape = [1, "frames", len(ORDER), GAUSSIANS]
        graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape))


def complete(asr_dir: Path) -> None:
    """Both files of a recogniser's folder."""
    model = asr_dir / "model.onnx"
    proto, told = onnx.load(str(model)), provenance.read(model)
    tell_densities(proto)
    table = senones()
    put(model, proto.SerializeToString(), 0o644)
    if told:
        provenance.write(model, told)
    table.save(asr_dir)


def _definition(data: bytes) -> tuple[npt.NDArray[np.void], npt.NDArray[np.uint16]]:
    """Sphinx's mdef: (entries, those without context first; the senones of each sequence of three states)."""
    if not data.startswith(_MAGIC):
        raise TrainingError(f"{MODEL / 'mdef'} is no binary definition of a model; reinstall the package")
    at = 12 + struct.unpack_from("<i", data, 8)[0]
    sounds, entries, states, *_, sequences, _, tree, _ = struct.unpack_from("<10i", data, at)
    at = names = at + 40
    for _ in range(sounds):
        at = data.index(0, at) + 1
    at = names + (at - names + 3) // 4 * 4 + 8 * tree
    found = np.frombuffer(data, _ENTRY, entries, at)
    at += found.nbytes + 4
    return found, np.frombuffer(data, "<u2", sequences * states, at).reshape(sequences, states)


def _sound(entries: npt.NDArray[np.void]) -> npt.NDArray[np.integer]:
    return np.concatenate([np.arange(len(ORDER)), entries["context"][len(ORDER) :, 0]])


def _contexts(
    entries: npt.NDArray[np.void], sequences: npt.NDArray[np.uint16], units: npt.NDArray[np.integer]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint16]]:
    """(contexts ascending, their senones by Sphinx's numbers); those beside noises are left out."""
    unit_of = np.full(len(ORDER), -1, np.int32)
    unit_of[units] = np.arange(len(units))
    found = unit_of[entries["context"]]
    kept = (found >= 0).all(axis=1) & (found[:, 0] > 0) & (entries["place"] < PLACES)
    keys = context(*found[kept].T, entries["place"][kept].astype(np.int32))
    order = np.argsort(keys)
    return keys[order], sequences[entries["sequence"][kept]][order]


def _in_levels(steps: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """Levels equally far from each other in the logarithm, and the nearest to each weight."""
    far = int(steps.max()) / (LEVELS - 1)
    levels = np.exp(-LOG_BASE * far * np.arange(LEVELS))
    return levels.astype(np.float32), np.rint(steps / far).astype(np.uint8)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.asr.senones", description=__doc__.split("\n")[0]
    )
    parser.add_argument("asr", type=Path, help="folder of a recogniser")
    args = parser.parse_args(argv)
    try:
        complete(args.asr)
    except EverpawError as error:
        print(f"everpaw: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
