//! What `leasehold serve` takes of the machine's memory.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::Command,
};

use crate::serve::Served;

const ADMIN: [&str; 4] = ["--admin", "127.0.0.1:0", "--admin-token", "admin"];

/// Starts one that the operating system gives no more than 4 GB of addresses.
fn limited(arguments: &[&str]) -> Served {
    let mut command = Command::new("sh");
    let limited = "ulimit -v 4000000; exec \"$0\" \"$@\"";
    command.args(["-c", limited, env!("CARGO_BIN_EXE_leasehold")]);
    Served::start_by(command, arguments, &[]).0
}

/// A line of what the operating system says of the process, in bytes.
fn told(served: &Served, name: &str) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", served.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

fn request(words: &[&str]) -> Vec<u8> {
    let words: String = words.iter().map(|it| format!("${}\r\n{it}\r\n", it.len())).collect();
    format!("*{}\r\n{words}", words.matches('$').count()).into_bytes()
}

/// Sends a request, and reads a reply of one line.
fn ask(stream: &mut TcpStream, request: &[u8]) -> String {
    stream.write_all(request).unwrap();
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        line.push(byte[0]);
    }
    String::from_utf8(line).unwrap()
}

#[test]
fn sixteen_thousand_writes_in_one_script_fit_with_the_admin_endpoint() {
    let lines = [
        "'RPUSH', 'l', i", "'HSET', 'h', i, i", "'ZADD', 'z', i, i", "'XADD', 'x', '*', i, i",
        "'SADD', 's', i", "'APPEND', 't', i",
    ];
    for line in lines {
        let served = limited(&ADMIN);
        let mut stream = TcpStream::connect(&served.address).unwrap();
        let script = format!("for i = 1, 16000 do redis.call({line}) end return 1");
        assert_eq!(ask(&mut stream, &request(&["EVAL", &script, "0"])), ":1\r\n", "{line}");
        let most = told(&served, "VmHWM");
        assert!(most < 400_000_000, "{line}: {most} bytes");
    }
}

#[test]
fn what_is_deleted_is_given_back() {
    const LENGTH: usize = 512 << 20;
    let served = limited(&[]);
    let mut stream = TcpStream::connect(&served.address).unwrap();
    let before = told(&served, "VmRSS");
    let begin = format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${LENGTH}\r\n");
    stream.write_all(begin.as_bytes()).unwrap();
    let piece = vec![b'x'; 1 << 20];
    (0..LENGTH / piece.len()).for_each(|_| stream.write_all(&piece).unwrap());
    assert_eq!(ask(&mut stream, b"\r\n"), "+OK\r\n");
    assert!(told(&served, "VmRSS") > before + LENGTH, "it is kept");
    assert_eq!(ask(&mut stream, &request(&["DEL", "k"])), ":1\r\n");
    // An allocator gives back a little later, when it is used again.
    let (more, less) = (request(&["SETRANGE", "m", "1000000", "x"]), request(&["DEL", "m"]));
    for _ in 0..500_000 {
        ask(&mut stream, &more);
        assert_eq!(ask(&mut stream, &less), ":1\r\n");
        if told(&served, "VmRSS") < before + LENGTH / 8 {
            return;
        }
    }
    panic!("{} bytes", told(&served, "VmRSS"));
}
