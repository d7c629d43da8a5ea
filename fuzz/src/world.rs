//! Whatever befalls a cluster, the guarantees that are claimed to hold under that fault do.

use leasehold_sim::{
    campaign::CellName,
    claims::{Claims, Verdict},
    decide::Bytes,
    faults::Fault,
    guarantees::Guarantee,
    run::Run,
    subjects::Subject,
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
                let name = guarantee.name();
                assert_eq!(claim, Verdict::Broken, "{name} breaks: {}", violation.text);
            }
        }
    }
}

fn cell(byte: u8) -> (Subject, Fault) {
    const OURS: [Subject; 3] = [Subject::Lock, Subject::LockReplicated, Subject::Debounce];
    let (subject, fault) = (byte % 3, byte / 3);
    (OURS[usize::from(subject)], Fault::ALL[usize::from(fault) % Fault::ALL.len()])
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
    fn bytes_make_faults_bite() {
        let bites = |bytes: Vec<u8>| {
            let (subject, fault) = cell(bytes[0]);
            let guarantee = if subject == Subject::Debounce {
                Guarantee::DebounceFires
            } else {
                Guarantee::Exclusion
            };
            let plan = CellName { subject, guarantee, fault: Some(fault) }.plan();
            u32::from(Run::of(plan, &mut Bytes::of(&bytes[1..])).bites(fault) > 0)
        };
        assert!(inputs(300, 200).map(bites).sum::<u32>() > 100);
    }
}
