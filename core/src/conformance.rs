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
mod lock;

use std::{boxed::Box, env, eprintln, future::Future, string::String, time::Duration};

pub use self::{debounce::*, lock::*};
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
    /// The store.
    type Store: Store;

    /// A handle on the store. All handles of one fixture reach the same data.
    fn store(&self) -> Self::Store;

    /// Lets this much time pass **on the store's clock**, and no less: by moving it, or by waiting.
    fn pass(&self, time: Duration) -> impl Future<Output = ()>;
}

/// Runs one case on what there is, or skips it.
///
/// # Panics
///
/// If the case fails; or if it is skipped while `LEASEHOLD_REQUIRE_REAL=1`.
pub async fn check<F: Fixture>(name: &str, fixture: Option<F>, case: impl AsyncFnOnce(&F) -> ()) {
    match fixture {
        // Boxed, since a case is long and the caller's runtime may be nested in a small stack.
        Some(fixture) => Box::pin(case(&fixture)).await,
        None => skip(name, env::var_os("LEASEHOLD_REQUIRE_REAL").is_some_and(|real| real == "1")),
    }
}

fn unique() -> String {
    Tokens::from_os().fresh().as_str().into()
}

fn two_tokens() -> (Token, Token) {
    let mut tokens = Tokens::from_os();
    (tokens.fresh(), tokens.fresh())
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
        $crate::store_conformance! { @cases $run, $fixture,
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
            a_callers_own_token_may_be_tried_again_after_busy
            giving_up_a_try_gives_up_those_before_it
            a_mark_does_not_block_other_series
            a_mark_is_forgotten_in_time
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
    (@cases $run:expr, $fixture:expr, $($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                let run = $run;
                run(async {
                    let fixture = $fixture.await;
                    $crate::conformance::check(
                        stringify!($case),
                        fixture,
                        $crate::conformance::$case,
                    )
                    .await;
                });
            }
        )*
    };
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
