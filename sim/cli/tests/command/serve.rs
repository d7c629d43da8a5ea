//! `leasehold serve` as a process.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
};

use crate::common::leasehold;

/// A served process, ended when the test ends.
pub(crate) struct Served {
    pub(crate) child: Child,
    pub(crate) address: String,
}

impl Served {
    /// Starts it, and reads where it listens.
    fn start(arguments: &[&str], environment: &[(&str, &str)]) -> (Self, String) {
        let command = Command::new(env!("CARGO_BIN_EXE_leasehold"));
        Self::start_by(command, arguments, environment)
    }

    /// The same by another command, which is given the arguments.
    pub(crate) fn start_by(
        mut command: Command,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> (Self, String) {
        let mut child = command
            .args(["serve", "--resp", "127.0.0.1:0"])
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let begin = line.find("redis://").expect("it prints an address") + "redis://".len();
        let address = line[begin..].trim_end_matches(['"', '}', '\n']).to_owned();
        (Self { child, address }, line)
    }

    fn ask(&self, commands: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(commands.as_bytes()).unwrap();
        let mut replies = String::new();
        stream.read_to_string(&mut replies).unwrap();
        replies
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_prints_where_it_listens_and_serves_until_it_is_shut_down() {
    let (mut served, line) = Served::start(&[], &[]);
    assert_eq!(line, format!("resp redis://{}\n", served.address));
    assert_eq!(served.ask("SET a 1\r\nGET a\r\nQUIT\r\n"), "+OK\r\n$1\r\n1\r\n+OK\r\n");
    assert_eq!(served.ask("SHUTDOWN\r\n"), "");
    assert!(served.child.wait().unwrap().success());
}

#[test]
fn the_password_comes_from_the_environment_and_the_addresses_as_json() {
    let (served, line) = Served::start(&["--json"], &[("LEASEHOLD_PASSWORD", "secret")]);
    assert_eq!(line, format!("{{\"resp\":\"redis://{}\"}}\n", served.address));
    let replies = served.ask("GET a\r\nAUTH secret\r\nGET a\r\nQUIT\r\n");
    assert_eq!(replies, "-NOAUTH Authentication required.\r\n+OK\r\n$-1\r\n+OK\r\n");
}

#[test]
fn it_ends_with_whoever_holds_its_standard_input() {
    let option = ["--until-stdin-closes"];
    let (mut served, _) = Served::start(&option, &[]);
    served.child.stdin.as_mut().unwrap().write_all(b"nothing of interest\n").unwrap();
    assert_eq!(served.ask("PING\r\nQUIT\r\n"), "+PONG\r\n+OK\r\n");
    drop(served.child.stdin.take());
    assert!(served.child.wait().unwrap().success());
}

#[test]
fn without_being_told_so_it_does_not_end_with_its_standard_input() {
    let (mut served, _) = Served::start(&[], &[]);
    drop(served.child.stdin.take());
    assert_eq!(served.ask("PING\r\nQUIT\r\n"), "+PONG\r\n+OK\r\n");
    assert!(served.child.try_wait().unwrap().is_none());
}

#[cfg(unix)]
#[test]
fn a_request_to_terminate_ends_it_well() {
    let (mut served, _) = Served::start(&[], &[]);
    let id = served.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(served.child.wait().unwrap().success());
}

#[test]
fn a_taken_address_is_refused_with_a_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let assert = leasehold(&["serve", "--resp", &address]).assert().code(2).stdout("");
    let text = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(text.contains(&address) && text.contains("127.0.0.1:0 for a free port"), "{text}");
}

#[test]
fn the_help_does_not_show_the_password() {
    let mut command = leasehold(&["serve", "--help"]);
    let assert = command.env("LEASEHOLD_PASSWORD", "hidden-thing").assert().success();
    let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    assert!(text.contains("LEASEHOLD_PASSWORD") && !text.contains("hidden-thing"), "{text}");
}
