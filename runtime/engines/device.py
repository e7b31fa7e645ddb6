"""What an engine is bound to: the GPU, its driver, CUDA and TensorRT of this machine."""

import ctypes
import importlib.metadata
import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict

_MAJOR, _MINOR = 75, 76
"""CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*"""
_DRIVER_FILES = (Path("/proc/driver/nvidia/version"), Path("/etc/nv_tegra_release"))


class Device(BaseModel):
    """Empty fields: there is no such thing here."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    gpu: str = ""
    """Name and compute capability, "Orin (8.7)\""""
    driver: str = ""
    cuda: str = ""
    """Of the driver, "12.6\""""
    tensorrt: str = ""

    @classmethod
    def here(cls) -> "Device":
        gpu, cuda = _cuda()
        return cls(gpu=gpu, cuda=cuda, driver=_driver() if gpu else "", tensorrt=_tensorrt())


def _cuda() -> tuple[str, str]:
    """GPU 0 and the CUDA version of the driver, from the driver itself; empty where there is none."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "", ""
    version, device = ctypes.c_int(), ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGet(ctypes.byref(device), 0):
        return "", ""
    driver.cuDriverGetVersion(ctypes.byref(version))
    name = ctypes.create_string_buffer(100)
    driver.cuDeviceGetName(name, len(name), device)
    numbers = []
    for attribute in (_MAJOR, _MINOR):
        number = ctypes.c_int()
        driver.cuDeviceGetAttribute(ctypes.byref(number), attribute, device)
        numbers.append(number.value)
    major, minor = divmod(version.value, 1_000)
    return f"{name.value.decode()} ({numbers[0]}.{numbers[1]})", f"{major}.{minor // 10}"


def _driver() -> str:
    for path in _DRIVER_FILES:
        if path.is_file():
            line = path.read_text().splitlines()[0]
            found = re.search(r"\d+\.\d+(\.\d+)?", line)
            return found.group() if found else line.strip("# ")[:60]
    return ""


def _tensorrt() -> str:
    for name in ("tensorrt", "tensorrt-cu13", "tensorrt-cu12"):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return ""
