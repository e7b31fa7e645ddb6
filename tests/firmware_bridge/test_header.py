"""The C header: a C compiler agrees with Python on every number and size."""

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from firmware_bridge import dictionary
from firmware_bridge.mcu import protocol as p


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler is installed")
def test_c_and_python_agree(tmp_path: Path) -> None:
    words = dictionary.load_dictionary()
    names = [name for name, message in words["messages"].items() if message["fields"]]
    checks = [f'printf("%zu ", sizeof(everpaw_{name.lower()}));' for name in names]
    checks += [f'printf("%d ", EVERPAW_{name});' for name in words["messages"]]
    checks += ['printf("%d %d ", EVERPAW_STATE_FAULT, EVERPAW_REASON_ESTOP);']
    setpoint = struct.pack("<HH", 513, 1_027)
    fill = ", ".join(str(byte) for byte in setpoint)
    checks += [f"uint8_t raw[] = {{{fill}}}; everpaw_setpoint *s = (everpaw_setpoint *)raw;"]
    checks += ['printf("%d %d", s->ttl_ms, s->echo);']
    (tmp_path / "check.c").write_text(
        f'#include <stdio.h>\n#include "{dictionary.MCU / "protocol.h"}"\n'
        f"int main(void) {{ {' '.join(checks)} return 0; }}\n"
    )
    command = ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-o", "check", "check.c"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    said = subprocess.run([tmp_path / "check"], capture_output=True, text=True, check=True).stdout.split()
    expected = [getattr(p, f"{name}_SIZE") for name in names]
    expected += [getattr(p, name) for name in words["messages"]]
    assert [int(word) for word in said] == [*expected, p.FAULT, p.ESTOP, 513, 1_027]
