//! Text in no more columns than every terminal has.

pub(crate) use leasehold_sim::words::{WIDTH, wrap};

/// Breaks the lines of `text` that are too long; what follows stands below where the sentence began.
#[must_use]
pub(crate) fn fit(text: &str) -> String {
    text.lines().map(|line| broken(line) + "\n").collect()
}

fn broken(line: &str) -> String {
    if line.chars().count() <= WIDTH {
        return line.into();
    }
    let indent = indent(line);
    let head: String = line.chars().take(indent).collect();
    wrap(&head, line[head.len()..].trim_start())
}

/// Where the sentence of a line begins: behind its bullet, or behind its time (`12.5 ms *`).
fn indent(line: &str) -> usize {
    let blank = line.chars().take_while(|&sign| sign == ' ').count();
    let rest = &line[blank..];
    let time = rest.split_once(" ms ").filter(|(number, _)| number.parse::<f64>().is_ok());
    match time {
        Some((number, _)) => blank + number.len() + " ms   ".len(),
        None if rest.starts_with("- ") => blank + 2,
        None => blank,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_goes_on_below_its_sentence() {
        let words = "word ".repeat(20);
        let cases = [
            (format!("  152.0 ms * {words}"), 13),
            (format!("    0.0 ms   {words}"), 13),
            (format!("  - {words}"), 4),
            (format!("    {words}"), 4),
            (words, 0),
        ];
        for (line, indent) in cases {
            let fitted = fit(&line);
            let mut lines = fitted.lines();
            assert_eq!(lines.next().map(|first| line.starts_with(first)), Some(true), "{fitted}");
            let second = lines.next().unwrap();
            assert_eq!(second.find("word"), Some(indent), "{fitted}");
            assert!(fitted.lines().all(|line| line.chars().count() <= WIDTH), "{fitted}");
            assert_eq!(fitted.matches("word").count(), 20);
        }
    }

    #[test]
    fn what_fits_and_what_cannot_be_broken_stays() {
        let token = format!("  Replay: leasehold replay lh1_{}\n", "A".repeat(100));
        assert!(fit(&token).contains(&"A".repeat(100)));
        assert_eq!(fit("one\n\n  two\n"), "one\n\n  two\n");
    }
}
