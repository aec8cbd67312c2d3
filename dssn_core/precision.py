"""The number formats that networks are run in, each defined alike for every processor, except for the order of sums.

bfloat16 halves the time of a vote on a processor that has kernels for it. On any other its convolutions would take
many times as long; there their operands are rounded to bfloat16, multiplied and summed in float32, and rounded again,
as those kernels do it. In what order the sums are made is left to the processor, in either format, and may turn the
votes of nearly tied samples.
"""

from collections.abc import Callable
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


HAS_BFLOAT16 = bool(getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)())
"""Whether this processor has fast kernels for convolutions in bfloat16."""


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
