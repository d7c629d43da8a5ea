//! One request and its answer.

use std::error::Error;

use leasehold_core::{Cause, Rejection, RejectionKind, StoreError};
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE},
};

use tokio::time::Instant;

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
    pub(crate) sync: SyncToken,
}

impl Exchange {
    pub(crate) fn new(client: Client, endpoint: Endpoint) -> Self {
        let pipeline = endpoint.pipeline();
        Self { client, endpoint, pipeline, sync: SyncToken::default() }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sends one command, and waits so long for its answer.
    pub(crate) async fn one(&self, line: String, until: Instant) -> Result<Answer, StoreError> {
        let (status, body) = self.post(self.endpoint.url(), line, until).await?;
        wire::answer(status, &body, self.endpoint.token())
    }

    /// Sends several commands in one request, and answers each. `is_wanted` says whether anybody
    /// waits for the answer to one of them still.
    pub(crate) async fn several(
        &self,
        lines: Vec<String>,
        until: Instant,
        is_wanted: impl Fn(usize) -> bool,
    ) -> Vec<Result<Answer, StoreError>> {
        if let [_] = lines[..] {
            return self.singly(lines, until, is_wanted, |_| false).await;
        }
        let refused = match self.pipeline(&lines, until).await {
            Ok(answers) => return answers,
            Err(error) => error,
        };
        // The pipeline was refused as a whole, so none of it was applied. But it may have been for
        // one of them only, or for want of the path.
        match &refused {
            StoreError::Rejected(Rejection { kind, message })
                if *kind != RejectionKind::NotAllowed =>
            {
                let is_of_one = wire::may_be_of_one(message);
                let is_of_all = |error: &StoreError| !is_of_one && *error == refused;
                self.singly(lines, until, is_wanted, is_of_all).await
            }
            _ => lines.iter().map(|_| Err(refused.clone())).collect(),
        }
    }

    async fn pipeline(
        &self,
        lines: &[String],
        until: Instant,
    ) -> Result<Vec<Result<Answer, StoreError>>, StoreError> {
        let body = wire::pipeline(lines.iter().map(String::as_str));
        let (status, body) = self.post(&self.pipeline, body, until).await?;
        wire::answers(status, &body, lines.len(), self.endpoint.token())
    }

    /// Sends those that are wanted one after another, until one is answered by what goes for all.
    async fn singly(
        &self,
        lines: Vec<String>,
        until: Instant,
        is_wanted: impl Fn(usize) -> bool,
        is_of_all: impl Fn(&StoreError) -> bool,
    ) -> Vec<Result<Answer, StoreError>> {
        let mut answers: Vec<Result<Answer, StoreError>> = Vec::with_capacity(lines.len());
        let mut of_all = None;
        for (index, line) in lines.into_iter().enumerate() {
            let answer = match &of_all {
                Some(error) => Err(StoreError::clone(error)),
                None if is_wanted(index) && Instant::now() < until => self.one(line, until).await,
                None => Err(StoreError::NotSent(self.timed_out())),
            };
            if let Err(error) = &answer
                && (is_of_all(error) || matches!(error, StoreError::NotSent(_)) && is_wanted(index))
            {
                of_all = Some(error.clone());
            }
            answers.push(answer);
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
        request.send().await.map_err(|error| self.no_reply(&error))
    }

    async fn post(
        &self,
        url: &Url,
        body: String,
        until: Instant,
    ) -> Result<(StatusCode, Vec<u8>), StoreError> {
        let (number, token) = self.sync.depart();
        let request = self
            .client
            .post(url.clone())
            .timeout(until.saturating_duration_since(Instant::now()))
            .bearer_auth(self.endpoint.token())
            // Without it, bytes that are not UTF-8 would be replaced on the way.
            .header("Upstash-Encoding", "base64")
            .header(SYNC_TOKEN, token.unwrap_or_default())
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        let response = request.send().await.map_err(|error| self.no_reply(&error))?;
        if let Some(token) = response.headers().get(SYNC_TOKEN).and_then(|it| it.to_str().ok()) {
            self.sync.arrive(number, token);
        }
        Ok((response.status(), self.whole(response).await?))
    }

    async fn whole(&self, mut response: Response) -> Result<Vec<u8>, StoreError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.no_reply(&error))? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(malformed("an answer of more than 64 MiB"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// That nothing came from the server in time.
    pub(crate) fn timed_out(&self) -> Cause {
        Cause::TimedOut(self.endpoint.address().into())
    }

    /// What a request without a reply says about its command.
    fn no_reply(&self, error: &reqwest::Error) -> StoreError {
        if error.is_builder() {
            let text = format!("no request could be made: {}", root(error));
            StoreError::NotSent(Cause::Other(text.into()))
        } else if error.is_connect() {
            let why = match error.is_timeout() {
                true => "no connection in time".into(),
                false => root(error),
            };
            let text = format!("{}: {why}", self.endpoint.address());
            StoreError::NotSent(Cause::Unreachable(text.into()))
        } else if error.is_timeout() {
            StoreError::Unknown(self.timed_out())
        } else {
            let text = format!("{}: {}", self.endpoint.address(), root(error));
            StoreError::Unknown(Cause::Disconnected(text.into()))
        }
    }
}

/// What lies beneath, which says more than what is above it, and repeats no URL.
fn root(error: &reqwest::Error) -> String {
    let mut root: &(dyn Error + 'static) = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root.to_string()
}
