"""Build packs: gather the parts, describe the models, write the manifest last.

The same inputs give the same bytes: no time, no host and no order of the file system enters the manifest.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from runtime import starter
from runtime.contracts.errors import PackError
from runtime.contracts.pack import MANIFEST_NAME, Manifest, Pack, PackFile, PackModel, file_sha256, verify
from runtime.engines import Engine
from runtime.mind.grammar import Grammar
from training import lexicon

PARTS = ("wake", "stop", "asr", "behaviour", "skills", "sounds", "cards")
FILES = ("grammar.yaml", "actions.toml", "persona.toml")
LICENCE = "Apache-2.0"


def describe_model(folder: Path, file: Path) -> PackModel:
    """Task from the part's name, shapes from the model itself, the rest from its own metadata."""
    engine = Engine(file)
    sidecar = file.with_suffix(".json")
    if not sidecar.is_file():
        sidecar = file.parent / f"{file.parent.name}.json"
    facts = json.loads(sidecar.read_text()) if sidecar.is_file() else {}
    return PackModel(
        task=file.parent.name,
        file=file.relative_to(folder).as_posix(),
        precision=facts.get("precision", "fp32"),
        inputs=engine.input_shapes,
        licence=facts.get("licence", LICENCE),
        metrics={k: v for k, v in facts.get("metrics", {}).items() if isinstance(v, int | float)},
        command=facts.get("command", ""),
    )


def write_manifest(folder: Path, name: str, language: str = "en") -> Pack:
    """Hash all parts of `folder`, write its manifest (last, whole or not at all) and verify it."""
    paths = sorted(p for part in PARTS for p in (folder / part).rglob("*") if p.is_file())
    paths += [folder / f for f in FILES if (folder / f).is_file()]
    files = {
        p.relative_to(folder).as_posix(): PackFile(sha256=file_sha256(p), size=p.stat().st_size)
        for p in sorted(paths)
    }
    models = {f"{p.parent.name}/{p.stem}": describe_model(folder, p) for p in paths if p.suffix == ".onnx"}
    manifest = Manifest(name=name, language=language, files=files, models=models)
    target = folder / MANIFEST_NAME
    draft = target.with_suffix(".json.new")
    draft.write_text(manifest.model_dump_json(by_alias=True, indent=1) + "\n")
    draft.replace(target)
    return verify(folder)


def build(out: Path, *, grammar: Path, asr: Path | None, wake: Path | None, name: str) -> Pack:
    """The starter with another grammar, recogniser or wake head; `out` appears whole or not at all."""
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
        if asr is not None:
            _replace_folder(draft / "asr", asr)
        if wake is not None:
            _replace_head(draft / "wake", wake)
        names = [word for head in (draft / "wake").glob("*.onnx") for word in head.stem.split("_")]
        lexicon.write_additions(draft / "asr", [*Grammar.load(grammar).words, *names])
        write_manifest(draft, name)
        if out.exists():
            out.rmdir()
        draft.rename(out)
    return verify(out)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _replace_folder(target: Path, source: Path) -> None:
    if not source.is_dir():
        raise PackError(f"{source} is not a checkpoint folder; give the --out folder of `everpaw train`")
    shutil.rmtree(target)
    shutil.copytree(source, target)


def _replace_head(target: Path, head: Path) -> None:
    if head.suffix != ".onnx" or not head.is_file():
        raise PackError(f"{head} is not a wake head; give the NAME.onnx that `everpaw train wake` wrote")
    shutil.rmtree(target)
    target.mkdir()
    for file in (head, head.with_suffix(".json"), head.with_suffix(".tflite")):
        if file.is_file():
            shutil.copyfile(file, target / file.name)


def main(argv: list[str] | None = None) -> int:
    """`everpaw pack build|verify`."""
    parser = argparse.ArgumentParser(prog="everpaw pack", description="Build and check packs.")
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("build", help="gather a pack from a grammar, a recogniser and a wake head")
    make.add_argument("--grammar", type=Path, required=True, help="command grammar, Rhino YAML")
    make.add_argument("--asr", type=Path, help="folder of a recogniser; the starter's where not given")
    make.add_argument("--wake", type=Path, help="HEAD.onnx; the starter's where not given")
    make.add_argument("--name", default="Buddy")
    make.add_argument("--out", type=Path, required=True)
    check = commands.add_parser("verify", help="check every file of a pack against its manifest")
    check.add_argument("folder", type=Path)
    seal = commands.add_parser("seal-starter", help="write the starter's manifest and pin it (maintainers)")
    seal.add_argument("--name", default="Buddy")
    args = parser.parse_args(argv)
    if args.command == "build":
        pack = build(args.out, grammar=args.grammar, asr=args.asr, wake=args.wake, name=args.name)
    elif args.command == "verify":
        pack = starter.load_pack(args.folder)
    else:
        pack = write_manifest(starter.FOLDER, args.name)
        starter.PIN.write_text(f"{pack.sha256}  starter/{MANIFEST_NAME}\n")
        pack = starter.load_pack()
    size = sum(f.size for f in pack.manifest.files.values())
    print(
        f"{pack.folder}: {pack.manifest.name}, {len(pack.manifest.files)} files, {size:,} bytes, {pack.trust}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
