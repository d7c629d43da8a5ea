//! What can go wrong: one kind a file. The fake Redis never misbehaves; faults do.
//!
//! A fault is **injected** when the world decides so, and **takes effect** when it changes what
//! would have happened: a message dropped, an acknowledged write lost, a timer that fired late. A
//! schedule in which a fault was switched on but had no effect does not count for that fault.

use crate::{
    decide::{Address, DecisionSource, for_each_fault},
    history::Client,
    world::{Cancelled, Deferred, Fate, Faults, Message, Observer, Silence, Step, System},
};

pub use crate::decide::{Fault, FaultSet};

/// Every fault: each in turn, in the order of the table, at each place of the world.
#[derive(Clone, Copy, Debug)]
pub enum All {}

macro_rules! faults {
    ($($variant:ident $module:ident $name:literal $place:literal $cause:literal;)*) => {
        $(mod $module;)*

        impl Fault {
            /// The decision at `site` in words: when, whom, and how.
            pub(crate) fn describe(self, address: Address, choice: u32) -> String {
                match self { $(Self::$variant => $module::describe(address, choice)),* }
            }

            /// What an onlooker sees as it is injected into `who`, if it hits a client.
            pub(crate) fn injection(self, who: &str, choice: u32) -> String {
                match self { $(Self::$variant => $module::injection(who, choice)),* }
            }

            /// What an onlooker sees as it takes effect, if that is news after [`Fault::injection`].
            pub(crate) fn effect(self, who: &str, call: u32) -> Option<String> {
                match self { $(Self::$variant => $module::effect(who, call)),* }
            }
        }

        impl<S: System> Faults<S> for All {
            #[inline]
            fn starting<C: DecisionSource, W: Observer>(step: &mut Step<'_, S, C, W>, client: Client) {
                $(<$module::$variant as Faults<S>>::starting(step, client);)*
            }

            #[inline]
            fn stepping<C: DecisionSource, W: Observer>(
                step: &mut Step<'_, S, C, W>,
                program: &mut S::Program,
                client: Client,
                what: Deferred,
            ) -> bool {
                $(<$module::$variant as Faults<S>>::stepping(step, program, client, what))||*
            }

            #[inline]
            fn awaiting<C: DecisionSource, W: Observer>(
                step: &mut Step<'_, S, C, W>,
                client: Client,
                with_handle: bool,
            ) -> Cancelled {
                $(match <$module::$variant as Faults<S>>::awaiting(step, client, with_handle) {
                    Cancelled::No => {}
                    cancelled => return cancelled,
                })*
                Cancelled::No
            }

            #[inline]
            fn cancelling<C: DecisionSource, W: Observer>(step: &mut Step<'_, S, C, W>, client: Client) {
                $(<$module::$variant as Faults<S>>::cancelling(step, client);)*
            }

            #[inline]
            fn sending<C: DecisionSource, W: Observer>(
                step: &mut Step<'_, S, C, W>,
                client: Client,
                node: u8,
                call: u32,
            ) {
                $(<$module::$variant as Faults<S>>::sending(step, client, node, call);)*
            }

            #[inline]
            fn delay<C: DecisionSource, W: Observer>(
                step: &mut Step<'_, S, C, W>,
                wire: u8,
                number: u32,
            ) -> u64 {
                0 $(+ <$module::$variant as Faults<S>>::delay(step, wire, number))*
            }

            #[inline]
            fn leaving<C: DecisionSource, W: Observer>(
                step: &mut Step<'_, S, C, W>,
                message: &Message<S>,
            ) {
                $(<$module::$variant as Faults<S>>::leaving(step, message);)*
            }

            #[inline]
            fn request_fate<C: DecisionSource, W: Observer>(
                step: &mut Step<'_, S, C, W>,
                message: &Message<S>,
            ) -> Fate {
                $(match <$module::$variant as Faults<S>>::request_fate(step, message) {
                    Fate::Arrives => {}
                    fate => return fate,
                })*
                Fate::Arrives
            }

            #[inline]
            fn arrived<C: DecisionSource, W: Observer>(
                step: &mut Step<'_, S, C, W>,
                message: &Message<S>,
            ) {
                $(<$module::$variant as Faults<S>>::arrived(step, message);)*
            }

            #[inline]
            fn reaching<C: DecisionSource, W: Observer>(
                step: &mut Step<'_, S, C, W>,
                message: &Message<S>,
            ) {
                $(<$module::$variant as Faults<S>>::reaching(step, message);)*
            }

            #[inline]
            fn serving<C: DecisionSource, W: Observer>(
                step: &mut Step<'_, S, C, W>,
                message: &Message<S>,
            ) -> Silence {
                $(match <$module::$variant as Faults<S>>::serving(step, message) {
                    Silence::None => {}
                    silence => return silence,
                })*
                Silence::None
            }

            #[inline]
            fn applying<C: DecisionSource, W: Observer>(
                step: &mut Step<'_, S, C, W>,
                message: &Message<S>,
            ) {
                $(<$module::$variant as Faults<S>>::applying(step, message);)*
            }

            #[inline]
            fn applied<C: DecisionSource, W: Observer>(
                step: &mut Step<'_, S, C, W>,
                message: &Message<S>,
            ) {
                $(<$module::$variant as Faults<S>>::applied(step, message);)*
            }

            #[inline]
            fn resending<C: DecisionSource, W: Observer>(
                step: &mut Step<'_, S, C, W>,
                message: &Message<S>,
            ) -> bool {
                $(<$module::$variant as Faults<S>>::resending(step, message))||*
            }

            #[inline]
            fn answering<C: DecisionSource, W: Observer>(
                step: &mut Step<'_, S, C, W>,
                message: &Message<S>,
            ) {
                $(<$module::$variant as Faults<S>>::answering(step, message);)*
            }

            #[inline]
            fn reply_fate<C: DecisionSource, W: Observer>(
                step: &mut Step<'_, S, C, W>,
                message: &Message<S>,
            ) -> Fate {
                $(match <$module::$variant as Faults<S>>::reply_fate(step, message) {
                    Fate::Arrives => {}
                    fate => return fate,
                })*
                Fate::Arrives
            }

            #[inline]
            fn broken<C: DecisionSource, W: Observer>(
                step: &mut Step<'_, S, C, W>,
                message: &Message<S>,
            ) {
                $(<$module::$variant as Faults<S>>::broken(step, message);)*
            }

            #[inline]
            fn loses_notification<C: DecisionSource, W: Observer>(
                step: &mut Step<'_, S, C, W>,
                client: Client,
                node: u8,
                number: u32,
            ) -> bool {
                $(<$module::$variant as Faults<S>>::loses_notification(step, client, node, number))||*
            }

            #[inline]
            fn replicating<C: DecisionSource, W: Observer>(
                step: &mut Step<'_, S, C, W>,
                replica: u8,
                write: u32,
            ) -> u64 {
                0 $(+ <$module::$variant as Faults<S>>::replicating(step, replica, write))*
            }

            #[inline]
            fn healing<C: DecisionSource, W: Observer>(step: &mut Step<'_, S, C, W>) {
                $(<$module::$variant as Faults<S>>::healing(step);)*
            }
        }
    };
}

for_each_fault!(faults);
