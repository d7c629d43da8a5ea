//! Short hand-written histories, to see that each checker accepts and rejects.

use super::{CheckerSet, Guarantee};
use crate::{
    decide::Fault,
    history::{Act, Answer, Ask, CallAnswer, CallId, Client, DebounceEvent, End, Event, TokenId},
};

/// The token with this number of `client`.
pub(crate) fn token(client: Client, number: u32) -> TokenId {
    TokenId::parse(format!("{client}-0.{number}#1").as_bytes()).expect("a token's form")
}

/// The verdict on events that happen 100 µs apart, the first at 100 µs.
pub(crate) fn observer(guarantee: Guarantee, events: &[Event]) -> Option<String> {
    let mut checkers = CheckerSet::default();
    for (index, event) in events.iter().enumerate() {
        checkers.observe(100 * (index as u64 + 1), event);
    }
    checkers.violation(guarantee).map(|violation| violation.text.clone())
}

pub(crate) fn granted(client: Client, number: u32, fence: u64) -> Event {
    Event::Granted { token: token(client, number), fence }
}

pub(crate) fn held(client: Client, number: u32, until: u64) -> Event {
    Event::Held { client, token: token(client, number), fence: 1, until }
}

pub(crate) fn acted(client: Client, number: u32) -> Event {
    Event::Acted { client, token: token(client, number) }
}

pub(crate) fn ended(client: Client, number: u32) -> Event {
    Event::Ended { client, token: token(client, number), end: End::Releasing }
}

pub(crate) fn lost(client: Client, number: u32) -> Event {
    Event::Ended { client, token: token(client, number), end: End::Lost }
}

pub(crate) fn wrote(client: Client, number: u32, accepted: bool) -> Event {
    Event::Wrote { client, token: token(client, number), fence: 1, accepted }
}

pub(crate) fn asked(client: Client, ask: Ask, by: u64) -> Event {
    Event::Asked { client, ask, by }
}

pub(crate) fn told(client: Client, number: u32, ask: Ask, answer: Answer) -> Event {
    Event::Returned { client, ask, answer, token: Some(token(client, number)) }
}

pub(crate) fn applied(client: Client, number: u32, act: Act, lease: u64) -> Event {
    let behalf = Some(token(client, number));
    Event::Applied { client, call: 1, copy: 0, act, behalf, lease }
}

pub(crate) fn key(before: Option<TokenId>, after: Option<TokenId>, expires: u64) -> Event {
    Event::Key { before, after, expires, by_request: true }
}

pub(crate) fn paused(client: Client, until: u64) -> Event {
    Event::Injected { fault: Fault::ClientPause, client: Some(client), choice: 1, until }
}

/// Call number `number` of `client`.
pub(crate) fn call(client: Client, number: u16) -> CallId {
    CallId::of(client, number)
}

pub(crate) fn armed(client: Client, number: u16) -> Event {
    Event::Debounce(DebounceEvent::Armed { call: call(client, number) })
}

/// The server lets client 0 run the calls up to this one.
pub(crate) fn claimed(call: CallId, fence: u64, until: u64) -> Event {
    Event::Debounce(DebounceEvent::Claimed { client: 0, call, fence, until })
}

pub(crate) fn run_ended(call: CallId, success: bool) -> Event {
    Event::Debounce(DebounceEvent::RunEnded { client: 0, call, success })
}

pub(crate) fn took_effect(call: CallId) -> Event {
    Event::Debounce(DebounceEvent::Wrote { client: 0, call, fence: 1, accepted: true })
}

pub(crate) fn settled(fence: u64) -> Event {
    Event::Debounce(DebounceEvent::Settled { client: 0, fence })
}

pub(crate) fn returned(call: CallId, answer: CallAnswer) -> Event {
    Event::Debounce(DebounceEvent::Returned { client: call.client(), call, answer })
}
