"""A TensorRT engine of one model, built here by TensorRT's own Python API.

The network is strongly typed: precisions are those of the file (`everpaw export --target tensorrt`), none is
chosen behind its back. Every open axis has a profile. TensorRT measures its tactics on the GPU it runs on, so
an engine is built on the robot and belongs to no pack.
"""

import importlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.contracts.errors import EngineError, MissingExtraError
from runtime.engines.shapes import Profile
from runtime.engines.store import PLAN, WRAPPER

TIMING_CACHE = "timing.cache"
DOMAIN = "com.microsoft"
Tell = Callable[[str, int, int], None]
"""(phase, steps done, steps in all)"""


@dataclass(frozen=True, slots=True)
class Order:
    """One build. Files are left in `out`; `timings` is kept from build to build."""

    onnx: Path
    profiles: Mapping[str, Profile]
    out: Path
    timings: Path
    memory_bytes: int = 1 << 30
    """Most workspace that a tactic may use"""
    tell: Tell = lambda phase, done, total: None
    cancelled: Callable[[], bool] = lambda: False


def load_tensorrt() -> Any:
    """MissingExtraError where it is not installed or its libraries do not load."""
    try:
        return importlib.import_module("tensorrt")
    except (ImportError, OSError) as error:
        raise MissingExtraError("tensorrt", "tensorrt") from error


def build(order: Order, trt: Any = None) -> Path:
    """`engine.plan` and its wrapper in `order.out`; EngineError says what TensorRT refused."""
    trt = trt or load_tensorrt()
    logger = trt.Logger(trt.Logger.WARNING)
    builder = trt.Builder(logger)
    network = builder.create_network(_strongly_typed(trt))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(order.onnx)):
        said = "; ".join(str(parser.get_error(i)) for i in range(parser.num_errors))
        raise EngineError(f"TensorRT cannot read {order.onnx.name}: {said[:400]}; the CUDA path serves on")
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, order.memory_bytes)
    config.add_optimization_profile(_profile(builder, network, order.profiles))
    timings = config.create_timing_cache(order.timings.read_bytes() if order.timings.is_file() else b"")
    # a cache of another TensorRT or GPU is refused: it is started anew
    if not config.set_timing_cache(timings, False):
        timings = config.create_timing_cache(b"")
        config.set_timing_cache(timings, False)
    config.progress_monitor = monitor = _monitor(trt, order)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        why = "was cancelled" if monitor.stopped else "gave no engine; its own messages stand above"
        raise EngineError(f"TensorRT's build of {order.onnx.name} {why}; the CUDA path serves on")
    (order.out / PLAN).write_bytes(plan)
    _keep_timings(order.timings, bytes(config.get_timing_cache().serialize()))
    wrap(order.onnx, order.out)
    return order.out / PLAN


def _strongly_typed(trt: Any) -> int:
    """The flag, where this TensorRT still knows networks of another kind."""
    flag = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    return 0 if flag is None else 1 << int(flag)


def _profile(builder: Any, network: Any, profiles: Mapping[str, Profile]) -> Any:
    profile = builder.create_optimization_profile()
    for number in range(network.num_inputs):
        tensor = network.get_input(number)
        if any(size < 0 for size in tensor.shape):
            span = profiles.get(tensor.name)
            if span is None:
                raise EngineError(
                    f"{tensor.name} {tuple(tensor.shape)} has open axes and no profile; report this"
                )
            profile.set_shape(tensor.name, span.least, span.usual, span.most)
    return profile


def _monitor(trt: Any, order: Order) -> Any:
    """TensorRT calls it from threads of its own."""

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.stopped = False
            self._lock = threading.Lock()
            self._totals: dict[str, int] = {}

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            with self._lock:
                self._totals[phase_name] = num_steps

        def step_complete(self, phase_name: str, step: int) -> bool:
            with self._lock:
                order.tell(phase_name, step + 1, self._totals.get(phase_name, step + 1))
                self.stopped = self.stopped or order.cancelled()
                return not self.stopped

        def phase_finish(self, phase_name: str) -> None:
            with self._lock:
                self._totals.pop(phase_name, None)

    return Monitor()


def _keep_timings(path: Path, timings: bytes) -> None:
    draft = path.with_suffix(".new")
    draft.write_bytes(timings)
    draft.replace(path)


def wrap(source: Path, out: Path) -> None:
    """`engine.onnx`: one EPContext node that onnxruntime's TensorRT provider reads the plan through."""
    try:
        onnx = importlib.import_module("onnx")
    except ImportError as error:
        raise MissingExtraError("onnx", "tensorrt") from error
    model = onnx.load(str(source), load_external_data=False)
    graph = model.graph
    inner = {entry.name for entry in graph.initializer}
    inputs = [entry for entry in graph.input if entry.name not in inner]
    node = onnx.helper.make_node(
        "EPContext", [i.name for i in inputs], [o.name for o in graph.output], name="engine", domain=DOMAIN,
        main_context=1, embed_mode=0, ep_cache_context=PLAN, source="TensorrtExecutionProvider",
        partition_name="engine",
    )  # fmt: skip
    wrapper = onnx.helper.make_model(
        onnx.helper.make_graph([node], "engine", inputs, list(graph.output)),
        opset_imports=[*model.opset_import, onnx.helper.make_opsetid(DOMAIN, 1)],
        ir_version=model.ir_version,
    )
    onnx.helper.set_model_props(wrapper, {entry.key: entry.value for entry in model.metadata_props})
    onnx.save(wrapper, str(out / WRAPPER))
