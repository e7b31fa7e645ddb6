"""`everpaw schemas`: the JSON Schema of every message, for who speaks to the robot in another language."""

import argparse
import json
from pathlib import Path

from runtime.contracts.messages import SCHEMA_VERSION
from runtime.contracts.pack import Manifest
from runtime.contracts.topics import PREFIX, TOPICS


def schemas() -> dict[str, str]:
    """File name -> JSON text: one of each model, and `topics.json` with the registry."""
    models = {row.model.__name__: row.model for row in TOPICS.values()}
    texts = {f"{name}.json": model.model_json_schema(by_alias=True) for name, model in models.items()}
    texts["Manifest.json"] = Manifest.model_json_schema(by_alias=True)
    texts["topics.json"] = {
        "prefix": f"{PREFIX}/<robot_id>/",
        "schema": SCHEMA_VERSION,
        "topics": {
            row.name: {
                "model": row.model.__name__,
                "qos": row.qos,
                "retain": row.retain,
                "rate_hz": row.rate_hz,
            }
            for row in TOPICS.values()
        },
    }
    return {name: json.dumps(schema, indent=1, sort_keys=True) + "\n" for name, schema in texts.items()}


def main(argv: list[str]) -> int:
    """`everpaw schemas`."""
    parser = argparse.ArgumentParser(prog="everpaw schemas", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (args.out / name).write_text(text)
    print(f"{len(schemas())} schemas in {args.out}")
    return 0
