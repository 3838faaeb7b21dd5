"""Window functions. Their lengths are known, so NumPy makes them and the graph reads them."""

from __future__ import annotations

from rnp._numpy.creation import taken

for _path in ("bartlett", "blackman", "hamming", "hanning", "kaiser"):
    taken(_path)
