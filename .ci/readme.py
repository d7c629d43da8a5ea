#!/usr/bin/env python3
"""Builds the examples of the READMEs, each README in a crate of its own.

The crate has only what the README says to add. `LEASEHOLD_README_OFFLINE=1` builds without a network. The test in Rust
with which TESTING.md begins is run, too: it must find the bug, and nothing once that is mended.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
READMES = {"": ROOT, "core": ROOT / "core", "upstash": ROOT / "upstash"}
OURS = {"leasehold-core": ROOT / "core", "leasehold-sim": ROOT / "sim", "leasehold-upstash": ROOT / "upstash"}
TESTING = ROOT / "sim" / "fake-redis" / "TESTING.md"
# What was built for the tests and the lints is used here, too, as far as it is the same.
BUILT = ROOT / "target"


def dependencies(text: str) -> list[str]:
    """What the lines `cargo add …` add, as lines of a manifest."""
    lines = []
    for command in re.findall(r"^cargo add (?:--dev )?(.+)$", text, re.M):
        # From the registry or by git, what is here is what is meant: `added` tries the line itself.
        command = re.sub(r" --git \S+", "", command)
        names, _, features = command.partition(" --features ")
        listed = ", ".join(f'"{feature}"' for feature in features.split(",") if feature)
        for name in names.split():
            where = f'path = "{OURS[name]}"' if name in OURS else 'version = "*"'
            lines.append(f"{name} = {{ {where}, features = [{listed}] }}")
    return lines


def build(name: str, folder: pathlib.Path) -> int:
    text = (folder / "README.md").read_text()
    examples = [code for code in re.findall(r"^```rust\n(.*?)^```$", text, re.M | re.S) if "fn main()" in code]
    examples = [code for code in examples if not re.search(r"^# ", code, re.M)]
    if not examples or not dependencies(text):
        sys.exit(f"{folder}/README.md has no example, or does not say what to add")
    crate = make(name or "top", text, {f"src/bin/example_{number}.rs": code for number, code in enumerate(examples)})
    cargo(crate, "check").check_returncode()
    return len(examples)


def make(name: str, text: str, files: dict[str, str]) -> pathlib.Path:
    """A crate with these files, and with what the text says to add."""
    crate = ROOT / "target" / "readme" / name
    shutil.rmtree(crate, ignore_errors=True)
    manifest = ["[package]", 'name = "reader"', 'edition = "2024"', "[workspace]", "[dependencies]"]
    files = {"Cargo.toml": "\n".join(manifest + dependencies(text)) + "\n", **files}
    for place, content in files.items():
        (crate / place).parent.mkdir(parents=True, exist_ok=True)
        (crate / place).write_text(content)
    shutil.copy(ROOT / "Cargo.lock", crate / "Cargo.lock")
    return crate


def cargo(crate: pathlib.Path, *words: str, **how) -> subprocess.CompletedProcess:
    offline = ["--offline"] if os.environ.get("LEASEHOLD_README_OFFLINE") else []
    environment = {**os.environ, "CARGO_TARGET_DIR": str(BUILT)}
    return subprocess.run(["cargo", *words, "--quiet", *offline], cwd=crate, env=environment, **how)


def five_minutes() -> None:
    """Runs the test with which TESTING.md begins, in a crate of its own, as it is and mended."""
    _, _, section = TESTING.read_text().partition("### In Rust\n")
    section, _, _ = section.partition("\n### ")
    buggy, release = re.findall(r"^```rs\n(.*?)^```$", section, re.M | re.S)
    mended, count = re.subn(r"^async fn release.*?^}\n", lambda _: release, buggy, flags=re.M | re.S)
    if count != 1:
        sys.exit("TESTING.md: there is no `release` to be mended")
    for file, works in ((buggy, False), (mended, True)):
        # Not with the profile that the page recommends: to optimize takes longer here than it saves.
        crate = make("five_minutes", section, {"src/lib.rs": "", "tests/lock.rs": file})
        ran = cargo(crate, "test", "--test", "lock", capture_output=True, text=True)
        told = "at most one process is in `job`" in ran.stdout + ran.stderr
        if (ran.returncode == 0) != works or told == works:
            sys.exit(f"TESTING.md, the test in Rust, mended: {works}\n{ran.stdout}\n{ran.stderr}")


def added() -> int:
    """Runs each line of a README that takes a package from the repository, with this one in its place."""
    crate = ROOT / "target" / "readme" / "added"
    shutil.rmtree(crate, ignore_errors=True)
    (crate / "src").mkdir(parents=True)
    (crate / "src" / "lib.rs").write_text("")
    (crate / "Cargo.toml").write_text('[package]\nname = "adder"\nedition = "2024"\n[workspace]\n')
    pages = sorted(page for page in ROOT.glob("**/*.md") if not {"target", "node_modules"} & set(page.parts))
    lines = sorted({line for page in pages for line in re.findall(r"^cargo add .*--git .+$", page.read_text(), re.M)})
    # A repository of its own: that of a checkout may be shallow, which cargo cannot read.
    here = ROOT / "target" / "readme" / "repository"
    shutil.rmtree(here, ignore_errors=True)
    subprocess.run(["git", "checkout-index", "--all", f"--prefix={here}/"], cwd=ROOT, check=True)
    identity = ["-c", "user.name=none", "-c", "user.email=none"]
    for command in (["init", "--quiet"], ["add", "--all"], [*identity, "commit", "--quiet", "--message=all"]):
        subprocess.run(["git", *command], cwd=here, check=True)
    for line in lines:
        words = re.sub(r"--git \S+", f"--git file://{here}", line).split()
        subprocess.run([*words, "--quiet"], cwd=crate, check=True)
    if not lines:
        sys.exit("no README says how to add a package from the repository")
    return len(lines)


if __name__ == "__main__":
    print(added(), "lines that add a package")
    for which in sys.argv[1:] or ["", "core"]:
        print(which or "README.md", build(which, READMES[which]), "examples")
    five_minutes()
    print("TESTING.md finds the bug in Rust, and nothing once it is mended")
