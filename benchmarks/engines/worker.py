"""`python -m benchmarks.engines.worker NAME URL FOLDER REDIS`: one worker process of one engine."""

import os
import signal
import sys
from pathlib import Path

from benchmarks.engines.engines import engine
from server.parent import end_with

if __name__ == "__main__":
    end_with(os.getppid(), signal.SIGKILL)
    engine(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4]).work()
