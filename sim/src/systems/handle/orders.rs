//! What the futures of a client have done, carried out in order.

use super::{
    HandleProgram, Sent,
    process::{Order, Subverted, Told},
};
use crate::{
    decide::DecisionSource,
    history::{Act, Answer, Client, Event},
    mutants::Mutant,
    systems::{Step, Write, driver},
    world::Observer,
};

impl HandleProgram {
    /// Sends what was ordered and tells what was said, in order.
    pub(super) fn carry_out<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
    ) {
        while let Some(order) = self.process.next_order() {
            match order {
                Order::Call { wait, node, command } => {
                    let (act, token) = driver::meaning(&command);
                    let command = match self.process.subverted(command, act, token) {
                        Subverted::Sent(command) => command,
                        Subverted::Answered(reply) => {
                            self.process.answer(wait, Ok(reply));
                            continue;
                        }
                    };
                    step.send(me, node, driver::request(act, token, command));
                    self.sent.insert(step.host(me).calls, Sent { wait, act, token });
                }
                Order::Subscribe { node } => {
                    self.subscriptions[usize::from(node)] += 1;
                    step.subscribe(me, node);
                }
                Order::Subscribed => _ = step.is_newly_subscribed(me),
                Order::Unsubscribe { node } => {
                    let held = &mut self.subscriptions[usize::from(node)];
                    *held -= 1;
                    if *held == 0 {
                        step.unsubscribe_from(me, node);
                    }
                }
                Order::Tell(told) => {
                    tell(step, me, told);
                    if let Told::Returned { answer: Answer::Acquired, .. } = told {
                        self.acquired(step, me);
                    }
                }
            }
        }
        let process = &self.process;
        self.sent.retain(|&call, sent| {
            let mistaken = process.mutant() == Some(Mutant::RenewalForExtension);
            let awaited = process.awaits(sent.wait) || (mistaken && sent.act == Act::Extend);
            if !awaited {
                step.give_up_on(me, call);
            }
            awaited
        });
        for task in self.process.take_spawned() {
            self.spawn(task, None, None);
        }
    }
}

pub(super) fn tell<C: DecisionSource, W: Observer>(
    step: &mut Step<'_, C, W>,
    client: Client,
    told: Told,
) {
    let event = match told {
        Told::Asked { ask, by } => Event::Asked { client, ask, by: step.truth(client, by) },
        Told::Returned { ask, answer, token } => Event::Returned { client, ask, answer, token },
        Told::Held { token, fence, until } => {
            Event::Held { client, token, fence, until: step.truth(client, until) }
        }
        Told::Granted { token, fence } => return step.elected(token, fence),
        Told::Ended { token, end } => Event::Ended { client, token, end },
        Told::Acted { token, fence } => {
            if step.core.plan.scenario.acts {
                step.emit(Event::Acted { client, token });
                step.write(client, Write::Lock { token, fence }, true);
            }
            return;
        }
        Told::Debounced(event) => Event::Debounce(event),
        // Without a spread: whose of two runs at once writes last is not what is asked.
        Told::Ran { call, fence } => {
            return step.write(client, Write::Debounce { call, fence }, false);
        }
    };
    step.emit(event);
}
