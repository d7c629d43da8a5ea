//! The first line of a script, `#!lua flags=…`: what the script wants to be allowed.

use super::super::{command::Refusal, resp::text_of};

/// What a script says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shebang {
    /// Whether there is such a line. A script without one is from before Redis 7.
    pub(crate) present: bool,
    pub(crate) no_writes: bool,
    /// Whether it may run beyond the limit of memory.
    pub(crate) allow_oom: bool,
    /// Upstash's own: it uses no key but those that were named with the call.
    pub(crate) allow_key_locking: bool,
    /// How many bytes of the script it takes, without the end of the line.
    length: usize,
}

/// Flags that say what a script may do on a replica or in a cluster: here it may
/// anyway.
const WITHOUT_EFFECT: [&[u8]; 3] = [b"allow-stale", b"no-cluster", b"allow-cross-slot-keys"];

impl Shebang {
    /// Reads the first line of `script`.
    pub(crate) fn of(script: &[u8]) -> Result<Self, Refusal> {
        if !script.starts_with(b"#!") {
            return Ok(Self::default());
        }
        let length = script.iter().position(|byte| *byte == b'\n');
        let length = length.ok_or_else(|| refused("Invalid script shebang", b""))?;
        let words = words(&script[..length]);
        let words = words.ok_or_else(|| refused("Invalid engine in script shebang", b""))?;
        let (engine, options) = words.split_first().unwrap_or((EMPTY, &[]));
        if engine != b"#!lua" {
            return Err(refused("Unexpected engine in script shebang: ", engine));
        }
        let mut shebang = Self { present: true, length, ..Self::default() };
        for option in options {
            let flags = option.strip_prefix(b"flags=");
            shebang.set(flags.ok_or_else(|| refused("Unknown lua shebang option: ", option))?)?;
        }
        Ok(shebang)
    }

    fn set(&mut self, flags: &[u8]) -> Result<(), Refusal> {
        if flags.is_empty() {
            return Ok(());
        }
        for flag in flags.split(|byte| *byte == b',') {
            match flag {
                b"no-writes" => self.no_writes = true,
                b"allow-oom" => self.allow_oom = true,
                b"allow-key-locking" => self.allow_key_locking = true,
                flag if WITHOUT_EFFECT.contains(&flag) => {}
                flag => return Err(unexpected(flag)),
            }
        }
        Ok(())
    }

    /// The script without it. The end of the line stays, so that lines are still counted right.
    pub(crate) fn body<'a>(&self, script: &'a [u8]) -> &'a [u8] {
        &script[self.length..]
    }
}

const EMPTY: &Vec<u8> = &Vec::new();

/// The refusal of a flag that the server does not know.
pub(crate) fn unexpected(flag: &[u8]) -> Refusal {
    refused("Unexpected flag in script shebang: ", flag)
}

fn refused(reason: &str, what: &[u8]) -> Refusal {
    let what = text_of(what).replace(['\r', '\n'], " ");
    Refusal(format!("ERR {reason}{what}").into())
}

/// The words of a line; some may be in quotes. `None` if quotes are not closed.
fn words(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            return Some(words);
        }
        let mut word = Vec::new();
        while let Some((first, behind)) = rest.split_first()
            && !first.is_ascii_whitespace()
        {
            rest = behind;
            if matches!(first, b'"' | b'\'') {
                let end = rest.iter().position(|byte| byte == first)?;
                word.extend_from_slice(&rest[..end]);
                rest = &rest[end + 1..];
                // A closing quote ends the word.
                if rest.first().is_some_and(|next| !next.is_ascii_whitespace()) {
                    return None;
                }
            } else {
                word.push(*first);
            }
        }
        words.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_words_with_quotes() {
        assert_eq!(words(b" a  'b c' d\r"), Some(vec![b"a".into(), b"b c".into(), b"d".into()]));
        assert_eq!(words(b"a \"b"), None);
        assert_eq!(words(b"a 'b'c"), None);
    }

    #[test]
    fn only_the_first_line_is_taken_off() {
        let script = b"#!lua flags=no-writes,allow-key-locking\nreturn 1\n";
        let shebang = Shebang::of(script).unwrap();
        assert!(shebang.present && shebang.no_writes && shebang.allow_key_locking);
        assert_eq!(shebang.body(script), b"\nreturn 1\n");
        let plain = Shebang::of(b"return 1").unwrap();
        assert_eq!((plain, plain.body(b"return 1")), (Shebang::default(), &b"return 1"[..]));
    }
}
