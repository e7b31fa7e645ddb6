"""What is in a pack, for a person and for a script."""

from typing import Any

from runtime.contracts.pack import Pack, PackModel
from runtime.contracts.requirements import Here, unmet

WHO = {
    "starter": "the starter pack, pinned in the package",
    "owner": "signed by the owner",
    "trusted": "signed by a trusted maker",
    "unknown": "signed by a key that is not trusted here",
    "unsigned": "not signed",
}


def describe(pack: Pack, here: Here) -> dict[str, Any]:
    """Everything as plain data; `unmet` is empty where the pack fits what stands here."""
    manifest = pack.manifest
    parts: dict[str, dict[str, int]] = {}
    for name, entry in manifest.files.items():
        part = parts.setdefault(name.partition("/")[0], {"files": 0, "bytes": 0})
        part["files"] += 1
        part["bytes"] += entry.size
    return {
        "name": manifest.name,
        "language": manifest.language,
        "sha256": pack.sha256,
        "bytes": manifest.size,
        "trust": pack.trust,
        "signer": pack.signer and {"name": pack.signer.name, "fingerprint": pack.signer.fingerprint},
        "parts": parts,
        "models": {
            name: model.model_dump() | {"bytes": manifest.files[model.file].size}
            for name, model in manifest.models.items()
        },
        "cards": [name for name in manifest.files if name.startswith("cards/") and name.endswith(".md")],
        "requires": manifest.requires.model_dump(),
        "unmet": unmet(manifest.requires, here),
    }


def render(pack: Pack, here: Here) -> str:
    """The same as lines to read."""
    facts = describe(pack, here)
    lines = [
        f"{facts['name']} ({facts['language']}): {len(pack.manifest.files)} files, {facts['bytes']:,} bytes",
        f"identity  {facts['sha256']}",
        f"trust     {WHO[pack.trust]}{_signer(pack)}",
        "",
        f"{'part':<14} {'files':>6} {'bytes':>12}",
        *(f"{name:<14} {part['files']:>6} {part['bytes']:>12,}" for name, part in facts["parts"].items()),
        "",
    ]
    for name, model in pack.manifest.models.items():
        lines += [*_model(name, model, facts["models"][name]["bytes"]), ""]
    lines.append(f"cards     {', '.join(facts['cards']) or 'none'}")
    wanted = ", ".join(f"{key} {value}" for key, value in facts["requires"].items() if value is not None)
    lines.append(f"requires  {wanted}")
    lines += [f"✗ {sentence}" for sentence in facts["unmet"]] or ["✓ all of it is met here"]
    return "\n".join(lines)


def _signer(pack: Pack) -> str:
    if pack.signer is None:
        return ""
    name = f" ({pack.signer.name})" if pack.trust == "trusted" else ""
    return f"{name}, {pack.signer.fingerprint}"


def _model(name: str, model: PackModel, size: int) -> list[str]:
    inputs = ", ".join(f"{key} {shape}" for key, shape in model.inputs.items())
    lines = [
        f"{name}: {model.task}, {model.precision}, {size:,} bytes, {model.licence}",
        f"  inputs      {inputs}",
        f"  checkpoint  {model.checkpoint_sha256 or 'not recorded'}",
        f"  data sets   {', '.join(f'{k} {v[:12]}' for k, v in model.datasets.items()) or 'see its card'}",
    ]
    for key, value in sorted(model.metrics.items()):
        before = model.metrics_float.get(key)
        lines.append(f"  {key:<18} {value:g}" + (f"  (float {before:g})" if before is not None else ""))
    lines += [f"  ? {sentence}" for sentence in model.unknown]
    lines += [f"  ✗ missed, and accepted: {sentence}" for sentence in model.misses]
    return lines


def difference(old: Pack, new: Pack) -> dict[str, Any]:
    """What changed from `old` to `new`; `bytes_to_move` is what a robot that has `old` still lacks."""
    before, after = old.manifest, new.manifest
    had = {entry.sha256 for entry in before.files.values()}
    lacking = {entry.sha256: entry.size for entry in after.files.values() if entry.sha256 not in had}
    return {
        "added": {n: e.size for n, e in after.files.items() if n not in before.files},
        "removed": {n: e.size for n, e in before.files.items() if n not in after.files},
        "changed": {
            n: {"from_bytes": before.files[n].size, "to_bytes": e.size}
            for n, e in after.files.items()
            if n in before.files and before.files[n].sha256 != e.sha256
        },
        "metrics": _metrics(before.models, after.models),
        "requires": {
            key: [was, value]
            for (key, value), was in zip(
                after.requires.model_dump().items(), before.requires.model_dump().values(), strict=True
            )
            if was != value
        },
        "bytes_to_move": sum(lacking.values()),
    }


def _metrics(
    before: dict[str, PackModel], after: dict[str, PackModel]
) -> dict[str, dict[str, list[float | None]]]:
    found = {}
    for name in sorted(before.keys() | after.keys()):
        was = before[name].metrics if name in before else {}
        now = after[name].metrics if name in after else {}
        keys = sorted(was.keys() | now.keys())
        changes = {key: [was.get(key), now.get(key)] for key in keys if was.get(key) != now.get(key)}
        if changes:
            found[name] = changes
    return found


def render_difference(facts: dict[str, Any]) -> str:
    lines = [f"+ {name}  {size:,} bytes" for name, size in facts["added"].items()]
    lines += [f"- {name}  {size:,} bytes" for name, size in facts["removed"].items()]
    lines += [
        f"~ {name}  {sizes['from_bytes']:,} → {sizes['to_bytes']:,} bytes"
        for name, sizes in facts["changed"].items()
    ]
    for model, changes in facts["metrics"].items():
        lines += [f"  {model} {key}: {_number(was)} → {_number(now)}" for key, (was, now) in changes.items()]
    lines += [f"  requires {key}: {was} → {now}" for key, (was, now) in facts["requires"].items()]
    lines.append(f"{facts['bytes_to_move']:,} bytes to move" if lines else "the same files")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
