//! Inputs for the tests on stable Rust: the same in every run.

use std::{fs, path::PathBuf};

/// Many inputs of `length` bytes, from Knuth's multiplier:
/// <https://www-cs-faculty.stanford.edu/~knuth/mmix-news.html>.
pub(crate) fn inputs(count: usize, length: usize) -> impl Iterator<Item = Vec<u8>> {
    let mut state = 1_u64;
    let mut byte = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    (0..count).map(move |_| (0..length).map(|_| byte()).collect())
}

/// The seed corpus of a target.
pub(crate) fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let read = |file: Result<fs::DirEntry, _>| fs::read(file.unwrap().path()).unwrap();
    files.map(read).collect()
}

/// Cuts, repeats and changes the bytes of `seed` in as many ways as it has bytes.
pub(crate) fn neighbours(seed: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..seed.len()).flat_map(move |place| {
        let mut changed = seed.to_vec();
        changed[place] ^= 0x80 >> (place % 8);
        let repeated = [&seed[..place], seed].concat();
        [seed[..place].to_vec(), changed, repeated]
    })
}
