//! What processes of a user's own hold: keys that servers have for them, and sections of their code.

use std::sync::Arc;

use leasehold_story::{EventKind, SpanKind};

use super::{Scribe, locked::until_text};
use crate::{history::Client, story::record::Kept, words::client};

/// What is open of these just now.
#[derive(Debug, Default)]
pub(super) struct UserState {
    keys: Vec<OpenKept>,
    sections: Vec<OpenSection>,
    /// What each client set, in order: under which key, which value, and what that is called.
    set: Vec<(Client, String, String, String)>,
}

/// A key that a server has.
#[derive(Clone, Debug)]
struct OpenKept {
    lane: usize,
    key: String,
    kept: Kept,
    from: u64,
    /// What the request is called that set it.
    grant: Option<String>,
}

/// A section that a client is in.
#[derive(Debug)]
struct OpenSection {
    client: Client,
    name: Arc<str>,
    from: u64,
    /// How many times it is in.
    depth: usize,
    grant: Option<String>,
}

impl Scribe<'_> {
    /// Writes down the keys that expire up to `now`.
    pub(super) fn expire_kept(&mut self, now: u64) {
        loop {
            let due = self.users.keys.iter().enumerate();
            let due = due.filter(|(_, open)| open.kept.expires <= now);
            let Some((place, _)) = due.min_by_key(|(_, open)| open.kept.expires) else { return };
            let open = self.users.keys.remove(place);
            let (at, text) = (open.kept.expires, format!("`{}` expires", open.key));
            let event = self.add(at, open.lane, EventKind::Key, text);
            self.caused(event, self.state[open.lane]);
            self.state[open.lane] = Some(event);
            self.events[event].grant.clone_from(&open.grant);
            self.end_kept(at, open);
        }
    }

    /// A server has a key otherwise than before: by whose request, if by one.
    pub(super) fn kept(
        &mut self,
        at: u64,
        (node, by): (u8, Option<Client>),
        key: &str,
        now: Option<&Kept>,
    ) {
        let lane = self.parts.server(node);
        let place = self.users.keys.iter().position(|open| open.lane == lane && open.key == key);
        let before = place.map(|place| self.users.keys[place].kept.clone());
        let text = match (&before, now) {
            // It expired, which was told.
            (None, None) => return,
            (Some(_), None) if by.is_some() => format!("deletes `{key}`"),
            (Some(_), None) => format!("does not have `{key}`"),
            (Some(before), Some(now)) if goes_on(before, now) => {
                let place = place.expect("what was before has a place");
                self.users.keys[place].kept = now.clone();
                if before.expires == now.expires {
                    return;
                }
                format!("`{key}` now lives {}", until_text(now.expires))
            }
            (_, Some(now)) => format!("`{key}` = {} {}", now.value, until_text(now.expires)),
        };
        let event = self.add_at_server(at, lane, EventKind::Key, text);
        self.events[event].decision = if by.is_some() { None } else { self.last_injected() };
        let goes_on = before.as_ref().zip(now).is_some_and(|(before, now)| goes_on(before, now));
        if let Some(place) = place.filter(|_| !goes_on) {
            let open = self.users.keys.remove(place);
            self.events[event].grant.clone_from(&open.grant);
            self.end_kept(at, open);
        }
        if let Some(now) = now.filter(|_| !goes_on) {
            let grant = self.name_of(by, key, now);
            self.mark_cause(event, grant.as_ref());
            let (key, kept) = (key.to_owned(), now.clone());
            self.users.keys.push(OpenKept { lane, key, kept, from: at, grant });
        }
    }

    /// What the setting of a key is called: A2 is the second one of process A. What a failover
    /// brings back is called as before.
    fn name_of(&mut self, by: Option<Client>, key: &str, now: &Kept) -> Option<String> {
        let set = &mut self.users.set;
        let Some(by) = by else {
            let found =
                set.iter().rev().find(|(_, known, value, _)| known == key && *value == now.value);
            return found.map(|(.., name)| name.clone());
        };
        let count = set.iter().filter(|(who, ..)| *who == by).count();
        let name = format!("{}{}", client(by), count + 1);
        set.push((by, key.to_owned(), now.value.clone(), name.clone()));
        Some(name)
    }

    /// Names the grant of an event, and of the request that led to it.
    fn mark_cause(&mut self, event: usize, grant: Option<&String>) {
        let lane = self.events[event].lane;
        let at = self.events[event].at;
        self.events[event].grant = grant.cloned();
        let applied = self
            .applied
            .filter(|&applied| (self.events[applied].at, self.events[applied].lane) == (at, lane));
        let Some(applied) = applied else { return };
        self.events[applied].grant = grant.cloned();
        let is_it = |draft: &&super::Draft| draft.message.led_to == Some(applied);
        if let Some(sent) = self.messages.iter().rev().find(is_it).and_then(|it| it.message.sent_by)
        {
            self.events[sent].grant = grant.cloned();
        }
    }

    /// What a server has goes on under another lane, since a replica takes over.
    pub(super) fn hand_kept_over(&mut self, at: u64, old: usize, new: usize) {
        let mut ended = Vec::new();
        for open in self.users.keys.iter_mut().filter(|open| open.lane == old) {
            ended.push(open.clone());
            (open.lane, open.from) = (new, at);
        }
        for open in ended {
            self.end_kept(at, open);
        }
    }

    /// A process enters a section.
    pub(super) fn enters(&mut self, at: u64, who: Client, name: &Arc<str>) {
        let text = format!("enters `{name}`");
        let event = self.add(at, self.lane(who), EventKind::Act, text);
        let known = self.users.sections.iter_mut();
        if let Some(open) = known.into_iter().find(|open| open.client == who && open.name == *name)
        {
            open.depth += 1;
            return;
        }
        // What it has set last is what lets it in.
        let set = self.users.set.iter().rev().find(|(client, ..)| *client == who);
        let grant = set.map(|(.., name)| name.clone());
        self.events[event].grant.clone_from(&grant);
        let name = name.clone();
        self.users.sections.push(OpenSection { client: who, name, from: at, depth: 1, grant });
    }

    /// A process leaves a section.
    pub(super) fn leaves(&mut self, at: u64, who: Client, name: &Arc<str>) {
        let text = format!("leaves `{name}`");
        let event = self.add(at, self.lane(who), EventKind::End, text);
        let known = self.users.sections.iter();
        let place = known.into_iter().position(|open| open.client == who && open.name == *name);
        let Some(place) = place else { return };
        self.events[event].grant.clone_from(&self.users.sections[place].grant);
        self.users.sections[place].depth -= 1;
        if self.users.sections[place].depth == 0 {
            let open = self.users.sections.remove(place);
            self.end_section(at, &open);
        }
    }

    fn end_kept(&mut self, at: u64, open: OpenKept) {
        let text = format!("has `{}`: {}", open.key, open.kept.value);
        let span = self.span(open.lane, SpanKind::Key, open.from, at, &text);
        self.spans[span].grant = open.grant;
    }

    fn end_section(&mut self, at: u64, open: &OpenSection) {
        let text = format!("is in `{}`", open.name);
        let span = self.span(self.lane(open.client), SpanKind::Lease, open.from, at, &text);
        self.spans[span].grant.clone_from(&open.grant);
    }

    /// What is open at the end: a section, too, that was entered only then.
    pub(super) fn end_users(&mut self, end: u64) {
        let UserState { keys, sections, .. } = std::mem::take(&mut self.users);
        for open in keys {
            self.end_kept(end, open);
        }
        for open in sections {
            self.end_section(end, &open);
        }
    }
}

/// Whether it is what was there before, with another time to live, or counted on.
fn goes_on(before: &Kept, now: &Kept) -> bool {
    let is_count = |kept: &Kept| kept.value.parse::<i64>().is_ok();
    before.value == now.value
        || (before.expires == now.expires && is_count(before) && is_count(now))
}
