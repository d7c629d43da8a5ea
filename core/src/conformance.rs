//! The suite that every store must pass: one `#[test]` per case, over a fixture of the store's.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use leasehold_core::{MemoryStore, conformance::Fixture};
//!
//! struct InProcess(Arc<MemoryStore>);
//!
//! impl Fixture for InProcess {
//!     type Store = Arc<MemoryStore>;
//!
//!     fn store(&self) -> Self::Store {
//!         self.0.clone()
//!     }
//!
//!     async fn pass(&self, time: Duration) {
//!         std::thread::sleep(time); // better: move the store's clock
//!     }
//! }
//!
//! # fn block_on<F: Future<Output = ()>>(_: F) {}
//! leasehold_core::store_conformance! {
//!     run: |case| block_on(case),
//!     fixture: async { Some(InProcess(Arc::new(MemoryStore::new()))) },
//! }
//! ```
//!
//! A fixture of `None` means that the real thing is not there: the case says *skipped* and passes,
//! or fails if `LEASEHOLD_REQUIRE_REAL=1` is set.

mod debounce;
mod drops;
mod edges;
mod erased;
mod lean;
mod lock;
mod notifications;
mod subject;

use std::{
    boxed::Box,
    env, eprintln,
    future::{Future, ready},
    string::String,
    time::Duration,
};

use self::erased::{Case, DynFixture};
use crate::{
    store::Store,
    token::{Token, Tokens},
};

/// Milliseconds: long enough that no case sees it end by mistake, on a slow machine over a network.
const LONG: u64 = 60_000;
/// Milliseconds: short enough to wait for.
const SHORT: u64 = 1_000;

/// A store under test.
pub trait Fixture {
    /// The store. The suite sees it as a [`DynStore`](crate::DynStore).
    type Store: Store + Send + Sync + 'static;

    /// A handle on the store. All handles of one fixture reach the same data.
    fn store(&self) -> Self::Store;

    /// Lets this much time pass **on the store's clock**, and no less: by moving it, or by waiting.
    fn pass(&self, time: Duration) -> impl Future<Output = ()>;

    /// Whether [`Fixture::pass`] lets pass exactly the time asked for and the clock otherwise
    /// stands still, so that the edges of a lease can be tried to the millisecond. Default: no.
    fn is_exact(&self) -> bool {
        false
    }

    /// Whether the store keeps debounced calls. Default: yes. One that does not must refuse them.
    fn keeps_debounced_calls(&self) -> bool {
        true
    }

    /// Whether the store takes [lean](crate::lock::Guarantee::Lean) locks. Default: yes. One that
    /// does not must refuse them.
    fn takes_lean_locks(&self) -> bool {
        true
    }

    /// Whether the store locks any id. Default: yes. A Redis Cluster does not: it must refuse an id
    /// with a `}` that closes no hash tag, for which no other key has the same slot.
    fn locks_any_id(&self) -> bool {
        true
    }

    /// Makes the server forget every script that it has seen, as a restart does (`SCRIPT FLUSH`).
    /// Returns whether it could. Default: it cannot.
    fn forget_scripts(&self) -> impl Future<Output = bool> {
        ready(false)
    }

    /// Writes to `key` behind the store's back, as an unrelated program would. Returns whether it
    /// could. Default: it cannot.
    fn write_foreign(&self, key: &str, value: Foreign) -> impl Future<Output = bool> {
        let _ = (key, value);
        ready(false)
    }
}

/// What an unrelated program may have left under a lock's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Foreign {
    /// A string that never expires: `SET key text`.
    Text,
    /// A value of another type: `HSET key field text`.
    OtherType,
}

/// What a case needs that some stores cannot do.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// Debounced calls.
    DebouncedCalls,
    /// Lean locks.
    LeanLocks,
}

/// Runs one case on what there is, or skips it.
///
/// # Panics
///
/// If the case fails; or if it is skipped while `LEASEHOLD_REQUIRE_REAL=1`.
#[doc(hidden)]
pub fn check<'a, F: Fixture>(
    name: &'a str,
    needs: Needs,
    fixture: impl Future<Output = Option<F>> + 'a,
    case: fn(DynFixture<'_>) -> Case<'_>,
) -> Case<'a> {
    Box::pin(async move {
        let Some(fixture) = fixture.await else {
            skip(name, env::var_os("LEASEHOLD_REQUIRE_REAL").is_some_and(|real| real == "1"));
            return;
        };
        match needs {
            Needs::DebouncedCalls if !fixture.keeps_debounced_calls() => {
                unable("keep debounced calls");
            }
            Needs::LeanLocks if !fixture.takes_lean_locks() => unable("take lean locks"),
            _ => case(DynFixture::new(&fixture)).await,
        }
    })
}

fn unique() -> String {
    Tokens::from_os().fresh().as_str().into()
}

fn two_tokens() -> (Token, Token) {
    let mut tokens = Tokens::from_os();
    (tokens.fresh(), tokens.fresh())
}

/// Says that a fixture lacks what a case needs. The other cases count.
fn unable(what: &str) {
    eprintln!("skipped: this fixture cannot {what}");
}

fn skip(name: &str, required: bool) {
    assert!(!required, "{name}: skipped, but LEASEHOLD_REQUIRE_REAL=1 requires the real store");
    eprintln!("{name}: skipped, the store is not there");
}

/// Makes one `#[test]` per case of the [suite](crate::conformance).
///
/// `run` is a closure that runs a future to its end, on whatever runtime the store needs;
/// `fixture` is a future of an `Option` of a [`Fixture`](crate::conformance::Fixture), made anew
/// for each case. Cases use ids of their own, so they may share a server and run side by side.
#[macro_export]
macro_rules! store_conformance {
    (run: $run:expr, fixture: $fixture:expr $(,)?) => {
        $crate::store_conformance! { @each test [$run, $fixture] }
    };
    (@each $what:ident $with:tt) => {
        $crate::store_conformance! { @$what $with Nothing
            a_free_lock_is_taken
            a_held_lock_is_busy_for_as_long_as_it_lives
            an_acquire_sent_twice_takes_one_lock_with_one_fence
            an_acquire_sent_twice_does_not_lengthen_the_lease
            a_lease_ends_by_itself
            a_release_frees_the_lock_and_says_so_again_to_its_copy
            a_release_by_another_token_changes_nothing
            a_release_of_an_expired_lease_is_not_held
            a_released_token_is_gone_even_if_its_acquire_comes_late
            a_token_given_up_before_it_arrived_is_gone
            a_try_that_was_busy_is_gone_even_if_its_copy_comes_late
            a_busy_try_that_is_sent_twice_was_busy
            a_callers_own_token_may_be_tried_again_after_busy
            giving_up_a_try_gives_up_those_before_it
            a_tombstone_does_not_block_other_series
            a_tombstone_is_forgotten_in_time
            an_extension_reaches_its_target_however_often_it_is_sent
            an_extension_never_shortens
            an_extension_never_creates
            an_extension_by_another_token_changes_nothing
            fences_grow_with_each_grant
            a_fence_is_kept_by_extending
            an_inspection_tells_free_from_ours_from_anothers
            odd_ids_and_tokens_are_kept_apart
            tokens_are_compared_whole
            locks_of_different_ids_do_not_meet
            of_many_at_once_exactly_one_takes_the_lock
            a_lease_lives_to_its_last_millisecond_and_not_one_past_its_end
            a_lease_of_one_millisecond_ends
            the_longest_lease_is_kept_whole
            what_is_left_of_a_lease_counts_down
            an_extension_counts_from_when_it_is_applied
            an_extension_may_come_in_the_last_millisecond_and_not_later
            a_tombstone_lives_to_its_last_millisecond
            a_tombstone_made_again_lives_on
            a_fence_grows_even_if_the_last_was_forgotten
            a_busy_answer_leaves_the_holder_as_it_was
            an_extension_of_a_released_lease_is_not_held
            a_late_release_frees_nothing_of_a_later_try
            of_many_copies_of_an_acquire_one_is_fresh
            of_many_copies_of_a_release_each_says_released
            ids_with_braces_do_not_meet
            ids_are_compared_byte_for_byte
            long_ids_and_tokens_are_kept_whole
            series_with_a_common_beginning_do_not_meet
            a_key_that_never_expires_is_busy_without_end
            a_key_of_another_type_is_refused_and_left_alone
            a_fence_is_raised_by_its_holder_and_never_lowered
            a_raised_fence_is_the_least_that_follows
            a_confirmation_says_how_many_replicas_have_it
            scripts_may_be_forgotten_at_any_time
            a_release_notifies_its_subscribers
            a_release_before_the_subscription_is_seen_by_the_next_try
            a_notification_is_kept_for_who_looks_later
            every_subscriber_is_notified
            a_dropped_acquire_is_all_or_nothing
            a_dropped_release_is_all_or_nothing
            a_dropped_extension_is_all_or_nothing
        }
        $crate::store_conformance! { @$what $with LeanLocks
            a_lean_lock_is_taken_and_freed
            a_held_lean_lock_says_for_how_long_if_it_is_asked
            a_lean_acquire_that_is_asked_again_takes_one_lease
            a_lean_lock_is_changed_by_its_own_token_only
            lean_and_full_locks_exclude_one_another
            fences_of_lean_and_full_locks_grow_as_time_passes
            a_tombstone_outlives_a_lean_lock
            of_many_lean_acquires_at_once_exactly_one_takes_the_lock
            a_lean_lock_under_a_key_of_another_type_is_refused
            a_lean_release_notifies_who_waits
        }
        $crate::store_conformance! { @$what $with DebouncedCalls
            a_dropped_debounced_call_counts_once_or_never
            a_lock_and_a_debounced_call_may_share_an_id
            arguments_are_kept_byte_for_byte
            debounced_calls_of_different_ids_do_not_meet
            a_call_counts_and_is_not_due_before_its_wait
            what_is_due_is_run_with_the_newest_arguments
            a_late_copy_of_a_call_changes_nothing
            a_claim_sent_twice_is_one_run_that_others_await
            a_run_ends_once_however_often_that_is_said
            a_claim_that_comes_after_it_was_given_back_is_spent
            a_failed_run_is_due_again
            a_run_left_behind_is_taken_over_when_its_lease_is_over
            a_call_during_a_run_waits_for_its_own
            a_cancelled_call_is_not_run
            a_run_that_fails_after_a_cancellation_is_dropped
            a_flushed_call_is_due_at_once
            the_longest_wait_counts_from_the_first_call
            a_leading_call_is_due_at_once_and_the_rest_of_its_window_is_not
            a_lost_record_is_answered_as_lost_and_can_be_put_back
            a_run_counts_although_the_record_was_lost
            a_settled_record_is_forgotten_in_time
        }
    };
    (@test $with:tt $needs:ident $($case:ident)*) => {
        $( $crate::store_conformance! { @one $with $needs $case } )*
    };
    (@one [$run:expr, $fixture:expr] $needs:ident $case:ident) => {
        #[test]
        fn $case() {
            let run = $run;
            run($crate::conformance::check(
                stringify!($case),
                $crate::conformance::Needs::$needs,
                $fixture,
                $crate::conformance::cases::$case,
            ));
        }
    };
    (@boxed $with:tt $needs:ident $($case:ident)*) => {
        $(
            pub fn $case(fixture: DynFixture<'_>) -> Case<'_> {
                Box::pin(written::$case(fixture))
            }
        )*
    };
}

/// The cases as functions of one type, each compiled once. Named by what `store_conformance!` becomes, and by nobody else.
#[doc(hidden)]
pub mod cases {
    use std::boxed::Box;

    pub use super::erased::{Case, DynFixture};

    mod written {
        pub(super) use super::super::{
            debounce::*, drops::*, edges::*, lean::*, lock::*, notifications::*,
        };
    }

    crate::store_conformance! { @each boxed [] }
}

#[cfg(test)]
mod tests {
    use super::skip;

    #[test]
    fn a_missing_store_is_skipped() {
        skip("a case", false);
    }

    #[test]
    #[should_panic(expected = "LEASEHOLD_REQUIRE_REAL=1")]
    fn a_missing_store_fails_where_it_is_required() {
        skip("a case", true);
    }
}
