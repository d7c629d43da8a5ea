//! What a client does with a lock: plain asynchronous code on the public handles.

use core::time::Duration;
use std::{
    convert::Infallible,
    future::{Future, IntoFuture, poll_fn},
    mem,
    pin::pin,
    sync::Arc,
    task::Poll,
};

use leasehold_core::{
    Clock,
    lock::{
        Acquire, ExtendError, HoldError, Lease, LeaseView, Lock, LossReason, NotAcquired,
        ReleaseError, Released,
    },
};

use super::{
    awaited::AwaitedCall,
    droppable::Droppable,
    own_token::OwnToken,
    process::{HandleClock, Process, Told},
};
use crate::{
    history::{Answer, Ask, Awaited, End, TokenId},
    mutants::Mutant,
};

/// How long a caller without patience waits, in µs: often long enough for its request to arrive,
/// seldom for the reply.
const LITTLE_PATIENCE: u64 = 3_500;

/// What a job does with the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Works, and gives it up.
    Brief,
    /// Works on until the lease is over, and notices.
    Overstay,
    /// Extends the lease by itself, once.
    Extend,
    /// Works for longer than a lease, in [`Acquire::hold`].
    Hold,
    /// Works, and drops the lease.
    Drop,
    /// Works for longer than a lease that is renewed in the background, and extends it meanwhile.
    Keep,
    /// Works, and gives it up without waiting for the answer.
    Detach,
    /// Goes away if it is not served at once.
    Leave,
    /// Works while a lease is renewed in the background, and drops it.
    DropKept,
}

impl Style {
    /// What may happen, the calmest first.
    pub(super) const ALL: [Self; 9] = [
        Self::Brief,
        Self::Overstay,
        Self::Extend,
        Self::Hold,
        Self::Drop,
        Self::Keep,
        Self::Detach,
        Self::Leave,
        Self::DropKept,
    ];

    /// What is left of it once everything has healed.
    pub(super) const HEALED: [Self; 4] = [Self::Brief, Self::Drop, Self::Leave, Self::DropKept];
}

/// How long things take, in µs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) lease: u64,
    pub(super) hold: u64,
    /// How long to wait for the lock, 0 to ask some times instead.
    pub(super) waits: u64,
    /// The longest that a call may take.
    pub(super) longest_call: u64,
    /// How often a lease may be renewed in the background, if there is a limit.
    pub(super) renewals: Option<u32>,
    /// The token that it brings along; else each try has another.
    pub(super) own_token: Option<OwnToken>,
}

impl Terms {
    fn acquire(&self, lock: &Lock) -> Acquire {
        match self.own_token {
            Some(own) => lock.acquire().token(own.token()),
            None => lock.acquire(),
        }
    }
}

/// One round of a client.
pub(super) struct Job {
    pub(super) process: Arc<Process>,
    pub(super) awaited: Arc<AwaitedCall>,
    pub(super) lock: Lock,
    pub(super) style: Style,
    pub(super) terms: Terms,
}

/// What an observer was told of a job, and is told when it vanishes.
struct Report {
    process: Arc<Process>,
    asked: Option<Ask>,
    token: Option<TokenId>,
    held: Option<TokenId>,
}

impl Report {
    fn ask(&mut self, ask: Ask, longest: u64) {
        self.asked = Some(ask);
        let by = self.process.now().plus_micros(longest);
        self.process.tell(Told::Asked { ask, by });
    }

    fn told(&mut self, answer: Answer) {
        if let Some(ask) = self.asked.take() {
            let token = self.token.or_else(|| self.process.last_token());
            self.process.tell(Told::Returned { ask, answer, token });
        }
    }

    /// A lease was handed out.
    fn acquired(&mut self, token: TokenId, view: LeaseView) {
        (self.token, self.held) = (Some(token), Some(token));
        self.process.holds(token, view);
        self.told(Answer::Acquired);
    }

    fn ended(&mut self, end: End) {
        if let Some(token) = self.held.take() {
            self.process.holds_no_more(token);
            self.process.tell(Told::Ended { token, end });
        }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        self.told(Answer::Dropped);
        self.ended(End::Gone);
    }
}

/// A lease that is dropped as shipped, unless a bug is planted: then nobody stops what renews it.
struct Held {
    lease: Option<Lease>,
    forgets: bool,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let (Some(lease), true) = (self.lease.take(), self.forgets) {
            mem::forget(lease);
        }
    }
}

impl Job {
    pub(super) async fn run(self) {
        let process = self.process.clone();
        let mut report = Report { process, asked: None, token: None, held: None };
        let (acquire, longest) = match self.terms.waits {
            0 => (self.terms.acquire(&self.lock), self.terms.longest_call),
            waits => (self.terms.acquire(&self.lock).within(micros(waits)), waits),
        };
        report.ask(Ask::Acquire, longest);
        if self.style == Style::Hold {
            let holding = self.hold(acquire, &mut report);
            self.awaited.answer(Awaited::Hold, holding).await;
            return;
        }
        let clock = self.clock();
        let acquiring = Droppable::new(&self.process, acquire.into_future());
        let acquiring = async {
            if self.style == Style::Leave {
                let patience = clock.now().plus_micros(LITTLE_PATIENCE);
                return before(clock.sleep_until(patience), acquiring).await;
            }
            Some(acquiring.await)
        };
        let what = if self.terms.waits == 0 { Awaited::Acquire } else { Awaited::Wait };
        match self.awaited.answer(what, acquiring).await.flatten() {
            Some(acquired) => self.acquired(acquired, &mut report).await,
            None => {
                report.told(Answer::Dropped);
                // Nobody calls meanwhile: what it is granted is given back in the background.
                clock.sleep_until(clock.now().plus_micros(self.terms.lease)).await;
            }
        }
    }

    /// Works under a lease, if there is one.
    async fn acquired(&self, acquired: Result<Lease, NotAcquired>, report: &mut Report) {
        let mut lease = match acquired {
            Ok(lease) => lease,
            Err(error) => return self.not_acquired(&error, report).await,
        };
        report.acquired(TokenId::of(lease.token()), lease.view());
        if matches!(self.style, Style::Keep | Style::DropKept) {
            let started = lease.keep_alive();
            debug_assert!(started.is_ok(), "a simulated clock runs tasks");
        }
        let forgets = self.process.mutant() == Some(Mutant::OutlivingRenewal);
        let mut held = Held { lease: Some(lease), forgets };
        let Some(lease) = &mut held.lease else { return };
        let end = self.work(lease, report).await;
        report.ended(end);
        match self.style {
            Style::Drop | Style::DropKept => self.process.drop_caller(held),
            Style::Detach => lease.release_detached().await,
            _ => {
                report.ask(Ask::Release, self.terms.longest_call);
                // If the call is dropped, so is the lease then, which is another release.
                let answer = self.awaited.answer(Awaited::Release, lease.release()).await;
                report.told(answer.map_or(Answer::Dropped, |answer| released(&answer)));
            }
        }
    }

    /// Works, maybe with an extension in the middle.
    async fn work(&self, lease: &mut Lease, report: &mut Report) -> End {
        let (token, view) = (TokenId::of(lease.token()), lease.view());
        let (pieces, more) = match self.style {
            Style::Extend => (1, 1),
            Style::Keep => (3, 2),
            Style::DropKept => (4, 0),
            _ => (2, 0),
        };
        if !self.pieces(token, &view, pieces).await {
            return End::Lost;
        }
        if more == 0 {
            return End::Releasing;
        }
        if !self.rest(&view).await {
            return End::Lost;
        }
        report.ask(Ask::Extend, self.terms.longest_call);
        let extending = lease.extend(micros(self.terms.lease));
        let result = self.awaited.answer(Awaited::Extend, extending).await;
        let result = result.map(|result| result.map(drop));
        report.told(result.as_ref().map_or(Answer::Dropped, extended));
        let lost = matches!(result, Some(Err(ExtendError::Lost(_))));
        if lost || !self.rest(&view).await || !self.pieces(token, &view, more).await {
            return End::Lost;
        }
        End::Releasing
    }

    /// Works while the lock is held; what the release finds, nobody is told.
    async fn hold(&self, acquire: Acquire, report: &mut Report) {
        let held = acquire
            .hold(async |view: LeaseView| -> Result<(), Infallible> {
                let token = self.process.last_token().expect("a lease was granted to a try");
                report.acquired(token, view.clone());
                let mut pieces = 5;
                if let Some(renewals) = self.terms.renewals {
                    // It would go on for longer than it may.
                    report.ask(Ask::Extend, (u64::from(renewals) + 1) * self.terms.lease);
                    pieces = 3 * (renewals as u8 + 2);
                }
                let lasted = self.pieces(token, &view, pieces).await;
                report.told(Answer::Unknown);
                if lasted {
                    report.ended(End::Releasing);
                    report.ask(Ask::Release, self.terms.longest_call);
                }
                Ok(())
            })
            .await;
        match held {
            Ok(()) => report.told(Answer::Unknown),
            Err(HoldError::NotAcquired(error)) => self.not_acquired(&error, report).await,
            Err(_) => report.ended(End::Lost),
        }
    }

    async fn not_acquired(&self, error: &NotAcquired, report: &mut Report) {
        // A token that the caller brought along is not spent by a try that found the lock held, of
        // which a late copy may take it yet.
        report.told(match not_acquired(error) {
            Answer::NotAcquired if self.terms.own_token.is_some() => Answer::Unknown,
            answer => answer,
        });
        if let NotAcquired::Unknown(_) = error {
            self.clear().await;
        }
    }

    /// Gives back what a call may have left behind, sooner than the next call would. What that
    /// finds is no matter of this caller's.
    async fn clear(&self) {
        let _ = self.awaited.answer(Awaited::Clear, self.lock.clear()).await;
    }

    /// Does so many pieces of work with rests in between, and says whether the lease lasted.
    async fn pieces(&self, token: TokenId, view: &LeaseView, pieces: u8) -> bool {
        for piece in 0..pieces {
            if (piece > 0 && !self.rest(view).await) || view.ensure(Duration::ZERO).is_err() {
                return false;
            }
            // The lease was good just now; a pause may fall between this step and the next.
            let clock = self.clock();
            clock.sleep_until(clock.now().plus_micros(1)).await;
            self.process.tell(Told::Acted { token, fence: view.fence().0 });
        }
        true
    }

    /// Rests until the next piece of work, and says whether the lease lasted.
    async fn rest(&self, view: &LeaseView) -> bool {
        let length = match self.style {
            Style::Overstay => self.terms.lease + self.terms.lease / 4,
            Style::DropKept | Style::Hold => self.terms.lease / 2,
            // So that it is extended just as it is renewed.
            Style::Keep => self.terms.lease / 9 * 4,
            _ => self.terms.hold,
        };
        let clock = self.clock();
        let next = clock.sleep_until(clock.now().plus_micros(length));
        let what = match self.style {
            // Whoever goes away leaves all of it.
            Style::Hold => return before(next, view.lost()).await.is_none(),
            Style::Keep | Style::DropKept => Awaited::Kept,
            _ => Awaited::Work,
        };
        let lasts = async { before(next, view.lost()).await.is_none() };
        self.awaited.answer(what, lasts).await == Some(true)
    }

    fn clock(&self) -> HandleClock {
        HandleClock(self.process.clone())
    }
}

/// What `future` comes to, if it does before `limit` completes; else it is dropped.
pub(super) async fn before<T>(
    limit: impl Future<Output = ()>,
    future: impl Future<Output = T>,
) -> Option<T> {
    let (mut limit, mut future) = (pin!(limit), pin!(future));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => limit.as_mut().poll(context).map(|()| None),
    })
    .await
}

fn not_acquired(error: &NotAcquired) -> Answer {
    match error {
        NotAcquired::Busy { .. } | NotAcquired::NotDurable { .. } | NotAcquired::Queued => {
            Answer::NotAcquired
        }
        NotAcquired::Revoked => Answer::Spent,
        NotAcquired::Rejected(_) => Answer::Refused,
        NotAcquired::Unavailable(_) => Answer::Unavailable,
        _ => Answer::Unknown,
    }
}

fn extended(result: &Result<(), ExtendError>) -> Answer {
    match result {
        Ok(()) => Answer::Extended,
        Err(ExtendError::Lost(LossReason::Taken)) => Answer::Taken,
        Err(ExtendError::Lost(_)) => Answer::Expired,
        Err(ExtendError::Unavailable(_)) => Answer::Unavailable,
        Err(ExtendError::Rejected(_)) => Answer::Refused,
        Err(_) => Answer::Unknown,
    }
}

fn released(result: &Result<Released, ReleaseError>) -> Answer {
    match result {
        Ok(Released::Released) => Answer::Released,
        Ok(Released::NotHeld) => Answer::NotHeld,
        Err(ReleaseError::Unavailable(_)) => Answer::Unavailable,
        Err(ReleaseError::Rejected(_)) => Answer::Refused,
        Err(_) => Answer::Unknown,
    }
}

fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}
