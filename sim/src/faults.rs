//! What can go wrong: one kind a file. The fake Redis never misbehaves; faults do.
//!
//! A fault **strikes** when the world decides that it does, and **bites** when it changes what
//! would have happened: a message dropped, an acknowledged write lost, a timer that fired late. A
//! schedule in which a fault was switched on but did not bite does not count for that fault.

use crate::{
    decide::{Chance, Site, for_each_fault},
    history::Client,
    world::{Cancelled, Deferred, Fate, Faults, Message, Silence, Step, System, Watch},
};

pub use crate::decide::{Fault, FaultSet};

/// Every fault: each in turn, in the order of the table, at each place of the world.
#[derive(Clone, Copy, Debug)]
pub enum All {}

macro_rules! faults {
    ($($variant:ident $module:ident $name:literal $cause:literal;)*) => {
        $(mod $module;)*

        impl Fault {
            /// The decision at `site` in words: when, whom, and how.
            pub(crate) fn describe(self, site: Site, choice: u32) -> String {
                match self { $(Self::$variant => $module::describe(site, choice)),* }
            }

            /// What an onlooker sees as it strikes `who`, if it strikes a client.
            pub(crate) fn strike(self, who: &str, choice: u32) -> String {
                match self { $(Self::$variant => $module::strike(who, choice)),* }
            }

            /// What an onlooker sees as it bites, if that is news after [`Fault::strike`].
            pub(crate) fn bite(self, who: &str, call: u32) -> Option<String> {
                match self { $(Self::$variant => $module::bite(who, call)),* }
            }
        }

        impl<S: System> Faults<S> for All {
            fn starting<C: Chance, W: Watch>(step: &mut Step<'_, S, C, W>, client: Client) {
                $(<$module::$variant as Faults<S>>::starting(step, client);)*
            }

            fn stepping<C: Chance, W: Watch>(
                step: &mut Step<'_, S, C, W>,
                program: &mut S::Program,
                client: Client,
                what: Deferred,
            ) -> bool {
                $(<$module::$variant as Faults<S>>::stepping(step, program, client, what))||*
            }

            fn awaiting<C: Chance, W: Watch>(
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

            fn cancelling<C: Chance, W: Watch>(step: &mut Step<'_, S, C, W>, client: Client) {
                $(<$module::$variant as Faults<S>>::cancelling(step, client);)*
            }

            fn sending<C: Chance, W: Watch>(
                step: &mut Step<'_, S, C, W>,
                client: Client,
                node: u8,
                call: u32,
            ) {
                $(<$module::$variant as Faults<S>>::sending(step, client, node, call);)*
            }

            fn delay<C: Chance, W: Watch>(
                step: &mut Step<'_, S, C, W>,
                wire: u8,
                number: u32,
            ) -> u64 {
                0 $(+ <$module::$variant as Faults<S>>::delay(step, wire, number))*
            }

            fn leaving<C: Chance, W: Watch>(
                step: &mut Step<'_, S, C, W>,
                message: &Message<S>,
            ) {
                $(<$module::$variant as Faults<S>>::leaving(step, message);)*
            }

            fn request_fate<C: Chance, W: Watch>(
                step: &mut Step<'_, S, C, W>,
                message: &Message<S>,
            ) -> Fate {
                $(match <$module::$variant as Faults<S>>::request_fate(step, message) {
                    Fate::Arrives => {}
                    fate => return fate,
                })*
                Fate::Arrives
            }

            fn arrived<C: Chance, W: Watch>(
                step: &mut Step<'_, S, C, W>,
                message: &Message<S>,
            ) {
                $(<$module::$variant as Faults<S>>::arrived(step, message);)*
            }

            fn reaching<C: Chance, W: Watch>(
                step: &mut Step<'_, S, C, W>,
                message: &Message<S>,
            ) {
                $(<$module::$variant as Faults<S>>::reaching(step, message);)*
            }

            fn serving<C: Chance, W: Watch>(
                step: &mut Step<'_, S, C, W>,
                message: &Message<S>,
            ) -> Silence {
                $(match <$module::$variant as Faults<S>>::serving(step, message) {
                    Silence::None => {}
                    silence => return silence,
                })*
                Silence::None
            }

            fn answering<C: Chance, W: Watch>(
                step: &mut Step<'_, S, C, W>,
                message: &Message<S>,
            ) {
                $(<$module::$variant as Faults<S>>::answering(step, message);)*
            }

            fn reply_fate<C: Chance, W: Watch>(
                step: &mut Step<'_, S, C, W>,
                message: &Message<S>,
            ) -> Fate {
                $(match <$module::$variant as Faults<S>>::reply_fate(step, message) {
                    Fate::Arrives => {}
                    fate => return fate,
                })*
                Fate::Arrives
            }

            fn replicating<C: Chance, W: Watch>(
                step: &mut Step<'_, S, C, W>,
                replica: u8,
                write: u32,
            ) -> u64 {
                0 $(+ <$module::$variant as Faults<S>>::replicating(step, replica, write))*
            }

            fn healing<C: Chance, W: Watch>(step: &mut Step<'_, S, C, W>) {
                $(<$module::$variant as Faults<S>>::healing(step);)*
            }
        }
    };
}

for_each_fault!(faults);
