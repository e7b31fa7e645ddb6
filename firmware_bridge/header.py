"""The dictionary as a C header, for whoever writes firmware in C: numbers, names and packed structs."""

import struct
from collections.abc import Sequence
from typing import Any

_C_TYPES = {"B": "uint8_t", "b": "int8_t", "H": "uint16_t", "h": "int16_t", "I": "uint32_t"}


def header_text(dictionary: dict[str, Any], digest: bytes, tables: Sequence[str]) -> str:
    """protocol.h; `tables` name the dictionary's tables of plain numbers, `digest` is its hash."""
    lines = [
        "/* The dictionary of the link, from protocol.toml.",
        " * Written by `python -m firmware_bridge.dictionary`; change its source instead.",
        " * Frame: COBS( ver u8 | type u8 | seq u8 | boot_id u16 | ack u8 | payload | crc32 ) 0x00.",
        " * All is little-endian; the structs are payloads, and assume a little-endian machine. */",
        "#ifndef EVERPAW_PROTOCOL_H",
        "#define EVERPAW_PROTOCOL_H",
        "#include <stdint.h>",
        "",
        *(
            f"#define EVERPAW_{name.upper()} {dictionary[name]}"
            for name in ("version", "payload_max", "tick_ms")
        ),
        "#define EVERPAW_DICTIONARY_HASH {" + ", ".join(f"0x{byte:02x}" for byte in digest) + "}",
    ]
    for table in tables:
        lines.append("")
        lines += [f"#define EVERPAW_{_name(table, key)} {value}" for key, value in dictionary[table].items()]
    for name, message in dictionary["messages"].items():
        lines += ["", f"#define EVERPAW_{name} 0x{message['id']:02x} /* {message['class']} */"]
        if message["fields"]:
            lines += _struct(name, message)
    return "\n".join([*lines, "", "#endif", ""])


def _name(table: str, key: str) -> str:
    """`state ARMED` -> STATE_ARMED: C has one space of names."""
    return f"{table.removesuffix('s')}_{key}".upper()


def _struct(name: str, message: dict[str, Any]) -> list[str]:
    form = "<" + "".join(kind for _, kind in message["fields"])
    struct_name = f"everpaw_{name.lower()}"
    lines = ["#pragma pack(push, 1)", "typedef struct {"]
    for field, kind in message["fields"]:
        lines.append(
            f"  uint8_t {field}[{kind[:-1]}];" if kind.endswith("s") else f"  {_C_TYPES[kind]} {field};"
        )
    if message.get("angles"):
        lines.append("  /* then int16_t for each joint, hundredths of a degree */")
    size = f'_Static_assert(sizeof({struct_name}) == {struct.calcsize(form)}, "packed");'
    return [*lines, f"}} {struct_name};", "#pragma pack(pop)", size]
