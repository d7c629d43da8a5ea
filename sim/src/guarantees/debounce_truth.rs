//! Every call returns, and truly: one that is said to be run, superseded or cancelled has been, and one
//! that is said not to count does not.

use std::collections::BTreeSet;

use super::{CLIENTS, Checker, SharedHistory, calls::name};
use crate::history::{CallAnswer, CallId, DebounceEvent, Event};

#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct DebounceTruth {
    /// The newest call that was run with success, as its runner says.
    ran: usize,
    /// The newest call that each client ran with success.
    ran_by: [usize; CLIENTS],
    /// What upstream has promised to take care of.
    promised: Option<(usize, CallId)>,
    effect: usize,
    /// Calls up to this one were dropped, at somebody's word.
    cancelled: usize,
    /// The calls that have not returned.
    open: BTreeSet<CallId>,
    /// The calls that were said not to count.
    denied: Vec<CallId>,
    pub(super) exercised: bool,
}

impl Checker for DebounceTruth {
    #[inline]
    fn observe(&mut self, _at: u64, event: &Event, shared: &SharedHistory) -> Result<(), String> {
        match *event {
            Event::Debounce(DebounceEvent::RunEnded { client, call, success: true }) => {
                let order = shared.calls.order(call);
                self.ran = self.ran.max(order);
                let ran = &mut self.ran_by[usize::from(client)];
                *ran = order.max(*ran);
            }
            Event::Debounce(DebounceEvent::Wrote { call, accepted: true, .. }) => {
                self.effect = self.effect.max(shared.calls.order(call));
            }
            Event::Debounce(DebounceEvent::Cancelled) => {
                self.cancelled = shared.calls.counted();
            }
            Event::Debounce(DebounceEvent::Called { call, .. }) => {
                self.open.insert(call);
            }
            Event::Debounce(DebounceEvent::Returned { client, call, answer }) => {
                self.exercised |= !matches!(answer, CallAnswer::Dropped | CallAnswer::Open);
                self.open.remove(&call);
                let order = shared.calls.order(call);
                return self.observer(answer, call, order, self.ran_by[usize::from(client)]);
            }
            Event::Debounce(DebounceEvent::Armed { call }) if self.denied.contains(&call) => {
                return Err(format!(
                    "{} counts, although it was told that it does not",
                    name(call)
                ));
            }
            Event::Finished => {
                if let Some(call) = self.open.first() {
                    return Err(format!("{} never returns", name(*call)));
                }
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
}

impl DebounceTruth {
    fn observer(
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
            CallAnswer::Cancelled => {
                (order == 0 || order > self.cancelled).then_some("it was cancelled")
            }
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
    use crate::history::{CallAnswer, DebounceEvent, Event};

    fn verdict(story: &[Event]) -> Option<String> {
        observer(Guarantee::DebounceTruth, story)
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
    fn accepts_that_a_call_was_cancelled_if_it_was_and_rejects_that_a_later_one_was() {
        let cancelled = Event::Debounce(DebounceEvent::Cancelled);
        let older = [armed(0, 1), cancelled, returned(call(0, 1), CallAnswer::Cancelled)];
        assert_eq!(verdict(&older), None);
        let newer =
            [armed(0, 1), cancelled, armed(1, 1), returned(call(1, 1), CallAnswer::Cancelled)];
        assert!(verdict(&newer).is_some());
    }

    #[test]
    fn rejects_a_call_that_never_returns() {
        let called = Event::Debounce(DebounceEvent::Called { client: 0, call: call(0, 1) });
        assert!(verdict(&[called, armed(0, 1), Event::Finished]).is_some());
        let back = returned(call(0, 1), CallAnswer::Open);
        assert_eq!(verdict(&[called, armed(0, 1), back, Event::Finished]), None);
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
