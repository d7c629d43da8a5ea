//! The packages in `sim/clients` that steer a server from a test: packed, installed and tested as a
//! user has them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::clients::{Installed, PAGE, javascript, judge, packages, python, skip};

/// Longer than any suite takes; only one that never ends is stopped.
const PATIENCE: Duration = Duration::from_secs(300);

/// The first block of a page in this language.
fn example(page: &str, language: &str) -> String {
    let block = page.split_once(&format!("```{language}\n"));
    block.and_then(|(_, rest)| rest.split_once("```")).expect("an example").0.to_owned()
}

/// Runs tests with the command that was built here.
fn check(test: &mut Command) {
    let test = std::mem::replace(test, Command::new("true"));
    let mut test = assert_cmd::Command::from_std(test);
    test.env("LEASEHOLD_BIN", assert_cmd::cargo::cargo_bin!("leasehold"));
    let output = test.timeout(PATIENCE).output().expect("it was there a moment ago");
    match judge(&output) {
        Ok(shown) => println!("{shown}"),
        Err(shown) => panic!("{shown}"),
    }
}

/// A new folder of this name in a folder, with what is in another.
fn fresh(folder: &Path, name: &str, from: Option<&Path>) -> PathBuf {
    let to = folder.join(name);
    // It is only there if this was run before.
    let _ = fs::remove_dir_all(&to);
    fs::create_dir_all(&to).expect("target can be written");
    for file in from.map(|from| fs::read_dir(from).expect("it is there")).into_iter().flatten() {
        let file = file.expect("it can be read");
        if file.path().is_file() {
            fs::copy(file.path(), to.join(file.file_name())).expect("target can be written");
        }
    }
    to
}

fn node(installed: &Installed, name: &str, examples: &[(&str, String)]) {
    let folder = fresh(&installed.folder, name, Some(&packages().join("npm/test")));
    for (file, text) in examples {
        fs::write(folder.join(file), text).expect("target can be written");
    }
    let tests = fs::read_dir(&folder).expect("it was made").flatten().map(|file| file.path());
    let tests = tests.filter(|path| path.to_string_lossy().ends_with(".test.mjs"));
    check(Command::new("node").arg("--test").args(tests).current_dir(&folder));
}

#[test]
fn the_package_for_javascript_steers_a_server() {
    let installed = match javascript() {
        Ok(installed) => installed,
        Err(why) => return skip(&why),
    };
    let readme = include_str!("../../../clients/npm/README.md");
    let examples =
        [("page.test.mjs", example(PAGE, "js")), ("readme.test.mjs", example(readme, "js"))];
    node(&installed, "steering", &examples);
}

#[test]
fn the_package_for_javascript_is_typed() {
    let installed = match javascript() {
        Ok(installed) => installed,
        Err(why) => return skip(&why),
    };
    let folder = fresh(&installed.folder, "typed", Some(&packages().join("npm/test")));
    let mut compile = Command::new("node");
    compile.arg("../node_modules/typescript/bin/tsc").args(["--noEmit", "--strict"]);
    compile.args(["--module", "nodenext", "--target", "es2022", "typed.mts"]).current_dir(folder);
    check(&mut compile);
}

#[test]
fn the_package_for_python_steers_a_server() {
    let installed = match python() {
        Ok(installed) => installed,
        Err(why) => return skip(&why),
    };
    let folder = fresh(&installed.folder, "steering", Some(&packages().join("python/tests")));
    let readme = include_str!("../../../clients/python/README.md");
    for (file, page) in [("test_page.py", PAGE), ("test_readme.py", readme)] {
        fs::write(folder.join(file), example(page, "python")).expect("target can be written");
    }
    let mut tests = Command::new("python3");
    tests.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", "."]);
    check(tests.env("PYTHONPATH", installed.folder.join("installed")).current_dir(folder));
}

#[test]
fn the_package_for_python_is_typed() {
    let installed = match python() {
        Ok(installed) => installed,
        Err(why) => return skip(&why),
    };
    let folder = fresh(&installed.folder, "typed", Some(&packages().join("python/tests")));
    for what in [&["typed.py"][..], &["-p", "leasehold_test"]] {
        let mut types = Command::new("python3");
        types.args(["-m", "mypy", "--strict", "--cache-dir", "."]).args(what).current_dir(&folder);
        check(types.env("PYTHONPATH", installed.folder.join("installed")));
    }
}
