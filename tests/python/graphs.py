"""Random graphs: made from a seed, run by NumPy op by op and by rnp as a whole, and shrunk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import oracle
import rnp
from conftest import DTYPES
from oracle import (
    ALL_LAYOUTS,
    INTS,
    OPS,
    compare,
    differs,
    mixed,
    numpys,
    ordinary,
    ours,
    quiet,
)

Nd = np.ndarray[Any, Any]

NASTY: list[Any] = [0, 1, -1, 2, 3, 7, 127, -128, 255, 2**31, 2**63 - 1, 0.0, -0.0, 0.5, -1.5, 3.0]
NASTY += [float("nan"), float("inf"), float("-inf"), 1e30, 1e-30, 5e-324, 1e300, 1e-40, True]
LENGTHS = [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 255, 257, 1000, 4099]
LAYOUTS = [n for n in ALL_LAYOUTS if n not in ("empty", "0-d")]
# float64 may lead anywhere; the others are rarer, but each pair of dtypes comes.
WEIGHTS = np.array([1, 1, 2, 1.5, 1.5, 1.5, 1, 1, 1, 1, 4, 4])
EXACT_FOLDS = ["min", "max", "any", "all", "argmin", "argmax"]
FOLDS = [*EXACT_FOLDS, "sum", "sum", "mean", "prod", "var", "std"]
# Of equal zeros either may come out.
EITHER_ZERO = {*oracle.EITHER_ZERO, "min", "max", "clip"}


@dataclass
class Node:
    """One act: a name, what it works on (a node's number or a constant), and its arguments."""

    act: str
    operands: list[tuple[str, Any]] = field(default_factory=list)
    extra: Any = None
    layout: str = "contiguous"
    # What comes after starts from NumPy's own value, since rnp's may differ in the last bits.
    fresh: bool = False
    ulp: float = 0.0

    def below(self) -> list[int]:
        """Return the numbers of the nodes it works on."""
        return [v for kind, v in self.operands if kind == "node"]

    def apply(self, module: Any, args: Sequence[Any]) -> Any:
        """Run the act with NumPy's or rnp's functions."""
        if self.act == "index":
            return args[0][self.extra]
        if self.act in ("astype", "reshape", "transpose", "broadcast_to"):
            return getattr(module, self.act)(args[0], self.extra)
        if self.act in FOLDS:
            return getattr(module, self.act)(args[0], **self.extra)
        if self.act in OPS:
            return (numpys if module is np else ours)(self.act)(*args)
        return getattr(module, self.act)(*args)


class Graph:
    """Nodes and NumPy's values of them."""

    def __init__(self, seed: int, large: bool = False) -> None:
        self.seed = seed
        self.rng = np.random.default_rng(seed)
        self.nodes: list[Node] = []
        self.values: list[Nd] = []
        shape = self.shape(large)
        for _ in range(self.rng.integers(1, 5)):
            self.add_input(shape)
        steps = int(self.rng.integers(1, 41)) if not large else 8
        with quiet():
            for _ in range(3 * steps):
                if len(self.nodes) > steps + 4:
                    break
                self.grow()

    def pick(self, options: Sequence[Any]) -> Any:
        """Choose one."""
        return options[int(self.rng.integers(len(options)))]

    def shape(self, large: bool) -> tuple[int, ...]:
        """Choose the shape of the inputs."""
        if large:
            return (400_000,)
        n = self.pick(LENGTHS)
        small = self.pick([1, 2, 3, 5])
        return self.pick([(n,), (n,), (n,), (min(n, 500), 2), (2, min(n, 500)), (small, 4, 3), ()])

    def add_input(self, shape: tuple[int, ...]) -> None:
        """Add an array of the shape, or of one that broadcasts to it."""
        dtype = str(self.rng.choice(DTYPES, p=WEIGHTS / WEIGHTS.sum()))
        kind = self.rng.random()
        if kind < 0.15 and shape:
            shape = shape[1:]
        elif kind < 0.25:
            shape = tuple(1 if self.rng.random() < 0.5 else s for s in shape)
        seed = int(self.rng.integers(2**31))
        few = self.rng.random() < 0.3
        pool = mixed(dtype, seed=seed) if few else ordinary(dtype, (-100, 100), 997, seed)
        count = int(np.prod(shape, dtype=int))
        values = np.resize(self.rng.permutation(pool), count).reshape(shape).astype(dtype)
        layout = self.pick(LAYOUTS)
        if not shape or not count:
            layout = self.pick(["contiguous", "big-endian", "read-only"])
        made = ALL_LAYOUTS[layout](values)
        self.nodes.append(Node("input", layout=layout))
        self.values.append(made.astype(made.dtype.newbyteorder("=")))

    def grow(self) -> None:
        """Add an act, unless NumPy refuses it."""
        node = self.propose()
        if node is None:
            return
        args = [self.values[v] if kind == "node" else v for kind, v in node.operands]
        try:
            value = np.asarray(node.apply(np, args))
        except (TypeError, ValueError, OverflowError, IndexError):
            return
        if value.dtype.name not in DTYPES or value.size > 1_000_000:
            return
        if node.act == "power" and node.operands[1][0] == "node" and np.any(args[1] == 0.5):
            return  # NumPy takes a root or not, depending on strides
        if node.act in ("signbit", "copysign") and any(np.any(a != a) for a in args):
            return  # the sign of NaN follows from operand order, which no rule fixes
        self.judge(node, args, value)
        self.nodes.append(node)
        self.values.append(value)

    def judge(self, node: Node, args: list[Any], value: Nd) -> None:
        """Decide how closely rnp's value has to be NumPy's."""
        if value.dtype.kind != "f":
            return
        node.ulp = OPS[node.act][1] if node.act in OPS else 0.0
        inexact = node.act in FOLDS and node.act not in EXACT_FOLDS
        zero = node.act in EITHER_ZERO and bool((value == 0).any())
        node.fresh = node.ulp > 0 or inexact or zero

    def operand(self) -> tuple[str, Any]:
        """Choose a node, mostly a recent one, so that chains grow long and still share."""
        n = len(self.nodes)
        if self.rng.random() < 0.6:
            return "node", int(max(0, n - 1 - self.rng.integers(0, min(n, 3))))
        return "node", int(self.rng.integers(n))

    def other(self) -> tuple[str, Any]:
        """Choose a node or a constant."""
        kind = self.rng.random()
        if kind < 0.25:
            return "number", self.pick(NASTY)
        if kind < 0.32:
            with quiet():
                dtype = self.pick(DTYPES)
                return "number", np.dtype(dtype).type(abs(self.pick(NASTY[:11])) % 100)
        return self.operand()

    def propose(self) -> Node | None:
        """Choose an act."""
        kind, x = self.rng.random(), self.operand()
        value = self.values[x[1]]
        if kind < 0.26:
            return Node(self.pick([n for n, (arity, _, _) in OPS.items() if arity == 1]), [x])
        if kind < 0.58:
            name = self.pick([n for n, (arity, _, _) in OPS.items() if arity == 2])
            both = [x, self.other()]
            return Node(name, both[:: self.pick([1, -1])])
        if kind < 0.62:
            return Node("where", [self.operand(), x, self.other()])
        if kind < 0.65:
            return Node("clip", [x, self.other(), self.other()])
        if kind < 0.75:
            return self.cast(x, value)
        if kind < 0.87:
            return Node("index", [x], self.key(value.shape))
        if kind < 0.92:
            return self.view(x, value)
        axes = [None, *range(value.ndim), *(-1 - a for a in range(value.ndim))]
        name = self.pick(FOLDS)
        extra: dict[str, Any] = {"axis": self.pick(axes), "keepdims": bool(self.rng.random() < 0.3)}
        return self.careful(Node(name, [x], extra), value)

    def careful(self, node: Node, value: Nd) -> Node | None:
        """Leave out folds of floats whose NumPy value says nothing about the right one."""
        if value.dtype.kind != "f" or node.act in EXACT_FOLDS:
            return node
        limit = {"float16": 50.0, "float32": 1e8, "float64": 1e60}[value.dtype.name]
        tame = bool((np.abs(value[np.isfinite(value)]) < limit).all())
        if node.act == "prod" or not tame:
            return None
        finite = bool(np.isfinite(value).all())
        return node if finite or node.act in ("sum", "mean") else None

    def cast(self, x: tuple[str, Any], value: Nd) -> Node | None:
        """Propose a conversion that C defines."""
        dtype = self.pick(DTYPES)
        if value.dtype.kind == "f" and dtype in INTS:
            info = np.iinfo(dtype)
            inside = (value > float(info.min) - 1) & (value < float(info.max))
            if not inside.all():
                return None
        return Node("astype", [x], dtype)

    def key(self, shape: tuple[int, ...]) -> tuple[Any, ...]:
        """Choose slices, integers, new axes."""
        out: list[Any] = []
        for n in shape:
            kind = self.rng.random()
            if kind < 0.1 and n:
                out.append(int(self.rng.integers(-n, n)))
            elif kind < 0.3:
                out.append(slice(None))
            else:
                ends = [None if self.rng.random() < 0.4 else self.rng.integers(-n - 1, n + 2)
                        for _ in range(2)]  # fmt: skip
                step = self.pick([1, 1, 2, 3, -1, -1, -2])
                out.append(slice(*(e if e is None else int(e) for e in ends), step))
        if self.rng.random() < 0.1:
            out.insert(int(self.rng.integers(len(out) + 1)), None)
        return tuple(out)

    def view(self, x: tuple[str, Any], value: Nd) -> Node | None:
        """Propose another shape or order of axes."""
        if value.ndim > 5:
            return None
        kind = self.rng.random()
        if kind < 0.4:
            return Node("transpose", [x], tuple(int(a) for a in self.rng.permutation(value.ndim)))
        if kind < 0.6:
            return Node("broadcast_to", [x], (self.pick([1, 2, 3]), *value.shape))
        shapes: list[tuple[int, ...]] = [(-1,), (value.size, 1), (1, -1)]
        shapes += [(-1, k) for k in (2, 3, 4) if value.size % k == 0 and value.size]
        return Node("reshape", [x], self.pick(shapes))

    # -- running it through rnp

    def ancestors(self, wanted: Iterable[int], cut: set[int]) -> list[int]:
        """Return the nodes that are needed, in order."""
        seen: set[int] = set()
        todo = list(wanted)
        while todo:
            k = todo.pop()
            if k not in seen:
                seen.add(k)
                if k not in cut:
                    # Below a fresh node only its own value is computed.
                    todo += self.nodes[k].below()
        return sorted(seen)

    def lazily(self, wanted: Sequence[int], cut: Iterable[int] = ()) -> list[Any]:
        """Compute nodes together with rnp; those in `cut` are inputs with NumPy's values."""
        cut = set(cut)
        own: dict[int, Any] = {}
        seen: dict[int, Any] = {}
        with rnp.lazy(), quiet():
            for k in self.ancestors(wanted, cut):
                node = self.nodes[k]
                if node.act == "input" or k in cut:
                    own[k] = rnp.asarray(ALL_LAYOUTS[node.layout](self.values[k]))
                else:
                    args = [seen[v] if kind == "node" else v for kind, v in node.operands]
                    own[k] = node.apply(rnp, args)
                seen[k] = rnp.asarray(self.values[k]) if node.fresh and k not in cut else own[k]
        out = [own[k] for k in wanted]
        for k, array in zip(wanted, out, strict=True):
            if (array.dtype, array.shape) != (self.values[k].dtype, self.values[k].shape):
                raise AssertionError(f"node {k}: {array!r}, wanted {self.values[k].dtype}")
        values = rnp.eval(*out)
        return list(values) if len(out) > 1 else [values]

    def wrong(self, k: int, got: Any) -> str:
        """Say how rnp's value of a node is not what it has to be."""
        node, want = self.nodes[k], self.values[k][()]
        args = [self.values[v] if kind == "node" else v for kind, v in node.operands]
        if node.act == "input" or not node.fresh:
            return differs(got, want)
        with quiet():
            if node.ulp:
                return compare(node.act, got, want, args)
            if node.act in EITHER_ZERO:
                return differs(got, want, zeros=False)
            return self.wrong_sum(node, got, want, args[0])

    def wrong_sum(self, node: Node, got: Any, want: Any, x: Nd) -> str:
        """Compare a sum with one in higher precision; cancelling is allowed for."""
        if got.dtype != want.dtype or got.shape != want.shape:
            return differs(got, want)
        wide = x.astype(np.longdouble)
        exact = np.asarray(getattr(np, node.act)(wide, **node.extra))
        size = np.asarray(np.sum(np.abs(wide), **node.extra))
        if node.act == "mean":
            size = np.asarray(np.mean(np.abs(wide), **node.extra))
        if node.act in ("var", "std"):
            size = size**2 + size + 1
        eps = np.finfo(want.dtype).eps
        spread = 64 * eps * size + 4 * np.finfo(want.dtype).smallest_subnormal
        far = ~(np.abs(np.asarray(got, np.longdouble) - exact) <= spread)
        far &= ~((np.asarray(got) == exact) | (np.isnan(got) & np.isnan(exact)))
        return f"got {got!r}, wanted {exact!r}" if np.any(far) else ""

    # -- telling what went wrong

    def shrink(self, wanted: Sequence[int], fails: Callable[[list[int], set[int]], bool]) -> str:
        """Return the smallest program that still fails: values stand for whatever is not needed."""
        keep = list(wanted)
        for k in wanted:
            fewer = [w for w in keep if w != k]
            if fewer and fails(fewer, set()):
                keep = fewer
        cut: set[int] = set()
        for i in self.ancestors(keep, cut):
            if fails(keep, cut | {i}):
                cut.add(i)
        lines = [f"# seed {self.seed}"]
        for i in self.ancestors(keep, cut):
            node = self.nodes[i]
            if node.act == "input" or i in cut:
                x = self.values[i]
                text = np.array2string(x, threshold=60, separator=", ")
                lines.append(f"v{i} = {text}  # {x.dtype}{x.shape} {node.layout}")
            else:
                names = [f"v{v}" if kind == "node" else repr(v) for kind, v in node.operands]
                extra = "" if node.extra is None else f" {node.extra}"
                tail = "  # what follows takes NumPy's value" if node.fresh else ""
                lines.append(f"v{i} = {node.act} {' '.join(names)}{extra}{tail}")
        return "\n".join([*lines, "eval " + " ".join(f"v{k}" for k in keep)])
