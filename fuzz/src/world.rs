//! Whatever befalls a cluster, the guarantees that are claimed to hold under that fault do.

use leasehold_sim::{
    catalog::{CellName, Subject, Verdict},
    claims::Claims,
    decide::{Bytes, Recording},
    faults::Fault,
    guarantees::Guarantee,
    schedule::Schedule,
    systems::Run,
};

/// Runs one schedule: the first byte picks a subject of ours and a kind of fault, the others are
/// what is decided.
///
/// # Panics
///
/// If a guarantee breaks that is claimed to hold.
pub fn world(bytes: &[u8]) {
    let Some((&first, decisions)) = bytes.split_first() else { return };
    let (subject, fault) = cell(first);
    if !subject.can_suffer(fault) {
        return;
    }
    for &workload in subject.workloads() {
        let of = |guarantee| CellName { subject, guarantee, fault: Some(fault) };
        let mine = || Guarantee::ALL.iter().copied().filter(|it| it.workload() == workload);
        let Some(any) = mine().next() else { continue };
        let run = Run::of(of(any).plan(), &mut Bytes::of(decisions));
        for guarantee in mine() {
            if let Some(violation) = run.violation(guarantee) {
                let claim = Claims::current().of(of(guarantee));
                let word = word(of(guarantee), decisions);
                let (name, text) = (guarantee.name(), &violation.text);
                assert_eq!(claim, Verdict::Broken, "{name} breaks: {text}; a regression: {word}");
            }
        }
    }
}

/// The schedule that these bytes decide, for `leasehold replay` and `sim/regressions.txt`.
fn word(cell: CellName, bytes: &[u8]) -> String {
    let mut recording = Recording::of(Bytes::of(bytes));
    let _judged = Run::of(cell.plan(), &mut recording);
    Schedule::of(cell, recording.into_decisions()).to_string()
}

fn cell(byte: u8) -> (Subject, Fault) {
    const OURS: [Subject; 6] = [
        Subject::Lock,
        Subject::LockReplicated,
        Subject::Debounce,
        Subject::Quorum,
        Subject::LockAcked,
        Subject::LockAckedAny,
    ];
    let (subject, fault) = (usize::from(byte) % OURS.len(), usize::from(byte) / OURS.len());
    (OURS[subject], Fault::ALL[fault % Fault::ALL.len()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::{corpus, inputs, neighbours};

    #[test]
    fn noise_and_the_corpus_break_no_promise() {
        for bytes in corpus("world") {
            world(&bytes);
            neighbours(&bytes).step_by(7).for_each(|bytes| world(&bytes));
        }
        inputs(2_000, 200).for_each(|bytes| world(&bytes));
    }

    #[test]
    fn bytes_that_break_a_promise_are_told_as_a_word_that_breaks_it_again() {
        let guarantee = Guarantee::Exclusion;
        let fault = Some(Fault::Failover);
        let cell = CellName { subject: Subject::LockReplicated, guarantee, fault };
        let breaks = |bytes: &Vec<u8>| {
            Run::of(cell.plan(), &mut Bytes::of(bytes)).violation(guarantee).is_some()
        };
        let bytes = inputs(2_000, 200).find(breaks).expect("a failover can lose a lock");
        let schedule: Schedule = word(cell, &bytes).parse().unwrap();
        assert!(Run::replayed(schedule.plan(), &schedule.decisions).violation(guarantee).is_some());
    }

    #[test]
    fn the_corpus_begins_with_each_of_ours() {
        let mut subjects: Vec<_> = corpus("world").iter().map(|bytes| cell(bytes[0]).0).collect();
        subjects.sort_unstable();
        subjects.dedup();
        assert_eq!(subjects.len(), 6);
    }

    #[test]
    fn bytes_make_faults_bite() {
        let effects = |bytes: Vec<u8>| {
            let (subject, fault) = cell(bytes[0]);
            let guarantee = if subject == Subject::Debounce {
                Guarantee::DebounceFires
            } else {
                Guarantee::Exclusion
            };
            let plan = CellName { subject, guarantee, fault: Some(fault) }.plan();
            u32::from(Run::of(plan, &mut Bytes::of(&bytes[1..])).effects(fault) > 0)
        };
        assert!(inputs(300, 200).map(effects).sum::<u32>() > 100);
    }
}
