//! Arbitrary bytes as arbitrary values. Any bytes will do, and no bytes are all zeros.

use leasehold_core::redis::Value;

/// How deep a value may be. A wire format has such a limit too.
const DEPTH: u8 = 4;

/// The rest of the input.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl Bytes<'_> {
    pub(crate) fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    pub(crate) fn number(&mut self) -> i64 {
        i64::from_le_bytes([(); 8].map(|()| self.byte()))
    }

    /// A reply. Words and numbers that scripts really answer come up often, or a fuzzer would
    /// spend its days on the first comparison.
    pub(crate) fn value(&mut self) -> Value {
        self.value_up_to(DEPTH)
    }

    fn value_up_to(&mut self, depth: u8) -> Value {
        match self.byte() % 8 {
            0 => Value::Nil,
            1 => Value::Integer(self.number()),
            2 => Value::Integer(i64::from(self.byte()) - 2),
            3 => Value::from(self.word()),
            4 => Value::Bytes(self.text()),
            5 => Value::Bytes(self.number().to_string().into_bytes()),
            6 => Value::Error(String::from_utf8_lossy(&self.text()).into_owned()),
            _ if depth == 0 => Value::Array(Vec::new()),
            _ => {
                let length = self.byte() % 5;
                Value::Array((0..length).map(|_| self.value_up_to(depth - 1)).collect())
            }
        }
    }

    fn word(&mut self) -> &'static str {
        const WORDS: [&str; 21] = [
            "held", "busy", "gone", "free", "us", "other", "0", "OK", "armed", "suppressed",
            "claimed", "notdue", "running", "settled", "missing", "idle", "spent", "finished",
            "rearmed", "stale", "status",
        ];
        WORDS[usize::from(self.byte()) % WORDS.len()]
    }

    fn text(&mut self) -> Vec<u8> {
        let length = self.byte() % 40;
        (0..length).map(|_| self.byte()).collect()
    }
}
