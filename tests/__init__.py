"""The tests, which mirror the tree."""

import os
import sys

# Compiled once and read by every worker and child process, also where a machine has that switched off:
# compiling anew takes each of them as long as its work.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
