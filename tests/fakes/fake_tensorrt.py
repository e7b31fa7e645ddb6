"""A TensorRT builder as its Python API (10.x) behaves, without a GPU: it keeps what it was told, in `calls`.

It refuses what the real one refuses: a file that is no ONNX, an open axis without a profile, a timing cache
of another version. Its plans are the model's bytes behind a header.
"""

from types import SimpleNamespace
from typing import Any, ClassVar

import onnx

__version__ = "10.14.1"
calls: list[tuple[Any, ...]] = []
HEADER = b"fake plan "


class Logger:
    WARNING = 2

    def __init__(self, level: int) -> None:
        self.level = level


class NetworkDefinitionCreationFlag:
    STRONGLY_TYPED = 1


class MemoryPoolType:
    WORKSPACE = "workspace"


class IProgressMonitor:
    def __init__(self) -> None:
        self.ready = True


class _Profile:
    def __init__(self) -> None:
        self.shapes: dict[str, tuple[Any, ...]] = {}

    def set_shape(self, name: str, least: Any, usual: Any, most: Any) -> None:
        calls.append(("set_shape", name, tuple(least), tuple(usual), tuple(most)))
        self.shapes[name] = (least, usual, most)


class _Cache:
    def __init__(self, data: bytes) -> None:
        self.data = data or f"cache of {__version__}".encode()

    def serialize(self) -> bytes:
        return self.data


class _Config:
    progress_monitor: Any = None

    def __init__(self) -> None:
        self.profiles: list[_Profile] = []
        self._cache = _Cache(b"")

    def set_memory_pool_limit(self, pool: str, size: int) -> None:
        calls.append(("set_memory_pool_limit", pool, size))

    def add_optimization_profile(self, profile: _Profile) -> int:
        self.profiles.append(profile)
        return len(self.profiles) - 1

    def create_timing_cache(self, data: bytes) -> _Cache:
        return _Cache(data)

    def set_timing_cache(self, cache: _Cache, ignore_mismatch: bool) -> bool:
        fits = ignore_mismatch or __version__.encode() in cache.data
        calls.append(("set_timing_cache", fits))
        if fits:
            self._cache = cache
        return fits

    def get_timing_cache(self) -> _Cache:
        return self._cache


class _Network:
    def __init__(self, flags: int) -> None:
        self.flags, self.inputs, self.raw = flags, [], b""

    @property
    def num_inputs(self) -> int:
        return len(self.inputs)

    def get_input(self, number: int) -> Any:
        return self.inputs[number]


class OnnxParser:
    num_errors = 1

    def __init__(self, network: _Network, logger: Logger) -> None:
        self._network = network

    def parse_from_file(self, path: str) -> bool:
        try:
            model = onnx.load(path)
        except Exception:
            return False
        inner = {entry.name for entry in model.graph.initializer}
        for entry in model.graph.input:
            if entry.name not in inner:
                dims = entry.type.tensor_type.shape.dim
                shape = tuple(d.dim_value if d.HasField("dim_value") else -1 for d in dims)
                self._network.inputs.append(SimpleNamespace(name=entry.name, shape=shape))
        self._network.raw = model.SerializeToString()
        return True

    def get_error(self, number: int) -> str:
        return "the file is no ONNX"


class Builder:
    refuses: ClassVar[bool] = False

    def __init__(self, logger: Logger) -> None:
        self.logger = logger

    def create_network(self, flags: int) -> _Network:
        calls.append(("create_network", flags))
        return _Network(flags)

    def create_builder_config(self) -> _Config:
        return _Config()

    def create_optimization_profile(self) -> _Profile:
        return _Profile()

    def build_serialized_network(self, network: _Network, config: _Config) -> bytes | None:
        shapes = config.profiles[0].shapes if config.profiles else {}
        for entry in network.inputs:
            if -1 in entry.shape and entry.name not in shapes:
                return None
        monitor = config.progress_monitor
        monitor.phase_start("Building", None, 3)
        for step in range(3):
            if not monitor.step_complete("Building", step):
                monitor.phase_finish("Building")
                return None
        monitor.phase_finish("Building")
        return None if self.refuses else HEADER + network.raw
