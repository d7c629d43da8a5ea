//! Commands with extreme numbers.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| leasehold_fuzz::commands(bytes));
