"""Functions of each element."""

import math

import numpy as np
import torch
from case import Group, Op, draw, linear

SHAPES = [(), (67,), (2, 0, 3), (2, 3, 1, 2, 2)]
PAIRS = [
    ((), ()),
    ((67,), (67,)),
    ((3, 5), (5,)),
    ((2, 1, 7), (3, 1)),
    ((), (2, 3)),
    ((2, 0, 3), (3,)),
    ((2, 3, 1, 2, 1), (3, 2, 1, 2)),
]


def each(f):
    """f of numbers as a function of arrays."""
    return np.vectorize(f, otypes=[np.float64])


def unary(name, torch_op, numpy_op, lo=-2.0, hi=2.0, **kw):
    return Op(name, torch_op, numpy_op, unary=True, **kw), (lo, hi)


def pdf(x):
    return torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def cdf(x):
    return 0.5 * torch.special.erfc(-x / math.sqrt(2))


def gelu(x):
    return 0.0 if x == -math.inf else 0.5 * x * math.erfc(-x / math.sqrt(2))


def gelu_grad(x):
    if math.isinf(x):
        return float(x > 0)
    return 0.5 * math.erfc(-x / math.sqrt(2)) + x * math.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def torch_gelu(x):
    """PyTorch's own gelu is x·(1 + erf)/2, which has no digits left in the tail."""
    return x * cdf(x)


def torch_gelu_grad(x):
    return cdf(x) + x * pdf(x)


# The derivative of x·Φ(x) sums Φ and xφ; its logarithmic derivative grows like x² in the tail, where rounding x moves the value that much.
GELU = (
    lambda x: x.abs() * cdf(x) + x * x * pdf(x),
    lambda x: (1 + x * x) * (cdf(x) + x.abs() * pdf(x)),
    lambda x: pdf(x) * (2 + x * x) * (1 + x * x),
)
GELU_GRAD = (
    lambda x: (1 + x * x) * (cdf(x) + x.abs() * pdf(x)),
    GELU[2],
    lambda x: pdf(x) * x.abs() * (4 + x * x) * (1 + x * x),
)

# σ·(1 + x·(1 − σ)) and σ·(1 − σ)·(2 + x·(1 − 2σ)).
SILU = (
    None,
    lambda x: torch.sigmoid(x) * (1 + x.abs() * (1 + torch.sigmoid(x))),
    lambda x: torch.sigmoid(x) * (1 + torch.sigmoid(x)) * (2 + x.abs() * (1 + 2 * torch.sigmoid(x))),
)


def steep(x):
    """What the relative error of 1 − x² is multiplied with where x² was rounded."""
    return (1 + x * x) / (1 - x * x)


# x·(1 − x²)^(−3/2), x from the derivative of (1 − x)·(1 + x), a difference of numbers near 1.
ARC = (None, lambda x: (1 - x * x) ** -0.5 * steep(x), lambda x: (1 + x.abs()) * (1 - x * x) ** -1.5 * steep(x))


# Terms as the rules have them: tanh' = 1 − y², σ' = y·(1 − y), and so on.
UNARY = [
    unary("Abs", torch.abs, np.abs, grade="exact"),
    unary("Sign", torch.sign, np.sign, grade="exact"),
    unary("Sqrt", torch.sqrt, np.sqrt, 0.01, 9, grade="exact"),
    unary("Rsqrt", torch.rsqrt, lambda x: 1 / np.sqrt(x), 0.01, 9),
    unary("Exp", torch.exp, np.exp, -9, 9),
    unary("Expm1", torch.expm1, np.expm1, -3, 3, terms=(None, lambda x: torch.exp(x) + 2, lambda x: torch.exp(x) + 2)),
    unary("Log", torch.log, np.log, 0.01, 9),
    unary("Log1p", torch.log1p, np.log1p, -0.9, 5),
    unary("Sin", torch.sin, np.sin, -9, 9),
    unary("Cos", torch.cos, np.cos, -9, 9),
    unary(
        "Tanh",
        torch.tanh,
        np.tanh,
        -4,
        4,
        terms=(None, lambda x: 1 + torch.tanh(x) ** 2, lambda x: 2 * torch.tanh(x).abs() * (1 + torch.tanh(x) ** 2)),
    ),
    unary(
        "Erf",
        torch.erf,
        each(math.erf),
        -3,
        3,
        terms=(None, lambda x: 2 * (1 + x * x) * torch.exp(-x * x), lambda x: 4 * x * (1 + x * x) * torch.exp(-x * x)),
    ),
    unary("GELU", torch_gelu, each(gelu), -5, 5, grade="terms", terms=GELU),
    unary("GELUGrad", torch_gelu_grad, each(gelu_grad), -5, 5, grade="terms", terms=GELU_GRAD),
    unary(
        "Sigmoid",
        torch.sigmoid,
        lambda x: 1 / (1 + np.exp(-x)),
        -6,
        6,
        terms=(
            None,
            lambda x: torch.sigmoid(x) * (1 + torch.sigmoid(x)),
            lambda x: torch.sigmoid(x) * (1 + torch.sigmoid(x)) * (1 + 2 * torch.sigmoid(x)),
        ),
    ),
    unary(
        "Softplus",
        lambda x: torch.logaddexp(x, torch.zeros_like(x)),
        lambda x: np.logaddexp(x, 0),
        -6,
        6,
        terms=(None, None, lambda x: torch.sigmoid(x) * (1 + torch.sigmoid(x))),
    ),
    unary("Tan", torch.tan, np.tan, -1.4, 1.4),
    unary("Asin", torch.asin, np.arcsin, -0.95, 0.95, terms=ARC),
    unary("Acos", torch.acos, np.arccos, -0.95, 0.95, terms=ARC),
    unary("Atan", torch.atan, np.arctan, -9, 9),
    unary("Sinh", torch.sinh, np.sinh, -6, 6),
    unary("Cosh", torch.cosh, np.cosh, -6, 6),
    unary("Asinh", torch.asinh, np.arcsinh, -9, 9),
    unary("Acosh", torch.acosh, np.arccosh, 1.05, 9),
    unary(
        "Atanh",
        torch.atanh,
        np.arctanh,
        -0.95,
        0.95,
        terms=(None, lambda x: steep(x) / (1 - x * x), lambda x: 2 * x * steep(x) / (1 - x * x) ** 2),
    ),
    unary("Exp2", torch.exp2, np.exp2, -9, 9),
    unary("Log2", torch.log2, np.log2, 0.01, 9),
    unary("Log10", torch.log10, np.log10, 0.01, 9),
    unary("Square", torch.square, np.square, -9, 9, grade="exact"),
    unary("Reciprocal", torch.reciprocal, np.reciprocal, 0.1, 9, grade="exact"),
    unary("ReLU", torch.relu, lambda x: np.maximum(x, 0), -3, 3, grade="exact"),
    unary("SiLU", torch.nn.functional.silu, lambda x: np.where(x == -np.inf, 0, x / (1 + np.exp(-x))), -6, 6, terms=SILU),
    unary(
        "LogSigmoid",
        torch.nn.functional.logsigmoid,
        lambda x: -np.logaddexp(0, -x),
        -6,
        6,
        terms=(None, None, lambda x: torch.sigmoid(-x) * (1 + torch.sigmoid(-x))),
    ),
    unary("Floor", torch.floor, np.floor, -9, 9, grade="exact"),
    unary("Ceil", torch.ceil, np.ceil, -9, 9, grade="exact"),
    unary("Trunc", torch.trunc, np.trunc, -9, 9, grade="exact"),
    unary("Round", torch.round, np.round, -9, 9, grade="exact"),
]

# A number beside a tensor. The numbers are exact in float32.
NEG = linear("Neg", torch.neg, np.negative, majorant=lambda x: x)
ADD_SCALAR = linear("AddScalar", lambda x, c: x + c, lambda x, c: x + c, majorant=lambda x, c: x + abs(c))
SUB_FROM = linear("SubFrom", lambda x, c: c - x, lambda x, c: c - x, majorant=lambda x, c: x + abs(c))
MUL_SCALAR = linear("MulScalar", lambda x, c: x * c, lambda x, c: x * c, majorant=lambda x, c: x * abs(c))
DIV_SCALAR = linear("DivScalar", lambda x, c: x / c, lambda x, c: x / c, majorant=lambda x, c: x / abs(c))
SCALAR = [
    (NEG, {}, -2, 2),
    (ADD_SCALAR, {"c": 0.6875}, -2, 2),
    (SUB_FROM, {"c": -1.3125}, -2, 2),
    (MUL_SCALAR, {"c": -1.375}, -2, 2),
    (DIV_SCALAR, {"c": -2.3125}, -2, 2),
    (Op("DivFrom", lambda x, c: c / x, lambda x, c: c / x, grade="exact", unary=True), {"c": 2.625}, 0.1, 3),
    (
        Op(
            "Clamp",
            lambda x, lo, hi: torch.clamp(x, lo, hi),
            lambda x, lo, hi: np.clip(x, lo, hi),
            grade="exact",
            unary=True,
        ),
        {"lo": -0.625, "hi": 1.125},
        -2,
        2,
    ),
]
SCALAR += [
    (
        Op(
            "LeakyReLU",
            lambda x, c: torch.where(x > 0, x, c * x),
            lambda x, c: np.where(x > 0, x, c * x),
            grade="exact",
            unary=True,
        ),
        {"c": 0.1875},
        -2,
        2,
    ),
    (
        Op(
            "ELU",
            lambda x, c: torch.where(x > 0, x, c * torch.expm1(x)),
            lambda x, c: np.where(x > 0, x, c * np.expm1(x)),
            unary=True,
        ),
        {"c": 1.25},
        -2,
        2,
    ),
    (
        Op("MaximumScalar", lambda x, c: torch.clamp(x, min=c), lambda x, c: np.maximum(x, c), grade="exact", unary=True),
        {"c": 0.375},
        -2,
        2,
    ),
    (
        Op("MinimumScalar", lambda x, c: torch.clamp(x, max=c), lambda x, c: np.minimum(x, c), grade="exact", unary=True),
        {"c": 0.375},
        -2,
        2,
    ),
    (
        Op("ModScalar", lambda x, c: torch.remainder(x, c), lambda x, c: np.mod(x, c), grade="exact", unary=True),
        {"c": -1.375},
        -9,
        9,
    ),
]
POWER = Op("PowScalar", lambda x, c: x**c, lambda x, c: x**c, unary=True)


def hypot_curvature(x, y):
    """1/r − x²/r³, −xy/r³ and 1/r − y²/r³."""
    r = torch.hypot(x, y)
    return [[1 / r + x**2 / r**3, x * y / r**3], [x * y / r**3, 1 / r + y**2 / r**3]]


def compare(name, torch_op, numpy_op):
    return Op(name, torch_op, numpy_op, grade="exact", differentiable=False)


BINARY = [
    (linear("Add", torch.add, np.add), -2, 2),
    (linear("Sub", torch.sub, np.subtract, majorant=torch.add), -2, 2),
    (Op("Mul", torch.mul, np.multiply, grade="exact", majorant=torch.mul), -2, 2),
    (Op("Div", torch.div, np.divide, grade="exact", elementwise=True), 0.1, 3),
    (Op("Pow", torch.pow, np.power, elementwise=True), 0.1, 3),
    (Op("Atan2", torch.atan2, np.arctan2, elementwise=True), -3, 3),
    (Op("Hypot", torch.hypot, np.hypot, elementwise=True, curvature=lambda x, y: hypot_curvature(x, y)), -3, 3),
    (Op("FloorDiv", lambda x, y: torch.floor(x / y), np.floor_divide, grade="exact", elementwise=True), 0.3, 9),
    (linear("Maximum", torch.maximum, np.maximum, majorant=None, elementwise=True), -2, 2),
    (linear("Minimum", torch.minimum, np.minimum, majorant=None, elementwise=True), -2, 2),
]
MOD = Op("Mod", torch.remainder, np.mod, grade="exact", elementwise=True)
COMPARE = [
    compare("Equal", torch.eq, np.equal),
    compare("NotEqual", torch.ne, np.not_equal),
    compare("Less", torch.lt, np.less),
    compare("LessEqual", torch.le, np.less_equal),
    compare("Greater", torch.gt, np.greater),
    compare("GreaterEqual", torch.ge, np.greater_equal),
]
COMPARE_SCALAR = [
    compare("EqualScalar", lambda x, c: x == c, lambda x, c: x == c),
    compare("NotEqualScalar", lambda x, c: x != c, lambda x, c: x != c),
    compare("LessScalar", lambda x, c: x < c, lambda x, c: x < c),
    compare("LessEqualScalar", lambda x, c: x <= c, lambda x, c: x <= c),
    compare("GreaterScalar", lambda x, c: x > c, lambda x, c: x > c),
    compare("GreaterEqualScalar", lambda x, c: x >= c, lambda x, c: x >= c),
]
CLASSES = [
    compare("IsNaN", torch.isnan, np.isnan),
    compare("IsInf", torch.isinf, np.isinf),
    compare("IsFinite", torch.isfinite, np.isfinite),
]
LOGIC = [
    compare("And", torch.bitwise_and, np.bitwise_and),
    compare("Or", torch.bitwise_or, np.bitwise_or),
    compare("Xor", torch.bitwise_xor, np.bitwise_xor),
]
NOT = compare("Not", torch.logical_not, np.logical_not)
WHERE = Op("Where", torch.where, np.where, grade="exact", majorant=torch.where, linear=True)
WIDEN = linear("Cast", lambda x, dtype: x.double(), lambda x, dtype: x.astype(dtype))
CAST = Op("Cast", None, lambda x, dtype: x.astype(dtype), grade="exact", differentiable=False)
GELU_BOTH = Op(
    "GELUWithGrad",
    lambda x: (torch_gelu(x), torch_gelu_grad(x)),
    lambda x: (each(gelu)(x), each(gelu_grad)(x)),
    grade="terms",
    differentiable=False,
    majorant=lambda x: (GELU[0](x), GELU_GRAD[0](x)),
)


def functions(g):
    for op, (lo, hi) in UNARY:
        for shape in SHAPES:
            g.add(op, draw(op.name, shape, lo, hi))
        g.add(op, draw(op.name, (1, 7), lo, hi), broadcast=[(3, 7)])
    for op, args, lo, hi in SCALAR:
        for shape in SHAPES:
            g.add(op, draw(op.name, shape, lo, hi), **args)
        g.add(op, draw(op.name, (1, 7), lo, hi), broadcast=[(3, 7)], **args)
    for c, lo in ((3.0, -2.0), (2.5, 0.1), (-1.0, 0.1), (0.5, 0.1), (1.0, -2.0), (2.0, -2.0), (0.0, 0.1), (-1.75, 0.1)):
        for shape in ((), (2, 3, 1, 2, 2)):
            g.add(POWER, draw(f"PowScalar{c}", shape, lo, 3), c=c)
    for shape in SHAPES:
        g.add(GELU_BOTH, np.abs(draw("GELUWithGrad", shape, 0, 5)))


def pairs(g):
    for op, lo, hi in BINARY:
        for a, b in PAIRS:
            g.add(op, draw(op.name + "x", a, lo, hi), draw(op.name + "y", b, lo, hi))
        g.add(op, draw(op.name + "x", (3, 1, 5), lo, hi), draw(op.name + "y", (5,), lo, hi), broadcast=[(3, 2, 5), (2, 5)])
    for op in [MOD, *COMPARE]:
        for a, b in PAIRS:
            x, y = draw(op.name + "x", a, -9, 9), draw(op.name + "y", b, 0.5, 3)
            g.add(op, np.round(x) if op is not MOD else x, np.round(y) if op is not MOD else y)
    for op in COMPARE_SCALAR:
        for shape in SHAPES:
            g.add(op, np.round(draw(op.name, shape)), c=1.0)
    for op in CLASSES:
        g.add(op, draw(op.name, (3, 5)))
        g.plain(op, np.arange(3), label="int64")
    for a, b in PAIRS:
        bits = draw("Wherec", np.broadcast_shapes(a, b)) > 0
        g.add(WHERE, bits, draw("Wherex", a), draw("Wherey", b))
    g.add(WHERE, draw("Wherec", (3, 1)) > 0, draw("Wherex", (5,)), draw("Wherey", ()), label="condition of fewer axes")


def gauss(x, mean, sigma, exp):
    return exp(-0.5 * ((x - mean) / sigma) ** 2)


GAUSS = Op(
    "Apply",
    lambda *xs, function: gauss(*xs, torch.exp),
    lambda *xs, function: gauss(*xs, np.exp),
    grade="terms",
    elementwise=True,
    terms=(lambda x, mean, sigma, function: gauss(x, mean, sigma, torch.exp) * (1 + ((x - mean) / sigma) ** 2), None, None),
    margin=lambda x, mean, sigma, function: 2 + 2 * ((x - mean) / sigma) ** 2,
)
PIECES = Op(
    "ApplyAll",
    lambda x, y, function: (x * torch.sigmoid(y), torch.where(x < y, x * x, torch.tanh(y))),
    lambda x, y, function: (x / (1 + np.exp(-y)), np.where(x < y, x * x, np.tanh(y))),
    grade="terms",
    elementwise=True,
    margin=lambda x, y, function: 1 + 4 * torch.exp(2 * y.abs()),
)  # 1 − σ and 1 − tanh²


def conventions(g):
    """Derivatives where there are none, and both libraries take the same."""
    zero = np.array([-0.0, 0.0])
    for op, _ in UNARY:
        if op.name in ("Abs", "ReLU", "Sign"):
            g.add(op, zero, label="convention")
    for op, args, _, _ in SCALAR:
        if op.name in ("LeakyReLU", "ELU"):
            g.add(op, zero, label="convention", **args)
    for op, _, _ in BINARY:
        if op.name in ("Maximum", "Minimum"):
            g.add(op, np.array([1.5, -2.0, 3.0]), np.array([1.5, -2.0, 1.0]), label="ties")
    g.add(POWER, np.array([0.0, 2.0]), label="convention", c=2.0)
    g.add(POWER, np.array([0.0, 2.0]), label="convention", c=1.0)


def fused(g):
    """Functions that a caller composes, which run as one program. Package expr has what the names stand for."""
    for a, b, c in (((), (), ()), ((67,), (), (67,)), ((2, 3, 5), (5,), (3, 1)), ((2, 0, 3), (3,), (1,))):
        g.add(GAUSS, draw("gauss x", a), draw("gauss mean", b), draw("gauss sigma", c, 0.5, 2), function="gauss")
        g.add(PIECES, draw("pieces x", a), draw("pieces y", c), function="pieces")


def integers(g):
    """Arithmetic of integers and bools, which wraps, and of mixed dtypes."""
    for dtype in ("uint8", "int32", "int64"):
        top = 255 if dtype == "uint8" else 120
        x = np.round(draw("integers x", (3, 5), 0 if dtype == "uint8" else -top, top)).astype(dtype)
        y = np.round(draw("integers y", (5,), 1, 9)).astype(dtype)
        for op, _, _ in BINARY:
            if op.name not in ("Pow", "Atan2", "Hypot"):  # of small integers NumPy takes the last two in float16
                g.plain(op, x, y, label=dtype)
        for op in [MOD, *COMPARE, *LOGIC]:
            g.plain(op, x, y, label=dtype)
        for op in COMPARE_SCALAR:
            g.plain(op, x, label=dtype, c=7.0)
    p, q = draw("bools p", (3, 5)) > 0, draw("bools q", (5,)) > 0
    for op in LOGIC:
        g.plain(op, p, q, label="bool")
    g.plain(NOT, p, label="bool")
    f64, i64 = draw("mixed", (3, 5)), np.arange(5)
    for x, y in (
        (f64, i64),
        (f64.astype("float32"), i64),
        (f64.astype("float32"), i64.astype("uint8")),
        (f64.astype("float32"), f64[0]),
        (i64.astype("int32"), i64),
        (i64.astype("uint8"), i64.astype("int32")),
        (q, i64),
        (q, f64),
    ):
        for op, _, _ in BINARY:
            if op.name in ("Add", "Mul", "Maximum"):
                g.plain(op, x, y, label=f"{x.dtype} {y.dtype}")


def casts(g):
    for shape in SHAPES:
        g.add(WIDEN, draw("widen", shape), dtype="float64")
    whole = np.array([[-3.75, -1.0, -0.0], [0.25, 2.5, 100.0]])
    for source in ("float64", "float32", "int64", "int32", "bool"):
        for target in ("float64", "float32", "int64", "int32", "bool"):
            g.plain(CAST, whole.astype(source), label=source, dtype=target)
    g.plain(CAST, np.array([0, 1, 200, 255], dtype="uint8"), label="uint8", dtype="int32")
    g.plain(CAST, np.array([-1, 256, 511, 70000], dtype="int64"), label="wraps", dtype="uint8")
    g.plain(CAST, draw("cast", (3, 5), -1e9, 1e9), label="rounds", dtype="float32")


def extremes(dtype):
    """Values of a float type where functions go wrong."""
    f = np.finfo(dtype)
    tiny = [f.smallest_subnormal, f.tiny / 3, f.tiny, 1e-20, f.eps]
    some = [0.5, 1, 1.5, 2, 2.5, 8, 88, 300, 1e5, f.max / 3, f.max, np.inf]
    positive = np.array([0.0, *tiny, *some], dtype=dtype)
    return np.concatenate([positive, -positive, [np.array(np.nan, dtype)]])


def specials(g):
    both = {d: extremes(d) for d in ("float64", "float32")}
    exact = {"Abs", "Sqrt", "Neg", "Floor", "Ceil", "Trunc", "Round", "Sign"}
    huge = {"Sin", "Cos", "Tan"}  # beyond 10⁵ libraries differ in how they reduce the argument
    for op in [op for op, _ in UNARY] + [NEG]:
        if op.name in huge:
            continue
        g.special(op, both, signed_zero=op.name in exact)
    for op, _, _ in BINARY + [(MOD, 0, 0), *((c, 0, 0) for c in COMPARE)]:
        if op.name in ("Mod", "FloorDiv"):
            continue  # the remainder by a far smaller number is fmod's business, tested where the instruction is
        few = {
            d: np.array([0.0, np.finfo(d).smallest_subnormal, np.finfo(d).tiny, 1.5, 3, 1e10, np.finfo(d).max, np.inf])
            for d in both
        }
        few = {d: np.concatenate([v, -v, [np.nan]]).astype(d) for d, v in few.items()}
        g.special(op, {d: v[:, None] for d, v in few.items()}, few, signed_zero=op.name in ("Add", "Sub", "Mul", "Div"))
    for op in COMPARE_SCALAR:
        g.special(op, both, c=1.0)
    for op in CLASSES:
        g.special(op, both)


def groups():
    for name, build in (
        ("elementwise", functions),
        ("binary", lambda g: (pairs(g), conventions(g))),
        ("integer", integers),
        ("cast", casts),
        ("fused", fused),
        ("special", specials),
    ):
        g = Group(name)
        build(g)
        yield g
