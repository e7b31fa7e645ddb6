"""Build packs: gather the parts, describe the models, write the manifest last.

The same inputs give the same bytes: no time, no host and no order of the file system enters the manifest.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from export.sbom import SBOM_NAME, sbom
from runtime import __version__, golden, starter
from runtime.audio.verifier import SUFFIX
from runtime.contracts.errors import PackError
from runtime.contracts.pack import (
    MANIFEST_NAME,
    SIGNATURE_NAME,
    Manifest,
    Pack,
    PackFile,
    PackModel,
    Requirements,
    file_sha256,
    verify,
)
from runtime.engines import Engine
from runtime.mind.grammar import Grammar
from training import provenance
from training.asr import lexicon

PARTS = ("wake", "stop", "asr", "behaviour", "reader", "dialogue", "skills", "sounds", "avatar", "cards")
FILES = ("grammar.yaml", "actions.toml", "persona.toml", golden.GOLDEN_NAME)
LICENCE = "Apache-2.0"
DEFAULT_REQUIREMENTS = Requirements()


def describe_model(folder: Path, file: Path) -> PackModel:
    """Task from the part's name, shapes from the model itself, the rest from its own metadata."""
    engine = Engine(file)
    sidecar = file.with_suffix(".json")
    if not sidecar.is_file():
        sidecar = file.parent / f"{file.parent.name}.json"
    facts = _facts(sidecar) if sidecar.is_file() else {}
    if origin := provenance.read(file):
        told = origin.model_dump(exclude_unset=True)
        facts |= {key: value for key, value in told.items() if value or key not in facts}
    return PackModel(
        task=file.parent.name,
        file=file.relative_to(folder).as_posix(),
        precision=facts.get("precision", "fp32"),
        inputs=engine.input_shapes,
        outputs=engine.output_shapes,
        licence=facts.get("licence", LICENCE),
        metrics=_rates(facts.get("report", {})) | _figures(facts.get("metrics")),
        metrics_float=_figures(facts.get("metrics_float")),
        checkpoint_sha256=facts.get("checkpoint_sha256"),
        datasets=facts.get("datasets", {}),
        command=facts.get("command", ""),
        parity=facts.get("parity", {}),
        misses=facts.get("misses", []),
        unknown=facts.get("unknown", []),
    )


def _facts(sidecar: Path) -> dict[str, Any]:
    try:
        facts = json.loads(sidecar.read_bytes())
    except ValueError as error:
        raise PackError(f"{sidecar} is not JSON ({error}); train or copy the model again") from error
    return facts if isinstance(facts, dict) else {}


def _figures(found: dict[str, object] | None) -> dict[str, float]:
    return {k: float(v) for k, v in (found or {}).items() if isinstance(v, int | float)}


def _rates(report: dict[str, object]) -> dict[str, float]:
    """What a wake head's report says of misses and false fires."""
    return {k: v for k, v in _figures(report).items() if k.startswith(("missed_", "fired_"))}


def write_manifest(
    folder: Path, name: str, language: str = "en", requires: Requirements = DEFAULT_REQUIREMENTS
) -> Pack:
    """Seal `folder` as a pack: what it does with known clips, its bill of materials, its manifest last.

    A signature of what stood there before is taken away.
    """
    known = folder / golden.GOLDEN_NAME
    before = known.read_bytes() if known.is_file() else None
    known.unlink(missing_ok=True)
    try:
        found, _ = golden.take(_write_manifest(folder, name, language, requires))
    except BaseException:
        if before is not None:
            known.write_bytes(before)
        raise
    known.write_text(found.model_dump_json(indent=1) + "\n")
    return _write_manifest(folder, name, language, requires)


def _write_manifest(folder: Path, name: str, language: str, requires: Requirements) -> Pack:
    """Hash all parts, write bill of materials and manifest (last, whole or not at all), verify."""
    paths = sorted(p for part in PARTS for p in (folder / part).rglob("*") if p.is_file())
    paths += [folder / f for f in FILES if (folder / f).is_file()]
    files = {p.relative_to(folder).as_posix(): _entry(p) for p in sorted(paths)}
    models = {f"{p.parent.name}/{p.stem}": describe_model(folder, p) for p in paths if p.suffix == ".onnx"}
    (folder / SBOM_NAME).write_text(sbom(name, __version__, files, models))
    files[SBOM_NAME] = _entry(folder / SBOM_NAME)
    manifest = Manifest(name=name, language=language, files=files, models=models, requires=requires)
    (folder / SIGNATURE_NAME).unlink(missing_ok=True)
    target = folder / MANIFEST_NAME
    draft = target.with_suffix(".json.new")
    draft.write_text(manifest.model_dump_json(by_alias=True, indent=1) + "\n")
    draft.replace(target)
    return verify(folder)


def _entry(path: Path) -> PackFile:
    return PackFile(sha256=file_sha256(path), size=path.stat().st_size)


def build(
    out: Path,
    *,
    grammar: Path,
    asr: Path | None,
    wake: Path | None,
    name: str,
    dialogue: Path | None = None,
    behaviour: Path | None = None,
    reader: Path | None = None,
    requires: Requirements = DEFAULT_REQUIREMENTS,
    accept_miss: bool = False,
    language: str = "en",
    parts: Sequence[Path] = (),
) -> Pack:
    """The starter with another grammar, recogniser, wake head or dialogue model; whole or not at all.

    `parts`: folders whose files and folders take the place of the starter's of the same name.

    PackError for a model that misses a threshold of its export, unless that is accepted and so marked.
    """
    if out.exists() and any(out.iterdir()):
        raise PackError(f"{out} is not empty; give a new folder")
    Grammar.load(grammar)
    base = starter.load_pack()
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as scratch:
        draft = Path(scratch) / "pack"
        for file in base.manifest.files:
            _copy(base.folder / file, draft / file)
        shutil.copyfile(grammar, draft / "grammar.yaml")
        if grammar.resolve() != base.path("grammar.yaml").resolve():
            shutil.rmtree(draft / "behaviour")  # learned for the starter's intents, not for these
        given = {"asr": asr, "behaviour": behaviour, "reader": reader, "dialogue": dialogue}
        for name_of, source in given.items():
            if source is not None:
                _replace_folder(draft / name_of, source)
        if wake is not None:
            _replace_head(draft / "wake", wake)
        if not accept_miss:
            _refuse_misses(draft)
        names = [word for head in (draft / "wake").glob("*.onnx") for word in head.stem.split("_")]
        lexicon.write_additions(draft / "asr", [*Grammar.load(grammar).words, *names])
        for part in parts:
            for source in sorted(part.iterdir()):
                _lay(draft / source.name, source)
        write_manifest(draft, name, language, requires)
        if out.exists():
            out.rmdir()
        draft.rename(out)
    return verify(out)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _lay(target: Path, source: Path) -> None:
    """A folder takes the place of one, but cards stand beside each other."""
    if source.is_dir():
        if target.is_dir() and target.name != "cards":
            shutil.rmtree(target)
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copyfile(source, target)


def _replace_folder(target: Path, source: Path) -> None:
    if not source.is_dir():
        raise PackError(f"{source} is not a checkpoint folder; give the --out folder of `everpaw train`")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("variants", "export.json"))


def _replace_head(target: Path, head: Path) -> None:
    if head.suffix != ".onnx" or not head.is_file():
        raise PackError(f"{head} is not a wake head; give the NAME.onnx that `everpaw train wake` wrote")
    shutil.rmtree(target)
    target.mkdir()
    beside = (head.with_suffix(".json"), head.with_suffix(".tflite"), head.with_name(head.stem + SUFFIX))
    for file in (head, *beside, provenance.beside(head)):
        if file.is_file():
            shutil.copyfile(file, target / file.name)


def _refuse_misses(folder: Path) -> None:
    for file in sorted(folder.rglob("*.onnx")):
        origin = provenance.read(file)
        if origin and origin.misses:
            name = file.relative_to(folder).as_posix()
            raise PackError(
                f"{name} misses: {'; '.join(origin.misses)}; export it otherwise, or add --accept-miss"
            )


def seal_starter(name: str) -> Pack:
    """Write the starter's manifest and pin it."""
    pack = write_manifest(starter.FOLDER, name)
    starter.PIN.write_text(f"{pack.sha256}  starter/{MANIFEST_NAME}\n")
    return starter.load_pack()


if __name__ == "__main__":
    from export.command import main

    sys.exit(main())
