//! Streams of server-sent events: what is published, or every command.

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::{
    Resp,
    serve::{Client, Performed, faults::Slot, http::Events},
};

/// Begins to listen with `command`, and says everything as it comes, until the reader leaves or the
/// server disconnects the client.
pub(super) fn stream(client: Client, command: Vec<Bytes>) -> Result<Events, Resp> {
    let replies = match client.serve(&command, &Slot::Serve, 0) {
        Performed::Answered { replies, .. } => replies,
        Performed::Blocked | Performed::Lost(_) => Vec::new(),
    };
    if let Some(error) = replies.iter().find(|reply| reply.is_error()) {
        return Err(error.clone());
    }
    let (sender, events) = Events::channel();
    tokio::spawn(pump(client, replies, sender));
    Ok(events)
}

async fn pump(client: Client, replies: Vec<Resp>, sender: mpsc::Sender<Bytes>) {
    for reply in replies {
        if !say(&client, &sender, reply).await {
            return;
        }
    }
    loop {
        let delivery = tokio::select! {
            delivery = client.next_delivery() => delivery,
            () = sender.closed() => None,
        };
        let Some(delivery) = delivery else { return };
        if !say(&client, &sender, delivery.resp).await {
            return;
        }
    }
}

/// Whether the stream goes on: it ends with its reader, and with the client. One whose mailbox has
/// become too full, since the reader does not read, is a client no more.
async fn say(client: &Client, sender: &mpsc::Sender<Bytes>, resp: Resp) -> bool {
    tokio::select! {
        biased;
        sent = sender.send(event(resp)) => sent.is_ok(),
        () = client.closed() => false,
    }
}

/// One event. Its fields are joined by commas, and a line of its own for each of the message.
fn event(resp: Resp) -> Bytes {
    let mut text = Vec::new();
    match resp {
        Resp::Simple(status) if status == "OK" => text.extend(b"\"OK\""),
        Resp::Push(fields) | Resp::Array(fields) => {
            for (index, field) in fields.into_iter().enumerate() {
                if index > 0 {
                    text.push(b',');
                }
                append(&mut text, field);
            }
        }
        other => append(&mut text, other),
    }
    let mut event = Vec::with_capacity(text.len() + 8);
    for line in text.split(|byte| *byte == b'\n') {
        event.extend(b"data: ");
        event.extend(line);
        event.push(b'\n');
    }
    event.push(b'\n');
    event.into()
}

fn append(text: &mut Vec<u8>, field: Resp) {
    match field {
        Resp::Bulk(bytes) => text.extend(bytes),
        Resp::Integer(number) => text.extend(number.to_string().into_bytes()),
        Resp::Simple(words) | Resp::Error(words) => text.extend(&*Resp::bytes_of(&words)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_joined_by_commas_and_lines_are_kept_apart() {
        let push = |words: &[&'static str]| {
            Resp::Push(words.iter().map(|word| Resp::Bulk((*word).into())).collect())
        };
        assert_eq!(event(push(&["message", "chat", "a,b"])), "data: message,chat,a,b\n\n");
        assert_eq!(event(push(&["message", "c", "a\nb"])), "data: message,c,a\ndata: b\n\n");
        assert_eq!(event(Resp::OK), "data: \"OK\"\n\n");
    }
}
