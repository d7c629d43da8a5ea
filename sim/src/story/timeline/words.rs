//! Events in words.

use std::collections::BTreeMap;

use super::{Line, LineKind, calls::Calls, debounced, instant};
use crate::history::{Act, Answer, Ask, Client, DebounceEvent, End, Event, TokenId};
use crate::{
    story::{History, Names},
    words::{self, client},
};

/// Tells one event after the other.
#[derive(Debug)]
pub(super) struct Narrator<'a> {
    names: &'a Names,
    calls: &'a Calls,
    /// Who grants the lock.
    grantor: &'static str,
    /// Whether the end is about what reached the resource, or about fences.
    about_writes: bool,
    about_fences: bool,
    /// The index of the event that ends the story: always told.
    last: usize,
    /// Until when the key lives, as last seen.
    expires: u64,
    /// The request that is being applied: whose, what, and for which copy.
    applied: Option<(Client, Act, u8)>,
    /// Under which token each client believes that it holds the lock, and until when.
    held: BTreeMap<Client, (TokenId, u64)>,
}

impl<'a> Narrator<'a> {
    pub(super) fn of(story: &'a History, calls: &'a Calls) -> Self {
        let end = story.events.last().map(|(_, event)| event);
        let about_writes =
            matches!(end, Some(Event::Wrote { .. } | Event::Debounce(DebounceEvent::Wrote { .. })));
        Self {
            names: &story.names,
            calls,
            grantor: story.grantor,
            about_writes,
            about_fences: about_writes || matches!(end, Some(Event::Granted { .. })),
            last: story.events.len().saturating_sub(1),
            expires: 0,
            applied: None,
            held: BTreeMap::new(),
        }
    }

    /// The line for an event, if it deserves one.
    pub(super) fn emit(&mut self, index: usize, at: u64, event: &Event) -> Option<Line> {
        let (kind, text) = match *event {
            Event::Asked { client, ask, .. } => self.asked(index, client, ask)?,
            Event::Returned { client, ask, answer, .. } => self.told(index, client, ask, answer)?,
            Event::Held { client, token, until, .. } => self.held(index, client, token, until)?,
            Event::Acted { client: who, token } => {
                let grant = self.names.grant(token);
                (LineKind::Acts(token), format!("{} acts under {grant}", client(who)))
            }
            Event::Ended { client: who, token, end: End::Lost } => {
                let grant = self.names.grant(token);
                other(format!("{} knows that {grant} is over", client(who)))
            }
            Event::Applied { client, act, copy, .. } => {
                self.applied = Some((client, act, copy));
                return None;
            }
            Event::Key { before, after, expires, by_request } => {
                self.key(index, at, before, after, expires, by_request)?
            }
            Event::Granted { token, fence } => self.granted(index, token, fence)?,
            Event::Wrote { client, fence, accepted, .. } => self.wrote(client, fence, accepted)?,
            Event::GaveUp { client: who, call } => {
                other(format!("{} stops waiting for the reply to request {call}", client(who)))
            }
            Event::Injected { fault, client, choice, .. } => {
                (LineKind::Fault, fault.injection(&name(client), choice))
            }
            Event::TookEffect { fault, client, call } => {
                (LineKind::Fault, fault.effect(&name(client), call)?)
            }
            Event::Left { client: who, awaited, at, .. } => {
                let what = words::awaited(awaited);
                let text = format!("that was {}'s wait {at} for {what}", client(who));
                (LineKind::Fault, text)
            }
            Event::Debounce(event) => other(debounced::emit(event, self.about_writes)?),
            Event::Healed => other("all faults are over".into()),
            Event::Ended { .. } | Event::Sent { .. } | Event::Answered { .. } | Event::Finished => {
                return None;
            }
        };
        Some(Line { at, kind, text })
    }

    fn asked(&self, index: usize, who: Client, ask: Ask) -> Option<(LineKind, String)> {
        if self.calls.at(index).is_some_and(|call| call.is_calm()) {
            return None;
        }
        let what = match ask {
            Ask::Acquire => "asks for the lock",
            Ask::Extend => "asks for a longer lease",
            Ask::Release => "gives the lock up",
        };
        Some(other(format!("{} {what}", client(who))))
    }

    fn told(
        &self,
        index: usize,
        who: Client,
        ask: Ask,
        answer: Answer,
    ) -> Option<(LineKind, String)> {
        let call = self.calls.at(index);
        let name = client(who);
        if let Some(call) = call.filter(|call| call.is_calm()) {
            let held = self.held.get(&who).map(|(token, _)| *token);
            return Some(match (ask, call.granted) {
                _ if call.is_in_vain() => (LineKind::InVain(who), String::new()),
                (Ask::Acquire, Some(token)) => {
                    let (grant, until) = (self.names.grant(token), self.until(who, Some(token)));
                    let text = format!("{name} asks for the lock and gets it: {grant}{until}");
                    (LineKind::Gets(token), text)
                }
                (Ask::Release, _) => {
                    let text = format!("{name} gives the lock up");
                    (held.map_or(LineKind::Other, LineKind::Frees), text)
                }
                _ => other(format!("{name} makes its lease longer")),
            });
        }
        let what = match answer {
            Answer::Acquired => {
                return Some(other(format!(
                    "{name} is told that it has the lock{}",
                    self.until(who, call.and_then(|call| call.granted))
                )));
            }
            Answer::NotAcquired => "is told that it did not get the lock",
            Answer::Spent => "is told that its token was given up before",
            Answer::Refused => "is told that the server refuses",
            Answer::Extended => "is told that its lease is longer now",
            Answer::Taken => "is told that the lock is no longer its own",
            Answer::Expired => "is told that its lease is over",
            Answer::Released => "is told that its lock is free now",
            Answer::NotHeld => "is told that it did not hold the lock any more",
            Answer::Unavailable => "is told that the server cannot be reached",
            Answer::Unknown => "is told that nobody knows what became of its call",
            Answer::Dropped => return None,
        };
        Some(other(format!("{name} {what}")))
    }

    /// A lease that lasts longer than before; a new one is told with the call that got it.
    fn held(
        &mut self,
        index: usize,
        who: Client,
        token: TokenId,
        until: u64,
    ) -> Option<(LineKind, String)> {
        let before = self.held.insert(who, (token, until));
        let renewed = before.is_some_and(|(held, _)| held == token);
        let (name, grant) = (client(who), self.names.grant(token));
        let told = renewed || index == self.last;
        told.then(|| other(format!("{name} now counts on {grant} {}", until_text(until))))
    }

    /// Until when a client counts on its lease, as the rest of a sentence.
    fn until(&self, who: Client, token: Option<TokenId>) -> String {
        match self.held.get(&who) {
            Some((held, until)) if Some(*held) == token && *until < u64::MAX => {
                format!(", {} by its own clock", until_text(*until))
            }
            _ => String::new(),
        }
    }

    fn granted(&self, index: usize, token: TokenId, fence: u64) -> Option<(LineKind, String)> {
        let calm = self.calls.at(index).is_some_and(|call| call.is_calm());
        if calm && !self.about_fences && index != self.last {
            return None;
        }
        let (name, grant) = (client(token.client()), self.names.grant(token));
        let with = match fence {
            0 if self.about_fences => ", without a fence".into(),
            fence if self.about_fences => format!(", with fence {fence}"),
            _ => String::new(),
        };
        let until = until_text(self.expires);
        let why = match self.applied {
            Some((_, _, copy)) if copy > 0 => "at a late copy of its request, ",
            _ => "",
        };
        let grantor = self.grantor;
        Some(other(format!("{why}{grantor} grants {name} the lock {until}: {grant}{with}")))
    }

    fn wrote(&self, who: Client, fence: u64, accepted: bool) -> Option<(LineKind, String)> {
        let name = client(who);
        let with = if fence == 0 { "no fence".into() } else { format!("fence {fence}") };
        match accepted {
            false => {
                Some(other(format!("the resource refuses {name}'s write with the old {with}")))
            }
            true if self.about_writes => {
                Some(other(format!("the resource accepts {name}'s write with {with}")))
            }
            true => None,
        }
    }

    fn key(
        &mut self,
        index: usize,
        at: u64,
        before: Option<TokenId>,
        after: Option<TokenId>,
        expires: u64,
        by_request: bool,
    ) -> Option<(LineKind, String)> {
        let was = std::mem::replace(&mut self.expires, expires);
        if by_request {
            return self.key_by_request(index, before, after, expires);
        }
        let text = match (before, after) {
            (Some(gone), None) if was <= at => {
                format!(
                    "the key of {} has expired (at {} ms)",
                    self.names.grant(gone),
                    instant(was)
                )
            }
            (Some(gone), None) => format!("the key of {} is gone", self.names.grant(gone)),
            (None, Some(back)) => {
                format!("the key of {} is back {}", self.names.grant(back), until_text(expires))
            }
            (Some(gone), Some(back)) if gone != back => {
                let (gone, back) = (self.names.grant(gone), self.names.grant(back));
                format!("the key is under {back} again, no more under {gone}")
            }
            (Some(same), _) => {
                format!("the key of {} now lives {}", self.names.grant(same), until_text(expires))
            }
            (None, None) => return None,
        };
        Some(other(text))
    }

    fn key_by_request(
        &self,
        index: usize,
        before: Option<TokenId>,
        after: Option<TokenId>,
        expires: u64,
    ) -> Option<(LineKind, String)> {
        let (who, act, copy) = self.applied?;
        let own = before.or(after).is_some_and(|token| token.client() == who);
        let told = copy == 0 && own && self.calls.at(index).is_some_and(|call| call.is_calm());
        let told = told || (before.is_none() && act == Act::Acquire);
        if told && index != self.last {
            // The call, or the grant that follows, says it.
            return None;
        }
        let name = client(who);
        let which = if copy > 0 { "late copy of its " } else { "" };
        let text = match (before, after) {
            (Some(gone), None) => {
                let word = if act == Act::Release { "release" } else { "request" };
                let grant = self.names.grant(gone);
                format!("{name}'s {which}{word} frees the lock, which was under {grant}")
            }
            (_, Some(token)) if before != after => {
                let until = until_text(expires);
                format!(
                    "{} stores the key of {} for {name} {until}",
                    self.grantor,
                    self.names.grant(token)
                )
            }
            (_, Some(token)) => {
                let until = until_text(expires);
                format!(
                    "at {name}'s {which}request, the key of {} lives {until}",
                    self.names.grant(token)
                )
            }
            (None, None) => return None,
        };
        Some(other(text))
    }
}

/// A client's name, or none.
fn name(who: Option<Client>) -> String {
    who.map(|who| client(who).to_string()).unwrap_or_default()
}

fn other(text: String) -> (LineKind, String) {
    (LineKind::Other, text)
}

fn until_text(until: u64) -> String {
    if until == u64::MAX { "for ever".into() } else { format!("until {} ms", instant(until)) }
}
