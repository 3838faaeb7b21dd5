"""Load modules of the packages in build/consumers, unmodified, without what they depend on.

`make consumers` puts the packages' own files there, by version and hash, and nothing of what they
depend on: torch, numba and their like are large, and the functions under test use none of it. Three
rules stand in for it while a module loads, and none of them touches the module's own text:

- A package in `BARE` is entered without running its `__init__`, which would import all of it.
- A module in `ABSENT` is an empty stand-in. What it should give, or what it decorates, can be
  named, called and inherited from while modules load; called later, it raises. So no function under
  test can lean on one unnoticed.
- All else is real: NumPy, SciPy, soundfile, and the small packages in requirements-consumers.in.

The stand-ins leave `sys.modules` when the loading is done; SciPy, for one, looks there for torch.

The packages' licenses, GPL among them, are their own: they are run here, and no part of rnp.

`swapped` then puts another module where a package's modules say `np`. Nothing here knows rnp.
"""

from __future__ import annotations

import base64
import csv
import functools
import hashlib
import importlib
import importlib.abc
import importlib.machinery
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

FOLDER = Path(__file__).parents[2] / "build" / "consumers"

BARE = {
    "audiomentations",
    "audiomentations.augmentations",
    "auditok",
    "faster_whisper",
    "gradio",
    "noisereduce",
    "noisereduce.spectralgate",
    "piper",
    "TTS",
    "TTS.utils",
    "TTS.utils.audio",
    "transformers",
    "whisper",
}
ABSENT = {
    "PIL",  # gradio: images
    "audioread",  # librosa: file formats
    "gradio.context",  # gradio: the web application, here and below
    "gradio.data_classes",
    "gradio.exceptions",
    "gradio.profiling",
    "gradio.route_utils",
    "gradio.utils",
    "gradio._vendor",
    "gradio_client",
    "httpx",
    "huggingface_hub",  # transformers: downloads
    "librosa.core.intervals",  # librosa: tables of intervals
    "numba",  # librosa: compiled kernels, in none of the functions here
    "numpy_minmax",  # audiomentations: peaks
    "onnxruntime",  # piper: the voices
    "pathvalidate",  # piper: file names
    "piper.phonemize_espeak",
    "piper.tashkeel",
    "pooch",  # librosa: downloads
    "pydub",  # gradio: file formats
    "resampy",  # matchering: files of another rate
    "safehttpx",
    "soxr",  # librosa: resampling
    "statsmodels",  # matchering: smoothing of a spectrum
    "torch",
    "torchaudio",  # transformers: reading of files
    "torchcodec",
    "transformers.utils",  # transformers: which libraries are installed
}


class Absent:
    """Something of an absent module."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Absent:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return Absent(f"{self._name}.{attribute}")

    def __call__(self, *args: Any, **keywords: Any) -> Absent:
        if _Finder.loading == 0:
            raise NotImplementedError(f"{self._name} is a stand-in for what is not installed")
        return Absent(self._name)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return ()

    def __getitem__(self, item: Any) -> Absent:
        return self

    def __or__(self, other: Any) -> Absent:
        return self

    __ror__ = __or__


class AbsentModule(ModuleType):
    """A module of which everything can be imported and nothing used."""

    def __getattr__(self, attribute: str) -> Absent:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return Absent(f"{self.__name__}.{attribute}")


class _Loader(importlib.abc.Loader):
    """Make a module without running a file."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return AbsentModule(spec.name) if _absent(spec.name) else None

    def exec_module(self, module: ModuleType) -> None:
        pass


class _Finder(importlib.abc.MetaPathFinder):
    """Find the packages' modules, bare or whole, and what is absent."""

    loading = 0

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if _absent(name):
            return importlib.machinery.ModuleSpec(name, _Loader(), is_package=True)
        if "." in name and name not in BARE:
            return None
        found = importlib.machinery.PathFinder.find_spec(name, path or [str(FOLDER)])
        if found is not None and name in BARE:
            bare = importlib.machinery.ModuleSpec(name, _Loader(), is_package=True)
            bare.submodule_search_locations = found.submodule_search_locations
            return bare
        return found


def _absent(name: str) -> bool:
    parts = name.split(".")
    return any(".".join(parts[:n]) in ABSENT for n in range(1, len(parts) + 1))


@functools.cache
def load(name: str) -> ModuleType:
    """Import a module of one of the packages, or one of this folder."""
    if not FOLDER.is_dir():
        raise FileNotFoundError(f"{FOLDER} is not there; `make consumers` makes it")
    finder, before = _Finder(), dict(sys.modules)
    sys.meta_path.insert(0, finder)
    _Finder.loading += 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what import statements and docstrings give rise to
            module = importlib.import_module(name)
    finally:
        _Finder.loading -= 1
        sys.meta_path.remove(finder)
        for other in [n for n, m in sys.modules.items() if isinstance(m, AbsentModule)]:
            del sys.modules[other]
            if other in before:
                sys.modules[other] = before[other]
    return module


def modules(package: str) -> list[ModuleType]:
    """Return the modules of a package that are loaded."""
    inside = (m for n, m in sys.modules.items() if n == package or n.startswith(f"{package}."))
    return [m for m in inside if isinstance(m, ModuleType)]


@contextmanager
def swapped(package: str, instead: Any) -> Iterator[None]:
    """Put `instead` where the loaded modules of a package name NumPy, and put NumPy back.

    What they remember between calls is forgotten on both sides, so that no mode sees another's.
    """
    places = [(m, name) for m in modules(package) for name, v in vars(m).items() if v is np]
    _forget(package)
    for module, name in places:
        setattr(module, name, instead)
    try:
        yield
    finally:
        for module, name in places:
            setattr(module, name, np)
        _forget(package)


def _forget(package: str) -> None:
    for module in modules(package):
        for value in list(vars(module).values()):
            if isinstance(value, functools._lru_cache_wrapper):
                value.cache_clear()


def changed(package: str) -> list[str]:
    """Return the loaded files of a package that are not what its distribution recorded."""
    recorded = _recorded()
    files = {Path(f) for m in modules(package) if (f := getattr(m, "__file__", None))}
    names = {str(f.relative_to(FOLDER)): f for f in files if f.is_relative_to(FOLDER)}
    return sorted(n for n, f in names.items() if recorded.get(n) != _digest(f))


@functools.cache
def _recorded() -> dict[str, str]:
    out: dict[str, str] = {}
    for record in FOLDER.glob("*.dist-info/RECORD"):
        with record.open(newline="") as lines:
            out |= {row[0]: row[1] for row in csv.reader(lines)}
    return out


def _digest(file: Path) -> str:
    digest = hashlib.sha256(file.read_bytes()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
