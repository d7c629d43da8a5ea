#!/usr/bin/env python3
"""Builds the examples of the READMEs, each README in a crate of its own.

The crate has only what the README says to add. `LEASEHOLD_README_OFFLINE=1` builds without a network.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
READMES = {"": ROOT, "core": ROOT / "core", "upstash": ROOT / "upstash"}
OURS = {"leasehold-core": ROOT / "core", "leasehold-upstash": ROOT / "upstash"}


def dependencies(text: str) -> list[str]:
    """What the lines `cargo add …` add, as lines of a manifest."""
    lines = []
    for command in re.findall(r"^cargo add (.+)$", text, re.M):
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
    crate = ROOT / "target" / "readme" / (name or "top")
    shutil.rmtree(crate, ignore_errors=True)
    (crate / "src" / "bin").mkdir(parents=True)
    manifest = ["[package]", 'name = "reader"', 'edition = "2024"', "[workspace]", "[dependencies]"]
    (crate / "Cargo.toml").write_text("\n".join(manifest + dependencies(text)) + "\n")
    for number, code in enumerate(examples):
        (crate / "src" / "bin" / f"example_{number}.rs").write_text(code)
    shutil.copy(ROOT / "Cargo.lock", crate / "Cargo.lock")
    offline = ["--offline"] if os.environ.get("LEASEHOLD_README_OFFLINE") else []
    environment = {**os.environ, "CARGO_TARGET_DIR": str(ROOT / "target" / "readme" / "built")}
    subprocess.run(["cargo", "check", "--quiet", *offline], cwd=crate, env=environment, check=True)
    return len(examples)


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
