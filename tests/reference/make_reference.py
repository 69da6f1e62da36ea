#!/usr/bin/python3
"""Writes ops.safetensors: values and gradients of every operation, computed by PyTorch in double.

Run: /usr/bin/python3 tests/reference/make_reference.py        (Debian: python3-torch; made with 1.13)

A case `name` stores its inputs (`name/x`, `name/w`, ...), its value `name/y`, the gradient `name/gx` of each
floating input x, and `name/second`. With weights c(i) = ((7 i mod 13) - 5.5) / 8 over the elements of a tensor,

    gx     = d sum(c y) / d x
    second = for each input with a gradient, in the order of storage: sum(c h), h = d (sum of all |g|^2) / d x

Layouts are synthdata's: images [N, ..., C], filters [out, kernel..., in / groups], filters of transposed convolutions
[in, kernel..., out / groups]. Inputs are exact in single precision, distinct, and off the kinks.

SPDX-License-Identifier: MIT
"""
import json
import os
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F

generator = np.random.Generator(np.random.PCG64(20240607))
stored = {}


def real(*shape, low=-2.0, high=2.0):
    """Random numbers of 20 bits, none of them a multiple of 2^-18."""
    unit = (np.floor(generator.random(shape) * 2**18) + 0.5) / 2**18
    return torch.tensor(low + (high - low) * unit, dtype=torch.float64)


def positive(*shape):
    return real(*shape, low=0.25, high=2.25)


def indices(high, *shape):
    return torch.tensor(generator.integers(0, high, shape), dtype=torch.int64)


def weights_of(t):
    i = torch.arange(t.numel(), dtype=torch.float64)
    return (((7 * i) % 13 - 5.5) / 8).reshape(t.shape)


def case(name, function, **inputs):
    """Stores inputs, value, gradients and second-order numbers of y = function(*inputs)."""
    assert name + "/y" not in stored, name
    leaves = {k: v.clone().requires_grad_(v.is_floating_point()) for k, v in inputs.items()}
    wanted = {k: v for k, v in leaves.items() if v.requires_grad}
    y = function(*leaves.values())
    for k, v in inputs.items():
        stored[f"{name}/{k}"] = v
    stored[f"{name}/y"] = y.detach()
    if not y.requires_grad:
        return
    g = torch.autograd.grad((y * weights_of(y)).sum(), list(wanted.values()), create_graph=True, allow_unused=True)
    g = [torch.zeros_like(x) if d is None else d for d, x in zip(g, wanted.values())]
    total = sum((d * d).sum() for d in g)
    h = [None] * len(g)
    if total.requires_grad:
        h = torch.autograd.grad(total, list(wanted.values()), allow_unused=True)
    for k, d in zip(wanted, g):
        stored[f"{name}/g{k}"] = d.detach()
    second = [0.0 if d is None else float((d * weights_of(d)).sum()) for d in h]
    stored[f"{name}/second"] = torch.tensor(second, dtype=torch.float64)


def channels_first(x):
    return x.movedim(-1, 1)


def channels_last(x):
    return x.movedim(1, -1)


# ---- pointwise ----
for name, function in {
    "neg": lambda x: -x,
    "affine": lambda x: 1.5 - 0.75 * x,
    "exp": torch.exp,
    "expm1": torch.expm1,
    "square": torch.square,
    "abs": torch.abs,
    "sign": lambda x: torch.sign(x),
    "sin": torch.sin,
    "cos": torch.cos,
    "erf": torch.erf,
    "round": torch.round,
    "clamp": lambda x: torch.clamp(x, -1, 0.5),
    "pow_3": lambda x: torch.pow(x, 3),
    "relu": F.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "elu": lambda x: F.elu(x, 0.7),
    "selu": F.selu,
    "gelu": F.gelu,
    "silu": F.silu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": F.softplus,
    "straight_through": lambda x: x * x + (torch.round(x) - x * x).detach(),
}.items():
    case(name, function, x=real(3, 5))
for name, function in {
    "log": torch.log,
    "log1p": torch.log1p,
    "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt,
    "reciprocal": torch.reciprocal,
    "pow_2.5": lambda x: torch.pow(x, 2.5),
}.items():
    case(name, function, x=positive(3, 5))
# far out, where a naive formula overflows or loses its digits
far = torch.tensor([-60.0, -20.0, -9.0, -5.0, 5.0, 9.0, 20.0, 60.0], dtype=torch.float64)
for name, function in {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "silu": F.silu, "gelu": F.gelu}.items():
    case(name + "_far", function, x=far)
case("softplus_far", lambda x: torch.logaddexp(x, torch.zeros_like(x)), x=far)  # F.softplus turns linear at 20

# ---- two operands, broadcast ----
for name, function in {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "where": lambda a, b: torch.where(a > b, a * a, b * b * b),
}.items():
    case(name, function, a=real(2, 3, 1), b=real(3, 4))
case("div", torch.div, a=real(2, 3, 1), b=positive(3, 4))
case("pow", torch.pow, a=positive(2, 3, 1), b=real(3, 4))
for name in ["gt", "ge", "lt", "le", "eq", "ne"]:
    with torch.no_grad():
        a, b = real(3, 4), real(3, 4)
        b[1] = a[1]
        # a comparison has no gradient: stored without
        stored.update({f"{name}/a": a, f"{name}/b": b, f"{name}/y": getattr(torch, name)(a, b).double()})

# ---- reductions ----
for name, dims in {"all": (0, 1, 2), "first": (0,), "middle": (1,), "outer": (0, 2)}.items():
    case(f"sum_{name}", lambda x: x.square().sum(dims), x=real(2, 3, 4))
    case(f"mean_{name}", lambda x: x.square().mean(dims), x=real(2, 3, 4))
    case(f"var_{name}", lambda x: x.var(dims, unbiased=False), x=real(2, 3, 4))
    case(f"max_{name}", lambda x: x.square().amax(dims), x=real(2, 3, 4))
    case(f"min_{name}", lambda x: x.square().amin(dims), x=real(2, 3, 4))
    case(f"logsumexp_{name}", lambda x: x.logsumexp(dims), x=real(2, 3, 4))
    case(f"norm_{name}", lambda x: (x.square().sum(dims) + 0.25).sqrt(), x=real(2, 3, 4))
with torch.no_grad():
    x = real(3, 4, 2)
    stored.update({"argmax/x": x, "argmax/y": x.argmax(1)})
case("cumsum", lambda x: x.square().cumsum(1), x=real(2, 4, 3))
case("cumsum_reverse", lambda x: x.square().flip(0).cumsum(0).flip(0), x=real(4, 3))
for axis in (0, 1, 2):
    case(f"softmax_{axis}", lambda x: F.softmax(x, axis), x=real(2, 3, 4))
    case(f"log_softmax_{axis}", lambda x: F.log_softmax(x, axis), x=real(2, 3, 4))
case("softmax_large", lambda x: F.softmax(x * 400, 1), x=real(2, 4))

# ---- products ----
def product(ta, tb):
    return lambda a, b: torch.matmul(a.mT if ta else a, b.mT if tb else b)


for ta in (0, 1):
    for tb in (0, 1):
        a, b = ((4, 3) if ta else (3, 4)), ((2, 4) if tb else (4, 2))
        case(f"matmul_{'nt'[ta]}{'nt'[tb]}", product(ta, tb), a=real(*a), b=real(*b))
        case(f"matmul_batch_{'nt'[ta]}{'nt'[tb]}", product(ta, tb), a=real(2, 1, *a), b=real(3, *b))
case("matmul_shared_left", torch.matmul, a=real(3, 4), b=real(2, 4, 2))
case("matmul_shared_right", torch.matmul, a=real(2, 3, 4), b=real(4, 2))
case("linear", F.linear, x=real(2, 3, 4), w=real(5, 4), b=real(5))
case("linear_no_bias", F.linear, x=real(3, 4), w=real(5, 4))
for name, act in {
    "relu": F.relu,
    "leaky_relu": lambda v: F.leaky_relu(v, 0.2),
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}.items():
    case(f"linear_{name}", lambda x, w, b: act(F.linear(x, w, b)), x=real(3, 4), w=real(5, 4), b=real(5))
    case(
        f"conv2d_{name}",
        lambda x, w, b: act(channels_last(F.conv2d(channels_first(x), channels_first(w), b))),
        x=real(1, 4, 4, 2),
        w=real(3, 3, 3, 2),
        b=real(3),
    )

# ---- convolutions ----
plain = [F.conv1d, F.conv2d, F.conv3d]
transposed = [F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d]


def convolution(name, x, w, bias=True, **options):
    functions = transposed if "transpose" in name else plain

    def run(x, w, b=None):
        y = functions[x.dim() - 3](channels_first(x), channels_first(w), b, **options)
        return channels_last(y)

    inputs = {"x": real(*x), "w": real(*w)}
    if bias:
        inputs["b"] = real(w[-1] * options.get("groups", 1) if "transpose" in name else w[0])
    case(name, run, **inputs)


convolution("conv1d", (2, 6, 2), (3, 3, 2))
convolution("conv1d_stride_padding", (1, 9, 2), (3, 4, 2), stride=2, padding=1)
convolution("conv1d_dilation_groups", (1, 8, 4), (6, 3, 2), dilation=2, groups=2)
convolution("conv2d", (2, 4, 5, 2), (3, 3, 3, 2))
convolution("conv2d_no_bias", (1, 4, 4, 2), (3, 2, 2, 2), bias=False)
convolution("conv2d_padding", (1, 4, 4, 2), (3, 3, 3, 2), padding=1)
convolution("conv2d_stride2", (1, 6, 5, 2), (2, 4, 4, 2), stride=2, padding=1)
convolution("conv2d_5x5_stride2", (1, 7, 7, 1), (3, 5, 5, 1), stride=2, padding=2)
convolution("conv2d_dilation", (1, 6, 6, 2), (2, 3, 3, 2), padding=2, dilation=2)
convolution("conv2d_groups", (1, 4, 4, 4), (6, 3, 3, 2), padding=1, groups=2)
convolution("conv2d_depthwise", (1, 5, 5, 3), (6, 3, 3, 1), stride=2, padding=1, groups=3)
convolution("conv2d_1x1", (2, 3, 3, 3), (4, 1, 1, 3))
convolution("conv2d_unequal", (1, 6, 7, 2), (2, 2, 3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2))
convolution("conv3d", (1, 3, 4, 3, 2), (2, 2, 3, 2, 2))
convolution("conv3d_stride_padding_groups", (1, 3, 4, 5, 2), (4, 2, 3, 3, 1), stride=(1, 2, 2), padding=1, groups=2)
convolution("conv_transpose1d", (2, 4, 2), (2, 3, 3))
convolution("conv_transpose1d_stride", (1, 4, 2), (2, 3, 3), stride=2, padding=1, output_padding=1)
convolution("conv_transpose2d", (2, 3, 3, 2), (2, 3, 3, 3))
convolution("conv_transpose2d_no_bias", (1, 3, 3, 2), (2, 2, 2, 3), bias=False)
convolution("conv_transpose2d_stride2", (1, 3, 3, 2), (2, 4, 4, 3), stride=2, padding=1)
convolution("conv_transpose2d_5x5_same", (1, 3, 3, 2), (2, 5, 5, 2), stride=2, padding=2, output_padding=1)
convolution("conv_transpose2d_dilation", (1, 3, 3, 2), (2, 3, 3, 2), padding=1, dilation=2)
convolution("conv_transpose2d_groups", (1, 3, 3, 4), (4, 3, 3, 3), stride=2, groups=2)
unequal = {"stride": (3, 1), "padding": (1, 0), "output_padding": (2, 0)}
convolution("conv_transpose2d_unequal", (1, 3, 4, 2), (2, 3, 2, 2), **unequal)
convolution("conv_transpose3d", (1, 2, 2, 3, 2), (2, 2, 3, 2, 2))
unequal = {"stride": 2, "padding": (1, 1, 0), "output_padding": (1, 0, 0)}
convolution("conv_transpose3d_stride", (1, 2, 2, 2, 2), (2, 3, 3, 2, 1), **unequal)


# ---- pooling, resizing ----
def spatial(function):
    return lambda x: channels_last(function(channels_first(x)))


case("max_pool1d", spatial(lambda x: F.max_pool1d(x, 3, 2, 1)), x=real(2, 7, 2))
case("max_pool2d", spatial(lambda x: F.max_pool2d(x.square(), 2)), x=real(1, 4, 6, 2))
case("max_pool2d_overlapping", spatial(lambda x: F.max_pool2d(x, 3, 2, 1)), x=real(1, 5, 6, 2))
case("max_pool3d", spatial(lambda x: F.max_pool3d(x, (1, 2, 2))), x=real(1, 3, 4, 4, 1))
case("avg_pool1d", spatial(lambda x: F.avg_pool1d(x.square(), 3, 2, 1)), x=real(2, 7, 2))
case("avg_pool2d", spatial(lambda x: F.avg_pool2d(x.square(), 2)), x=real(1, 4, 6, 2))
case("avg_pool2d_border", spatial(lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)), x=real(1, 5, 6, 2))
case("avg_pool3d", spatial(lambda x: F.avg_pool3d(x, (1, 2, 2))), x=real(1, 3, 4, 4, 1))
case("global_avg_pool", lambda x: x.square().mean((1, 2)), x=real(2, 3, 4, 2))
case("global_max_pool", lambda x: x.square().amax((1, 2)), x=real(2, 3, 4, 2))
for name, size in {"up": (6, 8), "down": (2, 2), "uneven": (5, 3)}.items():
    nearest = "nearest" if name == "up" else "nearest-exact"
    case(f"resize_nearest_{name}", spatial(lambda x: F.interpolate(x.square(), size, mode=nearest)), x=real(1, 3, 4, 2))
    case(
        f"resize_bilinear_{name}",
        spatial(lambda x: F.interpolate(x.square(), size, mode="bilinear", align_corners=False)),
        x=real(1, 3, 4, 2),
    )
case("upsample_nearest", spatial(lambda x: F.interpolate(x.square(), scale_factor=3)), x=real(1, 2, 2, 2))
case("pixel_shuffle", spatial(lambda x: F.pixel_shuffle(x.square(), 2)), x=real(1, 2, 3, 8))
case("pixel_unshuffle", spatial(lambda x: F.pixel_unshuffle(x.square(), 2)), x=real(1, 4, 6, 2))

# ---- moving elements ----
case("reshape", lambda x: x.square().reshape(4, 6), x=real(2, 3, 4))
case("permute", lambda x: x.square().permute(2, 0, 1), x=real(2, 3, 4))
case("slice", lambda x: x.square()[:, 1:6:2], x=real(2, 7, 2))
case("concat", lambda a, b: torch.cat([a * a, b], 1), a=real(2, 3), b=real(2, 2))
case("stack", lambda a, b: torch.stack([a * a, b], 1), a=real(2, 3), b=real(2, 3))
case("split", lambda x: (lambda p: p[0].square().sum() * p[1])(x.split([2, 3], 1)), x=real(2, 5))
case("pad", lambda x: F.pad(x.square(), (0, 0, 2, 1, 1, 0), value=0.5), x=real(2, 3, 2))
case("flip", lambda x: x.square().flip(1), x=real(2, 3, 2))
case("gather", lambda x, i: x.square().index_select(1, i), x=real(2, 4, 3), i=indices(4, 6))
case("scatter_add", lambda v, i: torch.zeros(2, 4, 3).double().index_add(1, i, v * v), v=real(2, 6, 3), i=indices(4, 6))
case("take_along_axis", lambda x, i: torch.take_along_dim(x * x, i, 1), x=real(3, 4), i=indices(4, 3, 2))
case(
    "scatter_along_axis",
    lambda v, i: torch.zeros(3, 4).double().scatter_add(1, i, v * v),
    v=real(3, 5),
    i=indices(4, 3, 5),
)
case("embedding", lambda w, i: F.embedding(i, w * w), w=real(5, 3), i=indices(5, 2, 4))
case("one_hot", lambda i: F.one_hot(i, 4).double(), i=indices(4, 2, 3))

# ---- normalisation ----
def norm(name, function, *shape):
    def run(x, gamma, beta):
        return channels_last(function(channels_first(x), gamma, beta))

    case(name, run, x=real(*shape), gamma=real(shape[-1]), beta=real(shape[-1]))


norm("batch_norm", lambda x, g, b: F.batch_norm(x, None, None, g, b, True), 3, 2, 2, 3)
norm("batch_norm_rows", lambda x, g, b: F.batch_norm(x, None, None, g, b, True), 6, 3)
norm("instance_norm", lambda x, g, b: F.instance_norm(x, None, None, g, b), 2, 3, 3, 2)
norm("group_norm", lambda x, g, b: F.group_norm(x, 2, g, b), 2, 2, 3, 4)
mean, variance = real(3), positive(3)
case(
    "batch_norm_inference",
    lambda x, g, b: F.batch_norm(x, mean, variance, g, b, False),
    x=real(4, 3),
    gamma=real(3),
    beta=real(3),
)
stored.update({"batch_norm_inference/mean": mean, "batch_norm_inference/variance": variance})
case("layer_norm", lambda x, g, b: F.layer_norm(x, (5,), g, b), x=real(2, 3, 5), gamma=real(5), beta=real(5))

# ---- losses ----
case("mse_loss", F.mse_loss, a=real(3, 4), b=real(3, 4))
case("l1_loss", F.l1_loss, a=real(3, 4), b=real(3, 4))
case("binary_cross_entropy", F.binary_cross_entropy_with_logits, a=real(3, 4), b=real(3, 4, low=0, high=1))
case("binary_cross_entropy_far", F.binary_cross_entropy_with_logits, a=60 * real(8), b=real(8, low=0, high=1))
case("cross_entropy", F.cross_entropy, a=real(4, 5), i=indices(5, 4))
case("cross_entropy_smoothed", lambda a, i: F.cross_entropy(a, i, label_smoothing=0.1), a=real(4, 5), i=indices(5, 4))

tensors = sorted(stored.items(), key=lambda entry: entry[0].split("/")[0])  # stable: cases stay in their inner order
header, data = {}, b""
for name, t in tensors:
    array = np.asarray(t.numpy(), order="C")
    dtype = {"float64": "F64", "int64": "I64"}[str(array.dtype)]
    raw = array.astype(array.dtype.newbyteorder("<")).tobytes()
    header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
    data += raw
text = json.dumps(header, separators=(",", ":")).encode()
text += b" " * (-len(text) % 8)
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ops.safetensors")
with open(path + ".part", "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + data)
os.replace(path + ".part", path)
cases = len({name.split("/")[0] for name in stored})
print(f"{path}: {cases} cases, {8 + len(text) + len(data)} bytes")
print(f"torch {torch.__version__}, numpy {np.__version__}, python {sys.version.split()[0]}")
