//! Patterns as `KEYS`, `SCAN` and `PSUBSCRIBE` take them.
//! See <https://redis.io/docs/latest/commands/keys/>.

/// Whether `text` matches `pattern`: `*`, `?`, `[a-z]`, `[^a]` and `\` before a character.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    // Where to go on after the last star, should the rest not match: only that star can give way.
    let mut retry: Option<(usize, usize)> = None;
    let (mut at, mut read) = (0, 0);
    loop {
        if at < pattern.len() && pattern[at] == b'*' {
            retry = Some((at + 1, read));
            at += 1;
            continue;
        }
        if read == text.len() {
            return at == pattern.len();
        }
        match one(&pattern[at..], text[read]) {
            Some(used) => (at, read) = (at + used, read + 1),
            None => match retry {
                Some((after_star, from)) => {
                    retry = Some((after_star, from + 1));
                    (at, read) = (after_star, from + 1);
                }
                None => return false,
            },
        }
    }
}

/// How many bytes of `pattern` match this one byte; `None` if they do not.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', rest @ ..] => class(rest, byte).map(|used| used + 1),
        [b'\\', escaped, ..] => (*escaped == byte).then_some(2),
        [literal, ..] => (*literal == byte).then_some(1),
    }
}

/// A class behind its opening bracket. One that is not closed ends with the pattern.
fn class(pattern: &[u8], byte: u8) -> Option<usize> {
    let negated = pattern.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let mut found = false;
    while let Some(&first) = pattern.get(at) {
        match (first, pattern.get(at + 1), pattern.get(at + 2)) {
            (b'\\', Some(&escaped), _) => {
                found |= escaped == byte;
                at += 2;
            }
            (b']', ..) => {
                at += 1;
                return (found != negated).then_some(at);
            }
            (low, Some(b'-'), Some(&high)) => {
                found |= (low.min(high)..=low.max(high)).contains(&byte);
                at += 3;
            }
            _ => {
                found |= first == byte;
                at += 1;
            }
        }
    }
    (found != negated).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_match_as_the_manual_says() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("h?llo", "hello", true),
            ("h?llo", "hllo", false),
            ("h*llo", "heeeello", true),
            ("h[ae]llo", "hallo", true),
            ("h[ae]llo", "hillo", false),
            ("h[^e]llo", "hello", false),
            ("h[a-b]llo", "hbllo", true),
            ("h[b-a]llo", "hallo", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*ab", "aab", true),
            ("a[", "a", false),
            ("news:*:x", "news:1:2:x", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        let pattern = "*a".repeat(50);
        assert!(!matches(pattern.as_bytes(), "b".repeat(10_000).as_bytes()));
    }
}
