//! What contenders have said in one list, in the order in which the server took it down.

use std::collections::BTreeMap;

/// Reads a history, each line `acquire <name>` or `release <name>`, and counts the turns of each.
/// Every line is said while the lock is held, so each *acquire* must be followed by the *release*
/// of the same name.
pub(crate) fn turns(history: &[String]) -> Result<BTreeMap<&str, usize>, String> {
    let mut turns = BTreeMap::new();
    let mut holder = None;
    for (number, line) in history.iter().enumerate() {
        let (what, name) = line.split_once(' ').ok_or_else(|| format!("no such line: {line}"))?;
        holder = match (what, holder) {
            ("acquire", None) => Some(name),
            ("release", Some(before)) if before == name => {
                *turns.entry(name).or_default() += 1;
                None
            }
            _ => return Err(format!("line {number}, {line}, while {holder:?} holds the lock")),
        };
    }
    match holder {
        Some(name) => Err(format!("{name} never said that it released")),
        None => Ok(turns),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(lines: &str) -> Result<usize, String> {
        let history: Vec<String> = lines.split(", ").map(str::to_owned).collect();
        turns(&history).map(|turns| turns.values().sum())
    }

    #[test]
    fn turns_one_after_another_are_counted() {
        assert_eq!(
            judge("acquire a, release a, acquire b, release b, acquire b, release b"),
            Ok(3)
        );
    }

    #[test]
    fn two_holders_at_a_time_are_noticed() {
        for overlap in [
            "acquire a, acquire b, release b, release a",
            "acquire a, acquire b, release a, release b",
            "acquire a, release b",
            "release a",
            "acquire a",
            "acquire a, acquire a, release a, release a",
        ] {
            assert!(judge(overlap).is_err(), "{overlap}");
        }
    }
}
