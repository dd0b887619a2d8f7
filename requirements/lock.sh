#!/bin/sh
# Writes the lock files from pyproject.toml: exact versions with the hashes of every platform's files.
# Run with the oldest Python that is supported, whose dependencies are the most. Usage: requirements/lock.sh PYTHON
set -eu
python=$1
cd "$(dirname "$0")/.."
# No piptools environment variable or pip configuration may leave its index addresses in the files.
compile() {
    CUSTOM_COMPILE_COMMAND="make lock" "$python" -m piptools compile --quiet --upgrade --generate-hashes \
        --strip-extras --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
        --no-emit-options "$@"
}
compile --extra server --output-file requirements/server.lock pyproject.toml
compile --extra server --extra postgresql --extra fast --constraint requirements/server.lock \
    --output-file requirements/image.lock pyproject.toml
compile --constraint requirements/server.lock --build-deps-for editable --only-build-deps \
    --output-file requirements/build.lock pyproject.toml
"$python" - >requirements/dev.in <<'PYTHON'
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text())
print("# Written by make lock, from pyproject.toml.")
print("-r server.lock\n-r build.lock")
print("\n".join(project["dependency-groups"]["dev"]))
for extra in ("fast", "postgresql"):
    print("\n".join(project["project"]["optional-dependencies"][extra]))
PYTHON
compile --output-file requirements/dev.lock requirements/dev.in
