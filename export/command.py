"""`everpaw pack build | sign | verify | inspect | diff | archive | trust`, and what `publishing` adds."""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from export import owner, publishing
from export.description import WHO, describe, difference, render, render_difference
from export.security import ask_passphrase
from runtime import starter
from runtime.contracts.archive import SUFFIX, extract, opened, write_archive
from runtime.contracts.body import load_body
from runtime.contracts.errors import PackError, TrustError
from runtime.contracts.keys import TRUSTED, Keyring, PublicKey, keys_folder
from runtime.contracts.pack import Requirements
from runtime.contracts.requirements import Here

YES = "yes"


def main(argv: list[str] | None = None) -> int:
    """`everpaw pack`."""
    args = _parse(argv)
    work: Callable[[argparse.Namespace], int] = args.work
    return work(args)


def _build(args: argparse.Namespace) -> int:
    from export.pack import build  # needs the school; the other words do not

    requires = Requirements(limits_hash=load_body().limits_hash if args.bind_limits else None)
    with tempfile.TemporaryDirectory(prefix="everpaw-") as scratch:
        as_file = args.out.suffix == SUFFIX
        folder = Path(scratch) / "pack" if as_file else args.out
        made = build(
            folder, grammar=args.grammar, asr=args.asr, wake=args.wake, dialogue=args.dialogue,
            behaviour=args.behaviour, reader=args.reader, name=args.name, requires=requires,
            accept_miss=args.accept_miss,
        )  # fmt: skip
        if args.sign:
            owner.sign(made, owner.load(args.keys or keys_folder(), ask_passphrase))
        if as_file:
            write_archive(folder, args.out)
    return _tell(args.out, args.keys)


def _sign(args: argparse.Namespace) -> int:
    key = owner.load(args.keys or keys_folder(), ask_passphrase)
    with opened(args.pack) as folder:
        owner.sign(starter.load_pack(folder, args.keys), key)
        if folder != args.pack:
            write_archive(folder, args.pack)
    return _tell(args.pack, args.keys)


def _verify(args: argparse.Namespace) -> int:
    return _tell(args.pack, args.keys, args.json)


def _tell(path: Path, keys: Path | None, as_json: bool = False) -> int:
    """One line on a pack that was just checked whole."""
    with opened(path) as folder:
        pack = starter.load_pack(folder, keys)
    facts = describe(pack, Here.of())
    if as_json:
        keep = ("name", "sha256", "bytes", "trust", "signer", "unmet")
        print(json.dumps({key: facts[key] for key in keep}))
        return 0
    size = f"{len(pack.manifest.files)} files, {facts['bytes']:,} bytes"
    by = f", {pack.signer.fingerprint}" if pack.signer else ""
    print(f"{path}: {facts['name']}, {size}, {WHO[pack.trust]}{by}")
    for sentence in facts["unmet"]:
        print(f"it does not fit here: {sentence}", file=sys.stderr)
    return 0


def _inspect(args: argparse.Namespace) -> int:
    with opened(args.pack) as folder:
        pack = starter.load_pack(folder, args.keys)
        print(json.dumps(describe(pack, Here.of())) if args.json else render(pack, Here.of()))
    return 0


def _diff(args: argparse.Namespace) -> int:
    with ExitStack() as stack:
        old, new = (
            starter.load_pack(stack.enter_context(opened(p)), args.keys) for p in (args.old, args.new)
        )
        facts = difference(old, new)
    print(json.dumps(facts) if args.json else render_difference(facts))
    return 0


def _archive(args: argparse.Namespace) -> int:
    if args.pack.is_dir() == (args.out.suffix != SUFFIX):
        raise PackError(f"{args.out} is no other form of {args.pack}; from a folder to NAME{SUFFIX}, or back")
    if args.pack.is_dir():
        write_archive(starter.load_pack(args.pack, args.keys).folder, args.out)
    else:
        extract(args.pack, args.out)
    return _tell(args.out, args.keys)


def _trust(args: argparse.Namespace) -> int:
    folder = args.keys or keys_folder()
    if args.key == "list":
        for key in Keyring.load(folder):
            print(f"{key.name:<16} {key.fingerprint}")
    elif args.key == "remove":
        _distrust(folder, args.name)
    else:
        _trust_key(folder, Path(args.key), args.name, args.fingerprint)
    return 0


def _trust_key(folder: Path, source: Path, name: str | None, fingerprint: str | None) -> None:
    key = PublicKey.read(source)
    if known := Keyring.load(folder).known(key):
        raise TrustError(f"{key.fingerprint} is trusted already, as {known.name!r}")
    name = name or source.stem
    if not name.replace("-", "").replace("_", "").isalnum():
        raise TrustError(f"{name!r} is no plain name; give --name of letters, digits, '-' and '_'")
    target = folder / TRUSTED / f"{name}.pub"
    if target.exists():
        raise TrustError(f"{name!r} is the name of another key already; give --name")
    print(f"{source}: {key.fingerprint}", file=sys.stderr)
    if fingerprint is not None and fingerprint != key.fingerprint:
        raise TrustError(f"its fingerprint is {key.fingerprint}, not {fingerprint}; it is not trusted")
    if fingerprint is None and _ask("Compare it with what its maker says. Trust it? (yes/no) ") != YES:
        raise TrustError("not trusted; nothing was changed")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(f"{key.line} {name}\n")
    print(f"{name}: trusted; take it back with: everpaw pack trust remove {name}")


def _distrust(folder: Path, name: str | None) -> None:
    paths = {path.stem: path for path in (folder / TRUSTED).glob("*.pub")}
    if name not in paths:
        raise TrustError(f"no trusted key is called {name!r}; there are: {', '.join(paths) or 'none'}")
    paths[name].unlink()
    print(f"{name}: no longer trusted")


def _ask(question: str) -> str:
    if not sys.stdin.isatty():
        raise TrustError("no terminal to confirm on; give --fingerprint SHA256:... as its maker told you")
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def _seal(args: argparse.Namespace) -> int:
    from export.pack import seal_starter

    pack = seal_starter(args.name)
    return _tell(pack.folder, None)


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="everpaw pack", description="Packs, as a folder or as one NAME.paw: build, sign, check, trust."
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--keys", type=Path, help="folder of the keys (default: ~/.config/everpaw/keys)")
    whats = parser.add_subparsers(dest="what", required=True)

    def add(name: str, work: Callable[[argparse.Namespace], int], help: str) -> argparse.ArgumentParser:
        word = whats.add_parser(name, help=help, parents=[common])
        word.set_defaults(work=work)
        return word

    make = add("build", _build, "gather a pack from a grammar, a recogniser and a wake head")
    make.add_argument("--grammar", type=Path, required=True, help="command grammar, Rhino YAML")
    make.add_argument("--asr", type=Path, help="folder of a recogniser; the starter's where not given")
    make.add_argument("--wake", type=Path, help="HEAD.onnx; the starter's where not given")
    make.add_argument("--dialogue", type=Path, help="folder of a dialogue model; the starter's if not given")
    make.add_argument(
        "--behaviour", type=Path, help="folder of a classifier that knows the grammar's intents"
    )
    make.add_argument("--reader", type=Path, help="folder of a reader; the starter's if not given")
    make.add_argument("--accept-miss", action="store_true", help="a model that misses a threshold, marked")
    make.add_argument("--name", default="Buddy")
    make.add_argument("--bind-limits", action="store_true", help="require this very body's limits")
    make.add_argument("--sign", action="store_true", help="with the owner's key")
    make.add_argument("--out", type=Path, required=True, help="a new folder, or NAME.paw")
    add("sign", _sign, "sign with the owner's key").add_argument("pack", type=Path)
    for name, work, help in (
        ("verify", _verify, "check every file, the signature and what it requires"),
        ("inspect", _inspect, "parts, models, figures, licences, who signed, what it requires"),
    ):
        word = add(name, work, help)
        word.add_argument("pack", type=Path)
        word.add_argument("--json", action="store_true", help="one object")
    diff = add("diff", _diff, "which files, figures and bytes changed")
    diff.add_argument("old", type=Path)
    diff.add_argument("new", type=Path)
    diff.add_argument("--json", action="store_true", help="one object")
    convert = add("archive", _archive, "the other form: a folder as NAME.paw, or a NAME.paw as a folder")
    convert.add_argument("pack", type=Path)
    convert.add_argument("out", type=Path)
    trust = add("trust", _trust, "believe another maker's key: KEY.pub, `list`, or `remove NAME`")
    trust.add_argument("key", help="KEY.pub, list or remove")
    trust.add_argument("name", nargs="?", help="its name here")
    trust.add_argument("--fingerprint", help="confirms it without a question")
    publishing.add_words(add)
    seal = add("seal-starter", _seal, "write the starter's manifest and pin it (maintainers)")
    seal.add_argument("--name", default="Buddy")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
