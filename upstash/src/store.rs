//! The store: one request, or two when the server has forgotten a script.

use std::{borrow::Cow, fmt};

use leasehold_core::{
    Command, Reply, Store, StoreError,
    redis::{self, Invocation, Request, Value},
};
use reqwest::{Client, redirect};
use secrecy::SecretString;

use crate::{
    config::{Endpoint, Options},
    error::{SetupError, no_reply},
    wire,
};

/// A database at Upstash, or at anything that speaks its REST protocol.
///
/// Cloning it is cheap, and the clones share one pool of connections.
///
/// # Cancellation
///
/// A request whose future is dropped may still be applied.
#[derive(Clone)]
pub struct Upstash {
    client: Client,
    endpoint: Endpoint,
}

impl Upstash {
    /// The database at `url`, opened by its standard token, with the default [`Options`].
    ///
    /// # Errors
    ///
    /// [`SetupError`] says what to change. Nothing is sent.
    pub fn new(url: &str, token: impl Into<SecretString>) -> Result<Self, SetupError> {
        Self::with_options(url, token, &Options::default())
    }

    /// The database at `url`, reached as `options` say.
    ///
    /// # Errors
    ///
    /// As [`Upstash::new`].
    pub fn with_options(
        url: &str,
        token: impl Into<SecretString>,
        options: &Options,
    ) -> Result<Self, SetupError> {
        Self::at(Endpoint::new(url, token.into(), options)?, options)
    }

    /// The database that the environment names as the JavaScript client has it: by
    /// `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN`, or else by `KV_REST_API_URL` and
    /// `KV_REST_API_TOKEN`. Unlike there, the URL of one pair is never used with the token of the
    /// other.
    ///
    /// # Errors
    ///
    /// [`SetupError::Unset`] names the variable that is missing; else as [`Upstash::new`].
    pub fn from_env() -> Result<Self, SetupError> {
        let options = Options::default();
        let endpoint = Endpoint::from_variables(|name| std::env::var(name).ok(), &options)?;
        Self::at(endpoint, &options)
    }

    fn at(endpoint: Endpoint, options: &Options) -> Result<Self, SetupError> {
        options.check()?;
        let mut builder = Client::builder()
            .timeout(options.timeout)
            .connect_timeout(options.connect_timeout)
            // A redirect would carry the token elsewhere.
            .redirect(redirect::Policy::none())
            // Sending a command again is the machines' decision.
            .retry(reqwest::retry::never());
        if endpoint.is_local() {
            builder = builder.no_proxy();
        }
        let client =
            builder.build().map_err(|error| SetupError::Client { why: error.to_string() })?;
        Ok(Self { client, endpoint })
    }

    async fn run(&self, invocation: &Invocation) -> Result<Value, StoreError> {
        match self.send(&wire::evalsha(invocation)?).await? {
            Value::Error(message) if redis::is_no_script(&message) => {
                self.send(&wire::eval(invocation)?).await
            }
            value => Ok(value),
        }
    }

    async fn send(&self, command: &[Cow<'_, str>]) -> Result<Value, StoreError> {
        let request = self
            .client
            .post(self.endpoint.url().clone())
            .bearer_auth(self.endpoint.token())
            // Without it, bytes that are not UTF-8 would be replaced on the way.
            .header("Upstash-Encoding", "base64")
            .json(command);
        let response = request.send().await.map_err(|error| no_reply(&error))?;
        let status = response.status();
        let body = response.bytes().await.map_err(|error| no_reply(&error))?;
        wire::answer(status, &body, self.endpoint.token())
    }
}

impl Store for Upstash {
    async fn execute(&self, command: Command) -> Result<Reply, StoreError> {
        let value = match redis::encode(&command) {
            Request::Script(invocation) => self.run(&invocation).await?,
            Request::Plain(words) => self.send(&wire::plain(&words)?).await?,
        };
        redis::decode(&command, value)
    }
}

impl fmt::Debug for Upstash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstash").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
