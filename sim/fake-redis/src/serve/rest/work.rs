//! Commands of a request, executed as the faults will have it.

use std::{mem, sync::Arc};

use bytes::Bytes;

use super::{access::Access, refusal::Refusal};
use crate::{
    Facts, Resp,
    serve::{
        Client, Host, Performed,
        faults::{Effects, Ending, Slot, Transport},
    },
};

/// After how many commands of a pipeline others have their turn.
const TURN: usize = 128;

/// The commands of a request.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) commands: Vec<Vec<Bytes>>,
    /// Whether nobody comes in between.
    pub(super) atomic: bool,
    pub(super) access: Access,
    /// The number of a write that the client has seen.
    pub(super) known: u64,
}

/// Why there are no replies.
#[derive(Clone, Debug)]
pub(super) enum Failed {
    /// The request is refused.
    Refused(Refusal),
    /// The client gets nothing, or nothing but a status.
    Ended(Ending),
}

impl Work {
    /// Has everything done that is ordered. A dropped future leaves undone what is left.
    pub(super) async fn run(self, host: &Arc<Host>, peer: &str) -> Result<Vec<Resp>, Failed> {
        let commands: Vec<&[Bytes]> = self.commands.iter().map(|command| &command[..]).collect();
        let (mut effects, place) = host.judge(Transport::Rest, peer, &commands);
        self.send_copies(host, &mut effects);
        if effects.waits() {
            let resets = host.resets();
            host.until_due(&effects).await;
            if host.resets() > resets {
                return Err(Failed::Ended(Ending::Close));
            }
        }
        if !effects.executed {
            return Err(Failed::Ended(effects.ending));
        }
        let replies = self.execute(host, &effects.slots).await;
        host.note_executed(place);
        host.carry_out(effects.server_event);
        match effects.ending {
            Ending::Reply => replies,
            ending => Err(Failed::Ended(ending)),
        }
    }

    fn send_copies(&self, host: &Arc<Host>, effects: &mut Effects) {
        for duplicate in mem::take(&mut effects.duplicates) {
            let (copy, host) = (self.clone(), Arc::clone(host));
            let (due_us, resets) = (host.clock().elapsed_us_after(duplicate.after), host.resets());
            tokio::spawn(async move {
                host.clock().sleep_until(due_us).await;
                host.until_free().await;
                if host.resets() > resets {
                    return;
                }
                let slots = vec![Slot::Serve; copy.commands.len()];
                // Nobody is there to be told what came of it.
                let _ = copy.execute(&host, &slots).await;
                host.note_duplicate(duplicate.injection);
            });
        }
    }

    async fn execute(&self, host: &Arc<Host>, slots: &[Slot]) -> Result<Vec<Resp>, Failed> {
        let client = host.connect_over_rest().ok_or_else(|| {
            Failed::Refused(Refusal::bad("ERR max concurrent connections exceeded"))
        })?;
        let replies = if self.atomic {
            self.transaction(&client, slots).await
        } else {
            self.pipeline(&client, slots).await
        };
        let writes = |command: &Vec<Bytes>| Facts::of(command).is_some_and(|facts| facts.writes);
        if self.commands.iter().any(writes) {
            host.note_write();
        }
        replies
    }

    async fn pipeline(&self, client: &Client, slots: &[Slot]) -> Result<Vec<Resp>, Failed> {
        let mut replies = Vec::with_capacity(self.commands.len());
        for (index, (command, slot)) in self.commands.iter().zip(slots).enumerate() {
            if index % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
            replies.push(match self.access.refuses(command) {
                Some(text) => Resp::Error(text),
                None => self.one(client, command, slot).await?,
            });
        }
        Ok(replies)
    }

    /// All or none: an error before anything is executed discards everything.
    async fn transaction(&self, client: &Client, slots: &[Slot]) -> Result<Vec<Resp>, Failed> {
        let refused = |text| Failed::Refused(Refusal::because(text));
        for command in &self.commands {
            if let Some(text) = self.access.refuses(command) {
                return Err(refused(text));
            }
        }
        self.word(client, "MULTI").await?;
        for (command, slot) in self.commands.iter().zip(slots) {
            // What is queued is not read yet: no replica can answer.
            let slot = if matches!(slot, Slot::Stale { .. }) { &Slot::Serve } else { slot };
            if let Resp::Error(text) = self.one(client, command, slot).await? {
                return Err(refused(text));
            }
        }
        match self.word(client, "EXEC").await? {
            Resp::Array(replies) => Ok(replies),
            Resp::Error(text) => Err(refused(text)),
            _ => Err(refused("ERR the transaction was discarded".into())),
        }
    }

    async fn word(&self, client: &Client, word: &'static str) -> Result<Resp, Failed> {
        self.one(client, &[Bytes::from_static(word.as_bytes())], &Slot::Serve).await
    }

    async fn one(&self, client: &Client, command: &[Bytes], slot: &Slot) -> Result<Resp, Failed> {
        client.host().until_free().await;
        if client.is_closed() {
            // The server went down a moment ago.
            return Err(Failed::Ended(Ending::Reset));
        }
        match client.serve(command, slot, self.known) {
            Performed::Answered { replies, .. } => {
                replies.into_iter().next().ok_or(Failed::Ended(Ending::Reset))
            }
            Performed::Blocked => loop {
                match client.next_delivery().await {
                    Some(delivery) if delivery.unblocks => return Ok(delivery.resp),
                    Some(_) => {}
                    None => return Err(Failed::Ended(Ending::Reset)),
                }
            },
            Performed::Lost(ending) => Err(Failed::Ended(ending)),
        }
    }
}
