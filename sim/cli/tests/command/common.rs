//! Runs the command as a person would.

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
