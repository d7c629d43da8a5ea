//! All that is seen of one run, in order: its history, its messages, and what was decided when.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use crate::{
    decide::{Address, DecisionSource, Decisions, Replay},
    guarantees::{CheckerSet, Guarantee, Violation},
    history::{Client, Event, TokenId},
    systems::{Plan, World},
    world::{Observer, Transit},
};

/// How long a story goes on after the promise is broken, so that what is on its way arrives.
const LANDING: u64 = 5_000;

/// How long a story of two holders goes on at most, until what both wrote has reached the resource.
const AFTERMATH: u64 = 2_000_000;

/// One thing that was seen.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    /// It belongs to the history.
    Event(Event),
    /// It is about a message, which says this.
    Transit(Transit, String),
    /// Something was decided other than the calmest.
    Chosen(Address),
    /// A client does this, in words.
    Did(Client, String),
    /// A client enters a part of its code that excludes others, or leaves it.
    Crossed { client: Client, section: Arc<str>, enters: bool },
    /// A server has a key of the user's own otherwise than before.
    Kept {
        node: u8,
        /// Whose request made it so.
        by: Option<Client>,
        key: String,
        now: Option<Kept>,
    },
}

/// What a server has under a key of the user's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// The value, in words.
    pub(crate) value: String,
    /// From when on it is gone, in true time.
    pub(crate) expires: u64,
}

/// A run, as it was seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) seen: Vec<(u64, Seen)>,
    /// What broke the promise, and where in `seen`.
    pub(crate) violation: Option<(Violation, usize)>,
    /// The two grants that were held at once.
    pub(crate) clash: Option<Clash>,
    /// Until when it is told.
    pub(crate) end: u64,
}

/// Two grants that were held at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clash {
    /// Under this one, somebody acts
    pub(crate) older: TokenId,
    /// although this one is held.
    pub(crate) newer: TokenId,
    /// How many times somebody had acted under the older one by then.
    pub(crate) acts: usize,
}

impl Record {
    /// Runs a plan with these decisions, until the guarantee is broken and its aftermath is over, or
    /// to the end.
    pub(crate) fn of(plan: Plan, guarantee: Guarantee, decisions: &Decisions) -> Self {
        let chosen = Chosen::default();
        let mut source = chosen.noting(Replay::of(decisions));
        let mut recorder = Recorder::judging(guarantee, chosen);
        let mut world = World::new(plan);
        world.begin(&mut source, &mut recorder);
        while !recorder.is_over(world.now()) && world.step(&mut source, &mut recorder) {}
        recorder.into_record(world.now())
    }

    /// What happens later than `end` is left out.
    pub(crate) fn cut(&mut self, end: u64) {
        let kept = self.seen.partition_point(|(at, _)| *at <= end);
        self.seen.truncate(kept);
        self.end = end;
    }

    /// Its history up to the event that broke the promise, or to the end.
    pub(crate) fn history(&self) -> Vec<(u64, Event)> {
        let last = self.violation.as_ref().map_or(self.seen.len(), |(_, index)| index + 1);
        self.events(..last).collect()
    }

    /// The history of a part of what was seen.
    pub(crate) fn events(
        &self,
        part: impl std::slice::SliceIndex<[(u64, Seen)], Output = [(u64, Seen)]>,
    ) -> impl Iterator<Item = (u64, Event)> {
        self.seen[part].iter().filter_map(|(at, seen)| match seen {
            Seen::Event(event) => Some((*at, *event)),
            _ => None,
        })
    }
}

/// What was decided other than the calmest and has not been written down yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chosen(Rc<RefCell<Vec<Address>>>);

impl Chosen {
    /// Notes what `inner` chooses.
    pub(crate) fn noting<C>(&self, inner: C) -> Noting<C> {
        Noting { inner, chosen: self.clone() }
    }

    fn take(&self) -> Vec<Address> {
        self.0.take()
    }
}

/// A source of choices that are noted.
#[derive(Clone, Debug)]
pub(crate) struct Noting<C> {
    inner: C,
    chosen: Chosen,
}

impl<C> Noting<C> {
    fn note(&self, address: Address, choice: u32) -> u32 {
        if choice != 0 {
            self.chosen.0.borrow_mut().push(address);
        }
        choice
    }
}

impl<C: DecisionSource> DecisionSource for Noting<C> {
    fn choose(&mut self, address: Address, options: u32) -> u32 {
        let choice = self.inner.choose(address, options);
        self.note(address, choice)
    }

    fn order(&mut self, address: Address, actors: &[u8]) -> u32 {
        let choice = self.inner.order(address, actors);
        self.note(address, choice)
    }

    fn length(&mut self, address: Address, micros: u64) -> u64 {
        self.inner.length(address, micros)
    }
}

/// Writes down all that is seen.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    record: Record,
    chosen: Chosen,
    judged: Option<(Guarantee, Box<CheckerSet>)>,
    holders: Holders,
    /// How many writes are still awaited under the older and the newer of two grants.
    awaited: Option<(usize, usize)>,
}

impl Recorder {
    /// One that judges nothing.
    pub(crate) fn plain(chosen: Chosen) -> Self {
        Self { chosen, ..Self::default() }
    }

    fn judging(guarantee: Guarantee, chosen: Chosen) -> Self {
        Self { judged: Some((guarantee, Box::default())), ..Self::plain(chosen) }
    }

    /// Whether there is nothing more to be told at `now`.
    fn is_over(&self, now: u64) -> bool {
        self.awaited == Some((0, 0)) || self.limit().is_some_and(|limit| now >= limit)
    }

    /// When the story is over at the latest, once the promise is broken.
    fn limit(&self) -> Option<u64> {
        let (violation, _) = self.record.violation.as_ref()?;
        let more = if self.awaited.is_some() { AFTERMATH } else { LANDING };
        Some(violation.at + more)
    }

    pub(crate) fn into_record(self, now: u64) -> Record {
        let end = self.limit().map_or(now, |limit| limit.min(now));
        let mut record = self.record;
        record.cut(end);
        record
    }

    pub(crate) fn push(&mut self, at: u64, seen: Seen) {
        let chosen = self.chosen.take();
        self.record.seen.extend(chosen.into_iter().map(|address| (at, Seen::Chosen(address))));
        self.record.seen.push((at, seen));
    }

    fn judge(&mut self, at: u64, event: &Event) {
        self.holders.observe(event);
        if self.record.violation.is_some() {
            return self.await_writes(event);
        }
        let Some((guarantee, checkers)) = &mut self.judged else { return };
        checkers.observe(at, event);
        let Some(violation) = checkers.violation(*guarantee) else { return };
        self.record.violation = Some((violation.clone(), self.record.seen.len() - 1));
        if *guarantee == Guarantee::Exclusion
            && let Some(clash) = self.holders.clash(at, event)
        {
            self.record.clash = Some(clash);
            let written = |token| self.holders.written(token);
            let older = clash.acts - written(clash.older).min(clash.acts);
            self.awaited = Some((older, usize::from(written(clash.newer) == 0)));
        }
    }

    /// Counts the writes that tell what the resource makes of two grants.
    fn await_writes(&mut self, event: &Event) {
        let (Some(clash), Some((older, newer))) = (self.record.clash, &mut self.awaited) else {
            return;
        };
        if let Event::Wrote { token, .. } = *event {
            *older -= usize::from(token == clash.older && *older > 0);
            *newer -= usize::from(token == clash.newer && *newer > 0);
        }
    }
}

impl Observer for Recorder {
    fn observe(&mut self, at: u64, event: &Event) {
        self.push(at, Seen::Event(*event));
        self.judge(at, event);
    }

    fn wants_transits(&self) -> bool {
        true
    }

    fn transit(&mut self, at: u64, transit: Transit, words: &dyn Fn() -> String) {
        self.push(at, Seen::Transit(transit, words()));
    }
}

/// Who holds the lock, as far as it takes to find two that do.
#[derive(Debug, Default)]
struct Holders {
    granted: Vec<TokenId>,
    held: Vec<(Client, TokenId, u64)>,
    acts: Vec<TokenId>,
    writes: Vec<TokenId>,
}

impl Holders {
    fn observe(&mut self, event: &Event) {
        match *event {
            Event::Granted { token, .. } if !self.granted.contains(&token) => {
                self.granted.push(token);
            }
            Event::Held { client, token, until, .. } => {
                self.held.retain(|(known, ..)| *known != client);
                self.held.push((client, token, until));
            }
            Event::Ended { client, .. } => self.held.retain(|(known, ..)| *known != client),
            Event::Acted { token, .. } => self.acts.push(token),
            Event::Wrote { token, .. } => self.writes.push(token),
            _ => {}
        }
    }

    fn written(&self, token: TokenId) -> usize {
        self.writes.iter().filter(|known| **known == token).count()
    }

    /// Who acts although another's later grant is held.
    fn clash(&self, at: u64, event: &Event) -> Option<Clash> {
        let Event::Acted { client, token: older } = *event else { return None };
        let order = |token| self.granted.iter().position(|known| *known == token);
        let newer = self.held.iter().find(|(other, token, until)| {
            *other != client && at < *until && order(*token) > order(older)
        });
        let acts = self.acts.iter().filter(|known| **known == older).count();
        newer.map(|&(_, newer, _)| Clash { older, newer, acts })
    }
}
