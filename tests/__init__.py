"""The tests, which mirror the tree."""

import gc
import os
import sys
import tempfile

from tests import in_memory

# Compiled once and read by every worker and child process, also where a machine has that switched off:
# compiling anew takes each of them as long as its work.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# What the tests load now stays: to look through it for garbage again and again takes a tenth of their start
# (`pytest_runtestloop` begins with it). Whoever uses a part of them by itself looks as ever.
if "pytest" in sys.modules:
    gc.disable()
    tempfile.tempdir = in_memory.folder()
