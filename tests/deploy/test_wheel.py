"""What an image installs is all of it: a file that the wheel forgets is missed on no developer's machine."""

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

from tests.source import PACKAGES, ROOT

MADE_OF = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")
BUILD = "from setuptools import build_meta; build_meta.build_wheel('made')"


def test_the_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    for name in MADE_OF:
        shutil.copy(ROOT / name, tmp_path)
    ours = {file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*") if file.is_file()}
    (tmp_path / "made").mkdir()
    built = subprocess.run(
        [sys.executable, "-c", BUILD], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = (tmp_path / "made").glob("*.whl")
    assert ours - {*MADE_OF} - set(ZipFile(wheel).namelist()) == set()
