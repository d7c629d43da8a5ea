//! Which calls there are in a history, and which of them went undisturbed.

use crate::history::{Answer, Ask, Client, Event, TokenId};

/// A call of a client, from its question to its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    client: Client,
    start: usize,
    pub(super) ask: Ask,
    pub(super) answer: Option<Answer>,
    /// What the server granted meanwhile.
    pub(super) granted: Option<TokenId>,
    /// Whether a fault was injected or took effect the client itself meanwhile.
    injected: bool,
    /// Whether one struck the server, or the call did not go as it should.
    disturbed: bool,
}

impl Call {
    /// Whether it can be told in one line or left out.
    pub(super) fn is_calm(&self) -> bool {
        self.is_in_vain() || !(self.injected || self.disturbed)
    }

    /// Whether it is an attempt to get the lock that came to nothing, or has not come to anything.
    pub(super) fn is_in_vain(&self) -> bool {
        let vain = matches!(self.answer, None | Some(Answer::NotAcquired));
        self.ask == Ask::Acquire && vain && self.granted.is_none() && !self.injected
    }
}

/// All calls of a history.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    calls: Vec<Call>,
    /// The call under way of the client that an event is about, by the event's index.
    by_event: Vec<Option<usize>>,
}

impl Calls {
    pub(super) fn of(events: &[(u64, Event)]) -> Self {
        let mut calls = Self::default();
        let mut open: Vec<usize> = Vec::new();
        for (index, (_, event)) in events.iter().enumerate() {
            calls.observe(index, event, &mut open);
        }
        for index in open {
            let call = &mut calls.calls[index];
            call.disturbed = true;
        }
        calls
    }

    /// The call that the event with this index belongs to.
    pub(super) fn at(&self, index: usize) -> Option<&Call> {
        self.by_event[index].map(|call| &self.calls[call])
    }

    fn observe(&mut self, index: usize, event: &Event, open: &mut Vec<usize>) {
        if let Event::Asked { client, ask, .. } = *event {
            open.push(self.calls.len());
            let (start, answer, granted) = (index, None, None);
            let (injected, disturbed) = (false, false);
            self.calls.push(Call { client, start, ask, answer, granted, injected, disturbed });
        }
        let owner = owner(event)
            .and_then(|owner| open.iter().copied().find(|&call| self.calls[call].client == owner));
        self.by_event.push(owner);
        if let Event::Injected { client: victim, .. } | Event::TookEffect { client: victim, .. } =
            *event
        {
            for &call in &*open {
                let call = &mut self.calls[call];
                call.injected |= victim == Some(call.client);
                // Whoever is in the middle of a call may feel what the server suffers.
                call.disturbed |= victim.is_none();
            }
        }
        let Some(owner) = owner else { return };
        let call = &mut self.calls[owner];
        match *event {
            Event::Granted { token, .. } => call.granted = Some(token),
            Event::Returned { answer, .. } => {
                call.answer = Some(answer);
                let won = call.granted.is_some() == (answer == Answer::Acquired);
                call.disturbed |= match call.ask {
                    Ask::Acquire => !won || is_doubtful(answer),
                    Ask::Extend => answer != Answer::Extended,
                    Ask::Release => answer != Answer::Released,
                };
                debug_assert!(call.start <= index, "a call ends after it began");
                open.retain(|&call| call != owner);
            }
            _ => {}
        }
    }
}

fn is_doubtful(answer: Answer) -> bool {
    matches!(answer, Answer::Dropped | Answer::Unavailable | Answer::Unknown)
}

/// Whose call an event may belong to.
fn owner(event: &Event) -> Option<Client> {
    match *event {
        Event::Asked { client, .. }
        | Event::Returned { client, .. }
        | Event::Held { client, .. }
        | Event::Sent { client, .. }
        | Event::Applied { client, copy: 0, .. }
        | Event::Answered { client, .. }
        | Event::GaveUp { client, .. } => Some(client),
        Event::Granted { token, .. } => Some(token.client()),
        Event::Key { after: Some(token), by_request: true, .. } => Some(token.client()),
        Event::Key { before: Some(token), by_request: true, .. } => Some(token.client()),
        _ => None,
    }
}
