//! Notifications over server-sent events: one long answer to a `POST`, a line for each message.

use std::{mem, sync::Arc, time::Duration};

use reqwest::Response;
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::flight::Dispatch;
use crate::{
    notifications::{self, Channels, Notification, Notifications, Teller},
    trace,
};

/// A stream that is silent for so long may be dead without anybody having noticed.
const LONGEST_SILENCE: Duration = Duration::from_secs(120);
/// Bytes of a line, as in the JavaScript client.
const LONGEST_LINE: usize = 1 << 20;

/// Listens to `name`, on the stream of those who already do.
pub(super) fn listen(
    channels: &Channels,
    dispatch: &Arc<Dispatch>,
    limit: Duration,
    name: &str,
) -> Notifications {
    channels.listen(name, |teller| {
        Following(tokio::spawn(follow(dispatch.clone(), limit, name.into(), teller)))
    })
}

/// The task that follows a channel, ended by being dropped.
struct Following(JoinHandle<()>);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Why a stream ended.
struct Ended {
    why: String,
    /// Whether the server will say the same next time.
    for_good: bool,
}

/// Tells what is published until the server refuses to tell.
async fn follow(dispatch: Arc<Dispatch>, limit: Duration, name: String, teller: Teller) {
    let mut failures = 0;
    loop {
        let ended = stream(&dispatch, limit, &name, |notification| {
            failures = 0;
            teller.tell(notification);
        })
        .await;
        failures += 1;
        let wait = (!ended.for_good).then(|| notifications::REOPEN.wait(failures));
        trace::notifications_interrupted(&ended.why, wait);
        match wait {
            Some(wait) => sleep(wait).await,
            None => return,
        }
    }
}

/// Reads one stream to its end.
async fn stream(
    dispatch: &Dispatch,
    limit: Duration,
    name: &str,
    mut tell: impl FnMut(Notification),
) -> Ended {
    let opened = match timeout(limit, dispatch.exchange.subscribe(name)).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Ended { why: error.to_string(), for_good: false },
        Err(_) => return Ended { why: "no reply in time".into(), for_good: false },
    };
    let status = opened.status();
    if !status.is_success() {
        let passing = status.is_server_error() || [408, 429].contains(&status.as_u16());
        return Ended { why: format!("HTTP {}", status.as_u16()), for_good: !passing };
    }
    let why = events(opened, &mut tell).await;
    Ended { why: why.into(), for_good: false }
}

/// Tells the events of a stream, until it ends.
async fn events(mut response: Response, tell: &mut impl FnMut(Notification)) -> &'static str {
    let mut lines = Lines::default();
    loop {
        match timeout(LONGEST_SILENCE, response.chunk()).await {
            Ok(Ok(Some(chunk))) => lines.take_in(&chunk, |line| {
                if let Some(notification) = notification(line) {
                    tell(notification);
                }
            }),
            Ok(Ok(None)) => return "the server ended the stream",
            Ok(Err(_)) => return "the connection broke",
            Err(_) => return "silence",
        }
        if lines.0.len() > LONGEST_LINE {
            return "a line without end";
        }
    }
}

/// `subscribe,channel,1` says that the server listens, `message,channel,text` is a message.
fn notification(line: &[u8]) -> Option<Notification> {
    let data = line.strip_prefix(b"data:")?;
    let mut fields = data.strip_prefix(b" ").unwrap_or(data).splitn(3, |byte| *byte == b',');
    match (fields.next()?, fields.next()?, fields.next()?) {
        (b"subscribe", _, _) => Some(Notification::Gap),
        (b"message", _, text) => Some(Notification::Message(text.into())),
        _ => None,
    }
}

/// The beginning of a line whose end has not come yet.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn take_in(&mut self, chunk: &[u8], mut each: impl FnMut(&[u8])) {
        let mut pieces = chunk.split(|byte| *byte == b'\n').peekable();
        while let Some(piece) = pieces.next() {
            self.0.extend_from_slice(piece);
            if pieces.peek().is_some() {
                let line = mem::take(&mut self.0);
                each(line.strip_suffix(b"\r").unwrap_or(&line));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_across_chunks() {
        let (mut lines, mut seen) = (Lines::default(), Vec::new());
        for chunk in ["da", "ta: a\r\nb", "", "c\n\nd"] {
            lines.take_in(chunk.as_bytes(), |line| {
                seen.push(String::from_utf8(line.to_vec()).unwrap());
            });
        }
        assert_eq!(seen, ["data: a", "bc", ""]);
        assert_eq!(lines.0, b"d");
    }

    #[test]
    fn a_message_may_hold_commas() {
        let message = |text: &str| Some(Notification::Message(text.as_bytes().into()));
        assert_eq!(notification(b"data: message,chat,a,b"), message("a,b"));
        assert_eq!(notification(b"data:message,chat,"), message(""));
    }

    #[test]
    fn what_is_no_message_is_not_told_as_one() {
        assert_eq!(notification(b"data: subscribe,chat,1"), Some(Notification::Gap));
        for line in ["", ": keepalive", "event: message", "data: message", "data: unsubscribe,a,0"]
        {
            assert_eq!(notification(line.as_bytes()), None, "{line}");
        }
    }
}
