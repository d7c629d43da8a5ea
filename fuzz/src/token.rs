//! A word that names a schedule is read exactly or refused.

use leasehold_sim::schedule::Schedule;

/// Reads a word.
///
/// # Panics
///
/// If it is taken for a schedule that is written as another one.
pub fn token(bytes: &[u8]) {
    let Ok(word) = std::str::from_utf8(bytes) else { return };
    if let Ok(schedule) = word.parse::<Schedule>() {
        let again = schedule.to_string().parse::<Schedule>();
        assert_eq!(again.as_ref(), Ok(&schedule), "{word}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::{corpus, inputs, neighbours};

    #[test]
    fn noise_and_the_corpus_are_read_or_refused() {
        let words = corpus("token");
        let read = |word: &Vec<u8>| std::str::from_utf8(word).unwrap().parse::<Schedule>().is_ok();
        assert!(words.iter().any(read));
        for word in words {
            token(&word);
            neighbours(&word).for_each(|bytes| token(&bytes));
        }
        inputs(5_000, 40).for_each(|bytes| token(&bytes));
    }
}
