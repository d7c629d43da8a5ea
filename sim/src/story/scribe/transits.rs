//! Messages on their way.

use leasehold_story::{EventKind, Fate, Message};

use super::{Draft, Scribe};
use crate::{
    decide::{Address, DecisionKind, Fault},
    history::Client,
    words::client as name,
    world::{self, Leg, Parcel, Transit},
};

impl Scribe<'_> {
    /// Writes down what becomes of a message, which says `words`.
    pub(super) fn transit(&mut self, at: u64, transit: Transit, words: &str) {
        match transit {
            Transit::Sent { parcel, leaves, due, fate } => match parcel.leg {
                Leg::Request => self.request_leaves(parcel, (leaves, due), fate, words),
                Leg::Reply => self.reply_leaves(at, parcel, (leaves, due), fate, words),
                Leg::Write => self.write_leaves(at, parcel, due, words),
            },
            Transit::Arrived(parcel) if parcel.leg == Leg::Request => {
                self.arrived = self.copy(parcel);
                self.node = if parcel.node == world::ELSEWHERE { self.node } else { parcel.node };
            }
            Transit::Arrived(_) => {}
            Transit::Unheard(parcel) => {
                if let Some(place) = self.copy(parcel) {
                    self.messages[place].message.fate = Fate::Late;
                }
            }
            Transit::Unanswered(parcel) => self.unanswered(parcel),
            Transit::Stored { node, key } => self.stored(at, node, key),
            Transit::Replicated { replica, due } => self.replicated(at, replica, due),
            Transit::TookOver { replica, has_until, up_at } => {
                self.taken_over(at, replica, has_until, up_at);
            }
        }
    }

    fn request_leaves(
        &mut self,
        parcel: Parcel,
        (leaves, due): (u64, u64),
        fate: world::Fate,
        words: &str,
    ) {
        let Parcel { client, call, copy, .. } = parcel;
        let first = self.find(Leg::Request, client, call);
        let sent_by = match first {
            Some(place) => self.messages[place].message.sent_by,
            None => self.last_send(client),
        };
        let grant = sent_by.and_then(|event| self.events[event].grant.clone());
        let text = match grant {
            Some(grant) => format!("{words} {grant}"),
            None => words.to_owned(),
        };
        if let Some(event) = sent_by.filter(|_| copy == 0) {
            self.events[event].text = format!("sends: {text}");
        }
        let fate = match fate {
            world::Fate::Arrives if copy > 0 => Fate::Duplicate,
            world::Fate::Arrives => Fate::Delivered,
            world::Fate::Broken | world::Fate::Lost | world::Fate::Refused => Fate::Lost,
        };
        let faults = if copy > 0 {
            &[Fault::Duplicate, Fault::Resend][..]
        } else {
            &[Fault::RequestLoss][..]
        };
        let decision = self.decision_on(faults, parcel, call * 2, fate);
        let (from, to) = (self.lane(client), self.parts.server_of(parcel));
        self.draft(
            Some(parcel),
            due,
            Message {
                from,
                to,
                sent: leaves,
                arrived: None,
                fate,
                text,
                sent_by,
                led_to: None,
                decision,
            },
        );
    }

    fn reply_leaves(
        &mut self,
        at: u64,
        parcel: Parcel,
        (leaves, due): (u64, u64),
        fate: world::Fate,
        words: &str,
    ) {
        let Parcel { client, call, .. } = parcel;
        let request = self.find(Leg::Request, client, call);
        let from = request
            .map_or_else(|| self.parts.server_of(parcel), |place| self.messages[place].message.to);
        let sent_by = self.answers(at, from, request, client, words);
        let fate = match fate {
            world::Fate::Arrives => Fate::Delivered,
            world::Fate::Broken | world::Fate::Lost | world::Fate::Refused => Fate::Lost,
        };
        let faults = &[Fault::ReplyLoss, Fault::Resend];
        let decision = self.decision_on(faults, parcel, call * 2 + 1, fate);
        self.draft(
            Some(parcel),
            due,
            Message {
                from,
                to: self.lane(client),
                sent: leaves,
                arrived: None,
                fate,
                text: words.to_owned(),
                sent_by: Some(sent_by),
                led_to: None,
                decision,
            },
        );
    }

    /// The event by which a server answers: that it executed the request, or that it answers.
    fn answers(
        &mut self,
        at: u64,
        lane: usize,
        request: Option<usize>,
        who: Client,
        words: &str,
    ) -> usize {
        let executed = request.and_then(|place| self.messages[place].message.led_to);
        if let Some(event) = self.applied.filter(|&event| self.events[event].at == at).or(executed)
        {
            return event;
        }
        let text = format!("answers {}: {words}", name(who));
        let event = self.add(at, lane, EventKind::Apply, text);
        self.caused(event, self.state[lane]);
        if let Some(place) = request {
            self.messages[place].message.led_to = Some(event);
            self.caused(event, self.messages[place].message.sent_by);
        }
        event
    }

    fn write_leaves(&mut self, at: u64, parcel: Parcel, due: u64, words: &str) {
        let lane = self.lane(parcel.client);
        let acts = self.last[lane].filter(|&event| {
            self.events[event].at == at && self.events[event].kind == EventKind::Act
        });
        let sent_by = match acts {
            Some(event) => event,
            None => {
                let event = self.add(at, lane, EventKind::Act, "writes what its run has made");
                let before = self.events[..event].iter().rev().find(|event| event.lane == lane);
                self.events[event].grant = before.and_then(|before| before.grant.clone());
                event
            }
        };
        let fate = Fate::Delivered;
        let wire = Parcel { client: parcel.client | 0x80, ..parcel };
        let decision = self.decision_on(&[], wire, parcel.call, fate);
        self.draft(
            Some(parcel),
            due,
            Message {
                from: lane,
                to: self.setting.lanes.resource(),
                sent: at,
                arrived: None,
                fate,
                text: words.to_owned(),
                sent_by: Some(sent_by),
                led_to: None,
                decision,
            },
        );
    }

    fn unanswered(&mut self, parcel: Parcel) {
        let Some(place) = self.copy(parcel) else { return };
        let Parcel { client: actor, call: occurrence, .. } = parcel;
        let hang = Address { kind: DecisionKind::Hang, actor, occurrence };
        let decision = self.decision(hang);
        let message = &mut self.messages[place].message;
        message.fate = Fate::Unanswered;
        message.decision = decision.or(message.decision);
    }

    fn replicated(&mut self, at: u64, replica: u8, due: Option<u64>) {
        let from = self.parts.server(0);
        let Some(to) = self.parts.replica(replica) else { return };
        let draft = Draft {
            parcel: None,
            due: due.unwrap_or(u64::MAX),
            message: Message {
                from,
                to,
                sent: at,
                arrived: None,
                fate: Fate::Delivered,
                text: "replicates".into(),
                sent_by: self.applied.filter(|&event| self.events[event].at == at),
                led_to: None,
                decision: None,
            },
        };
        match due {
            None => self.unreplicated.push(draft),
            Some(_) => self.messages.push(draft),
        }
    }

    /// A replica takes over: now it shows what it has.
    fn taken_over(&mut self, at: u64, replica: u8, has_until: u64, up_at: u64) {
        let decision = self.chosen.iter().rev().find(|(fault, ..)| *fault == Fault::Failover);
        let decision = decision.map(|(_, _, decision)| *decision);
        let behind = (at + 1).saturating_sub(has_until);
        for mut draft in std::mem::take(&mut self.unreplicated) {
            let has = draft.message.sent < has_until;
            draft.due = if has { draft.message.sent + behind } else { at };
            if !has {
                (draft.message.fate, draft.message.decision) = (Fate::Lost, decision);
            }
            self.messages.push(draft);
        }
        let old = self.parts.server(0);
        for draft in &mut self.messages {
            if draft.parcel.is_none() && draft.message.from == old && draft.due > at {
                draft.due = at;
                (draft.message.fate, draft.message.decision) = (Fate::Lost, decision);
            }
        }
        self.parts.take_over(replica);
        let new = self.parts.server(0);
        self.hand_keys_over(at, old, new);
        self.took_over = Some((old, new, up_at));
    }

    fn draft(&mut self, parcel: Option<Parcel>, due: u64, message: Message) {
        self.messages.push(Draft { parcel, due, message });
    }

    /// Which decision made a message fare so: one on this very message, or a link that was cut.
    fn decision_on(
        &self,
        faults: &[Fault],
        parcel: Parcel,
        number: u32,
        fate: Fate,
    ) -> Option<usize> {
        let Parcel { client: actor, call, .. } = parcel;
        let at = |kind, occurrence| self.decision(Address { kind, actor, occurrence });
        let mut found = faults.iter().filter_map(|fault| at(fault.kind(), call));
        let lost =
            (fate == Fate::Lost).then(|| self.injection(Fault::Partition, Some(actor))).flatten();
        let slow = at(DecisionKind::Latency, number).or_else(|| at(DecisionKind::Jitter, number));
        found.next().or(lost).or(slow)
    }

    /// The first message that is a request of `client`, or the last answer to it.
    pub(super) fn find(&self, leg: Leg, client: Client, call: u32) -> Option<usize> {
        let is_it = |draft: &Draft| {
            draft.parcel.is_some_and(|it| {
                (it.leg, it.client, it.call) == (leg, client, call)
                    && (leg != Leg::Request || it.copy == 0)
            })
        };
        self.messages.iter().rposition(is_it)
    }

    /// The very copy of a message.
    fn copy(&self, parcel: Parcel) -> Option<usize> {
        let is_it = |draft: &Draft| {
            draft.parcel.is_some_and(|it| {
                (it.leg, it.client, it.call) == (parcel.leg, parcel.client, parcel.call)
                    && (it.leg != Leg::Request || it.copy == parcel.copy)
            })
        };
        self.messages.iter().rposition(is_it)
    }

    /// The event by which a client sends.
    fn last_send(&self, client: Client) -> Option<usize> {
        let lane = self.lane(client);
        let is_it =
            |event: &leasehold_story::Event| event.lane == lane && event.kind == EventKind::Send;
        self.events.iter().rposition(is_it)
    }

    /// What a request says.
    pub(super) fn request(&self, client: Client, call: u32) -> Option<&str> {
        let place = self.find(Leg::Request, client, call)?;
        Some(&self.messages[place].message.text)
    }
}
