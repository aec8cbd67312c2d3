"""The number formats that networks are run in, each defined alike for every processor, except for the order of sums.

bfloat16 halves the time of a vote on a processor that has units for it. On any other its convolutions would take
several times as long; there their operands are rounded to bfloat16, multiplied and summed in float32, and rounded
again, as those units do it. In what order the sums are made is left to the processor, in either format, and may turn
the votes of nearly tied samples.
"""

import platform
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from .checks import check_choice

PRECISIONS = ("float32", "bfloat16")
"""Number formats of convolutions and linear layers; centring, statistics of norms and the last layer are float32."""

PRODUCTS = (torch.conv2d, F.linear)
"""What PyTorch's autocast computes in bfloat16, as far as the networks here call it."""


Capabilities = Mapping[str, object]
"""Of a processor, as PyTorch lists them."""

UNITS = ("avx512_bf16", "amx_tile", "avx_ne_convert")
"""What an x86-64 processor may have for bfloat16."""


def _as_old_versions_tell() -> Capabilities:
    """Before `torch.cpu.get_capabilities`: of the units, those that PyTorch 2.9 asks the processor for."""
    units = {unit: getattr(torch.cpu, f"_is_{unit}_supported", bool)() for unit in UNITS}
    return {"architecture": platform.machine().lower().replace("amd64", "x86_64"), **units}


HERE = getattr(torch.cpu, "get_capabilities", _as_old_versions_tell)()


def bfloat16_units(capabilities: Capabilities) -> tuple[str, ...]:
    """What a processor has for bfloat16, of `UNITS`."""
    return tuple(unit for unit in UNITS if capabilities.get(unit))


def has_fast_bfloat16(has_kernels: bool, capabilities: Capabilities) -> bool:
    """Whether convolutions in bfloat16 are faster than in float32. has_kernels: PyTorch can compute them.

    On x86-64 it also can where the processor has no units for them; then its kernels are slower than those of float32.
    """
    return has_kernels and (capabilities.get("architecture") != "x86_64" or bool(bfloat16_units(capabilities)))


HAS_BFLOAT16 = has_fast_bfloat16(bool(getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)()), HERE)
"""Whether convolutions in bfloat16 are fast on this processor."""


def processor() -> str:
    """What the order of sums depends on, as far as it is easily told: PyTorch's kernels, and those for bfloat16."""
    by_hand = () if HAS_BFLOAT16 else ("bfloat16 by hand",)
    return ", ".join([torch.backends.cpu.get_cpu_capability(), *bfloat16_units(HERE), *by_hand])


class RoundedProducts(TorchFunctionMode):
    """Convolutions and linear layers of operands rounded to bfloat16, summed in float32; the result is bfloat16."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func not in PRODUCTS:
            return func(*args, **kwargs)
        product: Tensor = func(*map(_rounded, args), **{name: _rounded(value) for name, value in kwargs.items()})
        return product.bfloat16()


def _rounded(operand: Any) -> Any:
    return operand.bfloat16().float() if isinstance(operand, Tensor) else operand


def computed_in(precision: str) -> AbstractContextManager[object]:
    """A block in which networks run in a number format, one of `PRECISIONS`; ValueError for another."""
    check_choice("precision", precision, PRECISIONS)
    if precision == "bfloat16" and not HAS_BFLOAT16:
        return RoundedProducts()
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16")
