//! Runs the command as a person would.

use std::{fs, sync::LazyLock};

use assert_cmd::Command;
use serde_json::Value;

/// The command with these arguments.
pub(crate) fn leasehold(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leasehold"));
    command.args(arguments);
    command
}

/// What it prints, whatever its exit status.
#[allow(dead_code, reason = "not every test reads it")]
pub(crate) fn printed(arguments: &[&str]) -> String {
    let output = leasehold(arguments).output().expect("the command starts");
    String::from_utf8(output.stdout).expect("it prints text")
}

/// The JSON that it prints, and nothing else.
#[allow(dead_code, reason = "not every test reads it")]
pub(crate) fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&printed(arguments)).expect("it prints JSON")
}

/// What the command says of the whole matrix.
pub(crate) struct Matrix {
    pub(crate) text: String,
    pub(crate) json: Value,
    pub(crate) page: String,
}

/// After a few schedules a cell, for every test that reads it.
pub(crate) static MATRIX: LazyLock<Matrix> = LazyLock::new(|| {
    let place = tempfile::tempdir().expect("a folder");
    let path = |name: &str| place.path().join(name).to_str().expect("a path in UTF-8").to_owned();
    let (json, page) = (path("matrix.json"), path("matrix.html"));
    // Beside its own schedules it runs those that are known to break a cell.
    let text = printed(&["--schedules", "3", "--seed", "7", "--json", &json, "--html", &page]);
    let read = |file: &str| fs::read_to_string(file).expect("the command wrote it");
    let json = serde_json::from_str(&read(&json)).expect("it writes JSON");
    Matrix { text, json, page: read(&page) }
});
