//! What a call returns is true: a call that is said to be run or superseded has been.

use super::{CLIENTS, Checker, Ledger, calls::name};
use crate::history::{CallAnswer, CallId, DebounceEvent, Event};

#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct DebounceTruth {
    /// The newest call that was run with success, as its runner says.
    ran: usize,
    /// The last call that each client ran with success.
    ran_by: [usize; CLIENTS],
    /// What upstream has promised to take care of.
    promised: Option<(usize, CallId)>,
    effect: usize,
    /// The calls that were said not to count.
    denied: Vec<CallId>,
    exercised: bool,
}

impl Checker for DebounceTruth {
    #[inline]
    fn observe(&mut self, _at: u64, event: &Event, ledger: &Ledger) -> Result<(), String> {
        match *event {
            Event::Debounce(DebounceEvent::RunEnded { client, call, success: true }) => {
                let order = ledger.calls.order(call);
                self.ran = self.ran.max(order);
                self.ran_by[usize::from(client)] = order;
            }
            Event::Debounce(DebounceEvent::Wrote { call, accepted: true, .. }) => {
                self.effect = self.effect.max(ledger.calls.order(call));
            }
            Event::Debounce(DebounceEvent::Returned { client, call, answer }) => {
                self.exercised = true;
                let order = ledger.calls.order(call);
                return self.judge(answer, call, order, self.ran_by[usize::from(client)]);
            }
            Event::Debounce(DebounceEvent::Armed { call }) if self.denied.contains(&call) => {
                return Err(format!(
                    "{} counts, although it was told that it does not",
                    name(call)
                ));
            }
            Event::Finished => {
                if let Some((_, call)) = self.promised.filter(|&(order, _)| order > self.effect) {
                    return Err(format!(
                        "{} returns as if all were well, but neither it nor a newer one is ever run",
                        name(call)
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn exercised(&self) -> bool {
        self.exercised
    }
}

impl DebounceTruth {
    fn judge(
        &mut self,
        answer: CallAnswer,
        call: CallId,
        order: usize,
        ran_here: usize,
    ) -> Result<(), String> {
        let lie = match answer {
            CallAnswer::Fired => (order == 0 || ran_here < order).then_some("it has run it"),
            CallAnswer::FiredElsewhere => (self.ran < order).then_some("another has run it"),
            CallAnswer::Superseded => (self.ran <= order).then_some("a newer one has been run"),
            CallAnswer::TakenCareOf => {
                if self.promised.is_none_or(|(promised, _)| promised < order) {
                    self.promised = Some((order, call));
                }
                None
            }
            CallAnswer::NotCounted => {
                self.denied.push(call);
                (order > 0).then_some("it does not count")
            }
            // Nobody cancels in this workload.
            CallAnswer::Cancelled => Some("it was cancelled"),
            CallAnswer::Dropped | CallAnswer::Open => None,
        };
        match lie {
            Some(lie) => Err(format!("{} is told that {lie}, which is not true", name(call))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Guarantee, stories::*};
    use crate::history::{CallAnswer, Event};

    fn verdict(story: &[Event]) -> Option<String> {
        judge(Guarantee::DebounceTruth, story)
    }

    #[test]
    fn accepts_true_answers() {
        let (older, newer) = (call(1, 1), call(0, 1));
        let story = [
            armed(1, 1),
            armed(0, 1),
            run_ended(newer, true),
            took_effect(newer),
            returned(newer, CallAnswer::Fired),
            returned(older, CallAnswer::Superseded),
            returned(older, CallAnswer::TakenCareOf),
            Event::Finished,
        ];
        assert_eq!(verdict(&story), None);
    }

    #[test]
    fn rejects_untrue_answers() {
        let mine = call(0, 1);
        for answer in [CallAnswer::Fired, CallAnswer::FiredElsewhere, CallAnswer::Superseded] {
            let story = [armed(0, 1), run_ended(mine, false), returned(mine, answer)];
            assert!(verdict(&story).is_some(), "{answer:?}");
        }
        for answer in [CallAnswer::Cancelled, CallAnswer::NotCounted] {
            assert!(verdict(&[armed(0, 1), returned(mine, answer)]).is_some(), "{answer:?}");
        }
        assert!(verdict(&[returned(mine, CallAnswer::NotCounted), armed(0, 1)]).is_some());
        let promise = [armed(0, 1), returned(mine, CallAnswer::TakenCareOf), Event::Finished];
        assert!(verdict(&promise).is_some());
    }
}
