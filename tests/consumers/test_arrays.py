"""matplotlib and dask take deferred arrays as they take NumPy's: the same picture and result.

PyTorch and JAX are too large to be installed for this; where they are there, they are tried.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rnp

FOLDER = Path(__file__).parents[2] / "build" / "arrays"
X = np.sin(np.arange(1, 41, dtype="float32")).reshape(20, 2)
T = np.arange(20)


@pytest.fixture(scope="module", autouse=True)
def packages():
    """Find the packages of this module, and forget them afterwards: others do without."""
    known = set(sys.modules)
    sys.path.append(str(FOLDER))
    import matplotlib as mpl

    mpl.use("agg")
    yield
    sys.path.remove(str(FOLDER))
    for name in set(sys.modules) - known:
        if name.partition(".")[0] in ("dask", "matplotlib", "mpl_toolkits", "PIL"):
            del sys.modules[name]


def picture(draw: Callable[[Any, Any], Any], x: Any) -> Any:
    """Draw on axes, and give the pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3, 2), dpi=50)
    canvas = FigureCanvasAgg(figure)
    draw(figure.subplots(), x)
    canvas.draw()
    return np.array(canvas.buffer_rgba())


DRAWINGS = {
    "axhline": lambda ax, x: ax.axhline(x.max()),
    "bar": lambda ax, x: ax.bar(x[:, 1], x[:, 0], width=0.1),
    "boxplot": lambda ax, x: ax.boxplot(x),
    "contour": lambda ax, x: ax.contour(x),
    "errorbar": lambda ax, x: ax.errorbar(T, x[:, 0], yerr=abs(x[:, 1])),
    "fill_between": lambda ax, x: ax.fill_between(T, x[:, 0], x[:, 1], where=x[:, 0] > 0),
    "hist": lambda ax, x: ax.hist([x[:, 0], x[:, 1]]),
    "imshow": lambda ax, x: ax.imshow(x.T),
    "plot": lambda ax, x: ax.plot(x),
    "plot of two": lambda ax, x: ax.plot(x[:, 0], x[:, 1], "o-"),
    "scatter": lambda ax, x: ax.scatter(x[:, 0], x[:, 1], c=x[:, 0], s=abs(x[:, 1]) * 20),
    "semilogy": lambda ax, x: ax.semilogy(abs(x[:, 0])),
    "set_xlim": lambda ax, x: ax.set(xlim=(x.min(), x.max()), xticks=x[:5, 0]),
    "specgram": lambda ax, x: ax.specgram(x.reshape(-1), NFFT=16, noverlap=8),
    "stem": lambda ax, x: ax.stem(x[:, 0]),
    "vlines": lambda ax, x: ax.vlines(T, x.min(axis=1), x.max(axis=1)),
}


def da() -> Any:
    """Give dask's arrays."""
    import dask.array

    return dask.array


BLOCKS = {
    "absolute": lambda x: np.abs(da().from_array(x, chunks=7)),
    "asarray": lambda x: da().asarray(x).std(),
    "from_array": lambda x: (da().from_array(x, chunks=(5, 2)) * 2).sum(axis=0),
    "from_array as arrays": lambda x: da().from_array(x, asarray=True, chunks=5).mean(axis=1),
    "from_array as they are": lambda x: da().from_array(x, asarray=False, chunks=5).max(axis=1),
    "rfft": lambda x: da().fft.rfft(da().from_array(x, chunks=(20, 1)), axis=0),
    "stack": lambda x: da().stack([da().from_array(x, chunks=5), x]),
}


def torch_of(name: str) -> Callable[[Any], Any]:
    return lambda x: getattr(pytest.importorskip("torch"), name)(x).numpy()


def jax_of(name: str) -> Callable[[Any], Any]:
    return lambda x: np.asarray(getattr(pytest.importorskip("jax.numpy"), name)(x))


TORCHES = {name: torch_of(name) for name in ("from_dlpack", "asarray", "as_tensor", "tensor")}
JAXES = {name: jax_of(name) for name in ("from_dlpack", "asarray", "array")}

CASES: dict[str, Callable[[Any], Any]] = {
    **{f"matplotlib {n}": lambda x, draw=d: picture(draw, x) for n, d in DRAWINGS.items()},
    **{f"dask {n}": lambda x, run=r: run(x).compute() for n, r in BLOCKS.items()},
    **{f"torch {n}": r for n, r in TORCHES.items()},
    **{f"jax {n}": r for n, r in JAXES.items()},
}


@pytest.mark.parametrize("inside", [False, True], ids=["outside", "in a block"])
@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_consumers_of_arrays(name, inside):
    want = CASES[name](X.copy())
    with rnp.lazy() as block:
        x = rnp.asarray(X) * 1
        if inside:
            got = CASES[name](x)
    if not inside:
        got = CASES[name](x)
    assert not block.active
    assert (got.shape, got.dtype) == (want.shape, want.dtype)
    np.testing.assert_allclose(np.asarray(got), want, rtol=2e-6, atol=2e-7)
