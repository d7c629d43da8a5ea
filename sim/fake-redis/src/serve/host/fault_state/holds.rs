//! Requests that are held until somebody lets them go.

use std::sync::Arc;

use tokio::sync::Notify;

use super::{FaultState, Host};
use crate::faults::{Effects, Held, InjectionId, Until};

/// The requests that wait.
#[derive(Debug, Default)]
pub(super) struct Holds(Vec<Parked>);

#[derive(Debug)]
struct Parked {
    rule: String,
    injection: InjectionId,
    until: Until,
    free: Arc<Notify>,
}

/// A request that waits, for as long as this lives.
#[derive(Debug)]
struct Place<'a> {
    host: &'a Host,
    injection: InjectionId,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let injection = self.injection;
        self.host.with_fault_state(|state, _| {
            state.holds.0.retain(|parked| parked.injection != injection);
        });
    }
}

impl FaultState {
    /// Parks a request: from now on it can be released.
    pub(super) fn park(&mut self, held: &Held) {
        let rule = self.faults.rule_of(held.injection).unwrap_or_default();
        let (injection, until) = (held.injection, held.until);
        self.holds.0.push(Parked { rule, injection, until, free: Arc::default() });
    }

    /// Lets those go that wait for any other request: one was executed.
    pub(super) fn pass_holds(&mut self) {
        let passed = |parked: &Parked| parked.until == Until::Next;
        self.let_go(passed, "another request was executed first");
    }

    /// Lets those go whose rule is not in force any more.
    pub(super) fn drop_holds(&self) {
        for parked in &self.holds.0 {
            if !self.faults.has(&parked.rule) {
                parked.free.notify_one();
            }
        }
    }

    fn let_go(&mut self, whom: impl Fn(&Parked) -> bool, effect: &str) -> usize {
        let mut count = 0;
        for parked in self.holds.0.iter().filter(|parked| whom(parked)) {
            parked.free.notify_one();
            self.faults.take_effect(parked.injection, effect);
            count += 1;
        }
        count
    }
}

impl Host {
    /// Lets the requests go that the rule of this name holds, and says how many there are. They are
    /// executed soon after. `None` if there is no such rule.
    pub fn release(&self, rule: &str) -> Option<usize> {
        self.with_fault_state(|state, _| {
            let known = state.faults.has(rule);
            known.then(|| state.let_go(|parked| parked.rule == rule, "held until it was released"))
        })
    }

    /// Waits as long as the effects say, then sets the clock as they say. A dropped future lets a
    /// request that is held be forgotten.
    pub(in crate::serve) async fn until_due(&self, effects: &Effects) {
        // From now on, so that a future that is dropped during the delay leaves nothing behind.
        let place =
            effects.hold.as_ref().map(|held| Place { host: self, injection: held.injection });
        if !effects.delay.is_zero() {
            self.clock.sleep(effects.delay).await;
            self.until_free().await;
        }
        if let Some(held) = &effects.hold {
            self.hold(held).await;
            self.until_free().await;
        }
        drop(place);
        if effects.jump_us != 0 {
            self.clock.jump(effects.jump_us);
            self.sooner.notify_one();
        }
    }

    async fn hold(&self, held: &Held) {
        let free = self.with_fault_state(|state, _| {
            let parked = state.holds.0.iter().find(|parked| parked.injection == held.injection);
            parked.map(|parked| Arc::clone(&parked.free))
        });
        let Some(free) = free else { return };
        let limit = async {
            match held.at_most {
                Some(time) => self.clock.sleep(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = free.notified() => {}
            () = self.stopping() => {}
            () = limit => self.with_faults(|faults| {
                faults.take_effect(held.injection, "held for as long as the rule says");
            }),
        }
    }
}
