//! What is drawn, tested by Node.js, without a browser.

use std::{fs, path::Path, process::Command};

use crate::{samples, skip};

#[test]
fn drawings_are_right() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().expect("a folder for stories");
    for (name, story) in [
        ("failover", samples::failover()),
        ("hostile", samples::hostile()),
        ("everything", samples::everything()),
        ("long", samples::long(5000)),
    ] {
        let path = folder.path().join(format!("{name}.json"));
        fs::write(path, story.to_json()).expect("it can be written");
    }
    let mut tests = Command::new("node");
    tests.arg("--test").arg(root.join("tests/draw/draw.test.js")).env("STORIES", folder.path());
    let output = match tests.output() {
        Ok(output) => output,
        Err(error) => return skip(&format!("node: {error}")),
    };
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
    assert!(shown.contains("# fail 0") || shown.contains("fail 0"), "{shown}");
}
