#!/usr/bin/env python3
"""Checks that every combination of features of each published package compiles without a warning.

The gate checks each feature alone; the hundreds of combinations are for the night.

    .ci/powerset.py [PACKAGE ...]
"""

import subprocess
import sys
import tomllib
from itertools import combinations
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def published():
    """The packages that may be published, with their features but the default ones."""
    members = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["members"]
    for member in members:
        manifest = tomllib.loads((ROOT / member / "Cargo.toml").read_text())
        if manifest["package"].get("publish", True) is not False:
            features = sorted(set(manifest.get("features", {})) - {"default"})
            yield manifest["package"]["name"], features


def compiles(package, features):
    command = ["cargo", "clippy", "-q", "-p", package, "--no-default-features"]
    command += ["--features", ",".join(features), "--", "-D", "warnings"]
    return subprocess.run(command, cwd=ROOT).returncode == 0


def main(wanted):
    failed = []
    for package, features in published():
        if wanted and package not in wanted:
            continue
        count = len(features)
        sets = [chosen for size in range(count + 1) for chosen in combinations(features, size)]
        print(f"{package}: {len(sets)} combinations", flush=True)
        failed += [(package, chosen) for chosen in sets if not compiles(package, chosen)]
    for package, chosen in failed:
        print(f"FAILED: {package} with {','.join(chosen) or 'no feature'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
