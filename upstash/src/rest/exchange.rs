//! One request and its answer.

use std::{error::Error, io, time::Duration};

use leasehold_core::{Cause, RejectionKind, StoreError};
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE},
};

use super::{endpoint::Endpoint, sync::SyncToken, wire};
use crate::answer::{Answer, malformed};

const SYNC_TOKEN: &str = "upstash-sync-token";
/// No answer is read any further: several of the largest results that Upstash gives, in base64.
const LONGEST_ANSWER: usize = 64 << 20;

/// What makes requests.
#[derive(Debug)]
pub(crate) struct Exchange {
    client: Client,
    endpoint: Endpoint,
    pipeline: Url,
    timeout: Duration,
    pub(crate) sync: SyncToken,
}

impl Exchange {
    pub(crate) fn new(client: Client, endpoint: Endpoint, timeout: Duration) -> Self {
        let pipeline = endpoint.pipeline();
        Self { client, endpoint, pipeline, timeout, sync: SyncToken::default() }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Sends one command, waiting no longer than `within`.
    pub(crate) async fn one(&self, line: String, within: Duration) -> Result<Answer, StoreError> {
        let (status, body) = self.post(self.endpoint.url(), line, within).await?;
        wire::answer(status, &body, self.endpoint.token())
    }

    /// Sends several commands in one request, and answers each.
    pub(crate) async fn several(&self, lines: Vec<String>) -> Vec<Result<Answer, StoreError>> {
        if let [_] = lines[..] {
            return self.singly(lines).await;
        }
        match self.pipeline(&lines).await {
            Ok(answers) => answers,
            // The pipeline was refused as a whole, so none of it was applied. But it may have been
            // for one of them only, or for want of the path.
            Err(StoreError::Rejected(refused)) if refused.kind != RejectionKind::NotAllowed => {
                self.singly(lines).await
            }
            Err(error) => lines.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    async fn pipeline(
        &self,
        lines: &[String],
    ) -> Result<Vec<Result<Answer, StoreError>>, StoreError> {
        let body = wire::pipeline(lines.iter().map(String::as_str));
        let (status, body) = self.post(&self.pipeline, body, self.timeout).await?;
        wire::answers(status, &body, lines.len(), self.endpoint.token())
    }

    async fn singly(&self, lines: Vec<String>) -> Vec<Result<Answer, StoreError>> {
        let mut answers = Vec::with_capacity(lines.len());
        for line in lines {
            answers.push(self.one(line, self.timeout).await);
        }
        answers
    }

    /// Begins a stream of what is published in `channel`. It has no time limit.
    pub(crate) async fn subscribe(&self, channel: &str) -> Result<Response, StoreError> {
        let request = self
            .client
            .post(self.endpoint.subscription(channel))
            .bearer_auth(self.endpoint.token())
            .header(ACCEPT, "text/event-stream")
            .header(CACHE_CONTROL, "no-cache")
            .header(CONTENT_TYPE, "application/json")
            .body("[]");
        request.send().await.map_err(|error| no_reply(&error))
    }

    async fn post(
        &self,
        url: &Url,
        body: String,
        within: Duration,
    ) -> Result<(StatusCode, Vec<u8>), StoreError> {
        let (number, token) = self.sync.depart();
        let request = self
            .client
            .post(url.clone())
            .timeout(within)
            .bearer_auth(self.endpoint.token())
            // Without it, bytes that are not UTF-8 would be replaced on the way.
            .header("Upstash-Encoding", "base64")
            .header(SYNC_TOKEN, token.unwrap_or_default())
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        let response = request.send().await.map_err(|error| no_reply(&error))?;
        if let Some(token) = response.headers().get(SYNC_TOKEN).and_then(|it| it.to_str().ok()) {
            self.sync.arrive(number, token);
        }
        Ok((response.status(), whole(response).await?))
    }
}

async fn whole(mut response: Response) -> Result<Vec<u8>, StoreError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| no_reply(&error))? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Err(malformed("an answer of more than 64 MiB"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What a request without a reply says about its command.
fn no_reply(error: &reqwest::Error) -> StoreError {
    if error.is_builder() {
        StoreError::NotSent(Cause::Other(format!("no request could be made: {error}").into()))
    } else if error.is_connect() {
        StoreError::NotSent(not_connected(error))
    } else if error.is_timeout() {
        StoreError::Unknown(Cause::TimedOut)
    } else {
        StoreError::Unknown(Cause::Disconnected)
    }
}

/// Refused and too slow need no words; a wrong name or certificate does.
fn not_connected(error: &reqwest::Error) -> Cause {
    let mut root: &(dyn Error + 'static) = error;
    while let Some(source) = root.source() {
        root = source;
    }
    let refused = root.downcast_ref::<io::Error>().is_some_and(|error| {
        matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::TimedOut)
    });
    if error.is_timeout() || refused {
        return Cause::Unreachable;
    }
    Cause::Other(format!("no connection could be made: {root}").into())
}
