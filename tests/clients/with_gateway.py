"""Runs a command beside a fresh gateway, whose address and key it finds in the environment."""

import os
import pathlib
import subprocess
import sys
import tempfile

from conftest import Gateway

with tempfile.TemporaryDirectory() as folder:
    gateway = Gateway(pathlib.Path(folder))
    environment = {
        **os.environ,
        "BARTIZAN_URL": gateway.url,
        "BARTIZAN_KEY_FOR_TESTS": gateway.key,
    }
    code = subprocess.run(sys.argv[1:], env=environment).returncode
    gateway.stop()
sys.exit(code)
