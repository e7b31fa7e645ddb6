"""An engine built by onnxruntime's own TensorRT provider, where TensorRT's Python package is not installed.

The provider writes plan and wrapper into a folder that is ours and becomes one entry of the store, so that no
engine is found again by the provider's own idea of what is the same.
"""

from collections.abc import Mapping
from pathlib import Path

from runtime.contracts.errors import EngineError
from runtime.engines.builder import Order
from runtime.engines.session import CPU, CUDA, ON_CPU, TENSORRT, Engine, Place, available
from runtime.engines.shapes import Profile, Shape, example
from runtime.engines.store import WRAPPER

_FLAGS = {"fp16": "trt_fp16_enable", "int8": "trt_int8_enable"}


def build(order: Order) -> Path:
    """Plan and `engine.onnx` in `order.out`; EngineError where onnxruntime has no TensorRT that works."""
    if TENSORRT not in available():
        raise EngineError("this onnxruntime has no TensorRT; pip install 'everpaw[gpu]' in place of '[cpu]'")
    cpu = Engine(order.onnx, place=ON_CPU)
    precision = cpu.metadata.get("precision", "fp32")
    place = Place(((TENSORRT, options(order, precision)), CUDA, CPU))
    engine = Engine(order.onnx, place=place)
    engine.run(example(cpu.input_shapes, cpu.input_types))
    if TENSORRT not in engine.providers or not (order.out / WRAPPER).is_file():
        raise EngineError(
            "onnxruntime's TensorRT built nothing; are libnvinfer and CUDA of its versions here?"
        )
    return order.out / WRAPPER


def options(order: Order, precision: str) -> dict[str, str]:
    """What the provider is told."""
    found = {
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(order.out),
        "trt_dump_ep_context_model": "1",
        "trt_ep_context_file_path": str(order.out / WRAPPER),
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": str(order.timings.parent),
        "trt_max_workspace_size": str(order.memory_bytes),
    }
    if precision in _FLAGS:
        found[_FLAGS[precision]] = "1"
    if order.profiles:
        for word, shapes in _sides(order.profiles).items():
            listed = (f"{name}:{'x'.join(map(str, shape))}" for name, shape in shapes.items())
            found[f"trt_profile_{word}_shapes"] = ",".join(listed)
    return found


def _sides(profiles: Mapping[str, Profile]) -> dict[str, dict[str, Shape]]:
    return {
        "min": {name: one.least for name, one in profiles.items()},
        "opt": {name: one.usual for name, one in profiles.items()},
        "max": {name: one.most for name, one in profiles.items()},
    }
