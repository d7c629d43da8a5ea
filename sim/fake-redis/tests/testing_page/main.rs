//! The examples in Rust of TESTING.md, run as they stand there. Those in other languages are run by
//! the test `clients`.

mod faults_in_process;
mod in_process;
mod over_a_socket;
mod redis_crate;

const PAGE: &str = include_str!("../../TESTING.md");

#[test]
fn the_page_shows_these_examples_and_no_other() {
    let files = [
        include_str!("in_process.rs"),
        include_str!("redis_crate.rs"),
        include_str!("faults_in_process.rs"),
        include_str!("over_a_socket.rs"),
    ];
    let shown: Vec<_> = PAGE.split("```rust\n").skip(1).collect();
    assert_eq!(shown.len(), files.len());
    for (block, file) in shown.iter().zip(files) {
        let (code, _) = block.split_once("```").expect("a block ends");
        assert!(code == file, "put this into TESTING.md:\n\n{file}");
    }
}
