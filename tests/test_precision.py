"""bfloat16 is one function, whether the processor has kernels for it or not."""

import pytest
import torch
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from dssn_core import precision
from dssn_core.checkpoints import PRETRAINED, list_models, load_model, read_manifest
from dssn_core.precision import RoundedProducts, computed_in, has_fast_bfloat16
from tests.random_networks import generator

QUANTUM = 2.0**-8
"""bfloat16 keeps eight significant bits: neighbouring numbers are at most so far apart, relatively (twice below)."""


@pytest.fixture
def lacking(monkeypatch):
    monkeypatch.setattr("dssn_core.precision.HAS_BFLOAT16", False)


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=generator(seed))


def bfloat16(x):
    """Rounded to nearest even by integer arithmetic on the bits."""
    bits = x.float().contiguous().view(torch.int32).to(torch.int64) & 0xFFFFFFFF
    kept = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16 << 16
    return torch.where(kept >= 2**31, kept - 2**32, kept).to(torch.int32).view(torch.float32)


PRODUCTS = {
    "conv2d": lambda x, w, b: F.conv2d(x, w, b, stride=2, padding=1),
    "conv2d by keyword": lambda x, w, b: F.conv2d(x, w, bias=b, stride=2, padding=1),
    "linear": lambda x, w, b: F.linear(x.flatten(1), w.flatten(1)[:, : x[0].numel()], b),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_are_those_of_rounded_operands_rounded_once(name, lacking):
    product = PRODUCTS[name]
    x, w, b = drawn(4, 8, 3, 3), drawn(16, 8, 3, 3, seed=1), drawn(16, seed=2)
    with computed_in("bfloat16"):
        found = product(x, w, b)
    assert found.dtype == torch.bfloat16
    exact = product(*(bfloat16(each).double() for each in (x, w, b)))
    # Sums in float32 may fall on the other side of a rounding boundary, and then the neighbour is the answer.
    wrong = found.float() != bfloat16(exact)
    assert wrong.float().mean() < 0.02
    assert ((found.double() - exact).abs() <= QUANTUM * exact.abs() + 1e-5).all()
    plain = product(x, w, b)
    assert plain.dtype == torch.float32 and (plain - exact).abs().max() > 1e-3  # it is not float32 under another name


def test_float32_stays_float32(lacking):
    x, w = drawn(2, 3, 4, 4), drawn(5, 3, 3, 3)
    expected = F.conv2d(x, w)
    with computed_in("float32"):
        found = F.conv2d(x, w)
    assert torch.equal(found, expected) and found.dtype == torch.float32


@pytest.mark.parametrize("has_it", [True, False])
def test_products_are_rounded_by_hand_only_where_the_processor_does_not(has_it, monkeypatch):
    monkeypatch.setattr("dssn_core.precision.HAS_BFLOAT16", has_it)
    seen = operands_of(lambda: F.conv2d(drawn(1, 3, 4, 4), drawn(5, 3, 3, 3)))
    assert seen == {torch.bfloat16 if has_it else torch.float32}


def test_training_in_bfloat16_has_the_gradients_of_rounded_products(lacking):
    x, w = drawn(4, 8, 6, 6), drawn(16, 8, 3, 3, seed=1).requires_grad_()
    with computed_in("bfloat16"):
        loss = F.conv2d(x, w).float().square().sum()
    (found,) = torch.autograd.grad(loss, w)
    exact = w.detach().double().requires_grad_()
    (expected,) = torch.autograd.grad(F.conv2d(x.double(), exact).square().sum(), exact)
    assert found.dtype == torch.float32
    assert (found - expected).norm() < 2 * QUANTUM * expected.norm()


@pytest.mark.parametrize(
    "has_kernels, capabilities, fast",
    [
        (True, {"architecture": "x86_64", "avx512_bf16": True}, True),
        (True, {"architecture": "x86_64", "avx512_bw": True, "avx512_bf16": False, "amx_tile": False}, False),
        (False, {"architecture": "x86_64", "avx2": True}, False),
        (True, {"architecture": "aarch64", "bf16": True}, True),
        (True, {"architecture": "x86_64"}, False),
    ],
)
def test_kernels_for_bfloat16_are_not_fast_without_units_for_it(has_kernels, capabilities, fast):
    assert has_fast_bfloat16(has_kernels, capabilities) == fast


def test_old_versions_of_pytorch_tell_the_units_too():
    told = precision._as_old_versions_tell()
    assert precision.bfloat16_units(told) == precision.bfloat16_units(precision.HERE)
    assert (told["architecture"] == "x86_64") == (precision.HERE["architecture"] == "x86_64")


def test_a_processor_says_who_rounds(monkeypatch):
    monkeypatch.setattr(precision, "HERE", {"amx_tile": True})
    for has_it, end in ((True, "amx_tile"), (False, "amx_tile, bfloat16 by hand")):
        monkeypatch.setattr(precision, "HAS_BFLOAT16", has_it)
        assert precision.processor() == f"{torch.backends.cpu.get_cpu_capability()}, {end}"


class Operands(TorchDispatchMode):
    """Notes the number formats that matrix products and convolutions are computed in."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func.overloadpacket.__name__ in {"convolution", "mm", "addmm", "bmm", "baddbmm", "matmul", "linear"}:
            self.seen |= {arg.dtype for arg in args if isinstance(arg, torch.Tensor)}
        return func(*args, **(kwargs or {}))


def operands_of(work):
    with Operands() as operands, computed_in("bfloat16"):
        work()
    return operands.seen


def samples_of(model, count):
    noise = model.manifest.noise_at(220)
    image = torch.randint(0, 256, model.input_shape, dtype=torch.uint8, generator=generator(3))
    return noise.samples(image, 0, count), noise.lam


MANIFESTS = [read_manifest(PRETRAINED / name) for name in list_models()]
ONE_OF_EACH = {manifest.architecture: manifest.name for manifest in MANIFESTS if manifest.precision == "bfloat16"}


@pytest.fixture(scope="module", params=ONE_OF_EACH.values(), ids=list(ONE_OF_EACH))
def model(request):
    return load_model(request.param)


def test_no_product_of_a_shipped_network_is_left_to_missing_kernels(model, lacking):
    x, lam = samples_of(model, 1)
    assert operands_of(lambda: model(x, lam)) == {torch.float32}


def test_a_shipped_network_answers_alike_with_and_without_the_kernels(model, monkeypatch):
    """Those of this processor, or PyTorch's slow ones, against rounding by hand; float32 is farther away."""
    x, lam = samples_of(model, 4)
    answers = []
    for has_it in (True, False):
        monkeypatch.setattr("dssn_core.precision.HAS_BFLOAT16", has_it)
        with torch.inference_mode():
            answers.append(model(x, lam))
    with torch.inference_mode():
        other = model.answer(x, lam, "float32")
    native, rounded = answers
    assert (native - rounded).abs().mean() < 0.5 * (native - other).abs().mean()


def test_the_mode_ends_with_its_block(lacking):
    with RoundedProducts():
        pass
    with pytest.raises(KeyError), computed_in("bfloat16"):
        raise KeyError
    assert F.linear(drawn(2, 3), drawn(4, 3)).dtype == torch.float32
