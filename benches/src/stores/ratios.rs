//! Ratios within one run: the machine's mood is the same for both sides of each.

use std::time::Duration;

use super::cycles::Sample;

/// One side of a comparison: runs so many cycles.
pub type Side<'a> = (&'a str, &'a dyn Fn(u64) -> Sample);

/// What of a sample is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The median of a cycle: less is better.
    P50,
    /// What all but one of a hundred cycles took at most: less is better.
    P99,
    /// Cycles per second: more is better.
    Rate,
    /// What a cycle costs the server's processor: less is better.
    ServerTime,
}

/// How long a comparison takes.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// How often all sides take their turn.
    pub rounds: usize,
    /// How many cycles a turn has.
    pub cycles: u64,
}

/// One side's result.
#[derive(Clone, Debug)]
pub struct Row {
    /// The side.
    pub name: String,
    /// The median over the rounds, in ns or in cycles per second.
    pub value: f64,
    /// The median over the rounds of the ratio to the turn of the side that all are compared with.
    pub ratio: f64,
}

/// Lets all sides take turns, round after round, and compares each with the first.
pub fn compare(measure: Measure, effort: Effort, sides: &[Side<'_>]) -> Vec<Row> {
    let [rows] = compare_by([(measure, 0)], effort, sides);
    rows
}

/// The same, by several measures of the same turns, each beside the side of that number.
pub fn compare_by<const N: usize>(
    measures: [(Measure, usize); N],
    effort: Effort,
    sides: &[Side<'_>],
) -> [Vec<Row>; N] {
    let turns = take_turns(effort, sides);
    measures.map(|(measure, beside)| rows(measure, beside, sides, &turns))
}

/// What each side did in each round.
fn take_turns(effort: Effort, sides: &[Side<'_>]) -> Vec<Vec<Sample>> {
    let mut turns = vec![Vec::new(); sides.len()];
    for (_, run) in sides {
        // Connections are made and scripts sent whole before anything counts.
        run(effort.cycles.div_ceil(10));
    }
    for _ in 0..effort.rounds {
        for ((_, run), turns) in sides.iter().zip(&mut turns) {
            turns.push(run(effort.cycles));
        }
    }
    turns
}

fn rows(measure: Measure, beside: usize, sides: &[Side<'_>], turns: &[Vec<Sample>]) -> Vec<Row> {
    let of = |samples: &Vec<Sample>| samples.iter().map(|sample| measure.of(sample)).collect();
    let values: Vec<Vec<f64>> = turns.iter().map(of).collect();
    let floor = values.get(beside).cloned().unwrap_or_default();
    let row = |((name, _), values): (&Side<'_>, &Vec<f64>)| {
        let ratios = values.iter().zip(&floor).map(|(value, floor)| value / floor).collect();
        Row { name: (*name).to_owned(), value: median(values.clone()), ratio: median(ratios) }
    };
    sides.iter().zip(&values).map(row).collect()
}

/// Prints a comparison, with what to aim at.
pub fn print(title: &str, measure: Measure, rows: &[Row], aims: &[&str]) {
    println!("\n{title}");
    for (row, aim) in rows.iter().zip(aims.iter().chain(std::iter::repeat(&""))) {
        println!("  {:<34} {:>12}   × {:.2}   {aim}", row.name, measure.show(row.value), row.ratio);
    }
}

impl Measure {
    fn of(self, sample: &Sample) -> f64 {
        match self {
            Self::P50 => sample.p50().as_nanos() as f64,
            Self::P99 => sample.p99().as_nanos() as f64,
            Self::Rate => sample.rate(),
            Self::ServerTime => sample.server_time.as_nanos() as f64 / sample.cycles as f64,
        }
    }

    fn show(self, value: f64) -> String {
        match self {
            Self::P50 | Self::P99 | Self::ServerTime => {
                format!("{:.1?}", Duration::from_nanos(value as u64))
            }
            Self::Rate => format!("{value:.0}/s"),
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn took(cycles: u64, millis: u64) -> Sample {
        Sample { cycles, elapsed: Duration::from_millis(millis), ..Sample::default() }
    }

    #[test]
    fn each_side_is_compared_with_the_first_of_its_own_round() {
        // The machine slows down with each turn that counts: the ratio does not.
        let turn = Cell::new(0);
        let floor = |cycles| {
            turn.set(turn.get() + 1);
            took(cycles, 100 * turn.get())
        };
        let subject = |cycles| took(cycles, 200 * turn.get());
        let effort = Effort { rounds: 5, cycles: 100 };
        let rows = compare(Measure::Rate, effort, &[("floor", &floor), ("subject", &subject)]);
        assert_eq!(rows.len(), 2);
        assert!((rows[0].ratio - 1.0).abs() < 1e-9);
        assert!((rows[1].ratio - 0.5).abs() < 1e-9, "{rows:?}");
    }
}
