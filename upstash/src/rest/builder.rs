//! How a database is reached, said step by step and checked at the end.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::{Client, Proxy, redirect};
use secrecy::SecretString;

use super::{
    Upstash,
    endpoint::{self, Endpoint},
    exchange::Exchange,
    flight::{Dispatch, Limits},
};
use crate::{
    error::SetupError,
    notifications::Channels,
    retry::{Budget, RetryPolicy, budget_setters},
};

/// Sets up an [`Upstash`].
///
/// ```
/// use leasehold_upstash::{RetryPolicy, Upstash};
/// use std::time::Duration;
///
/// let store = Upstash::builder("https://eu1-a-1.upstash.io", "secret")
///     .timeout(Duration::from_secs(1))
///     .retry(RetryPolicy::new().retries(0))
///     .build()?;
/// # Ok::<(), leasehold_upstash::SetupError>(())
/// ```
#[must_use = "it does nothing until it is built"]
pub struct UpstashBuilder {
    url: String,
    token: SecretString,
    budget: Budget,
    notification_streams: usize,
    idle_connections: usize,
    retry: RetryPolicy,
    limits: Limits,
    proxy: Option<Proxy>,
    client: Option<Client>,
    allow_plain_http: bool,
}

impl UpstashBuilder {
    pub(crate) fn new(url: &str, token: SecretString) -> Self {
        Self {
            url: url.into(),
            token,
            budget: Budget::default(),
            notification_streams: 32,
            idle_connections: 8,
            retry: RetryPolicy::default(),
            limits: Limits { flights: 4, commands: 128 },
            proxy: None,
            client: None,
            allow_plain_http: false,
        }
    }

    pub(crate) fn from_env() -> Result<Self, SetupError> {
        let (url, token) = endpoint::from_variables(|name| std::env::var(name).ok())?;
        Ok(Self::new(&url, token))
    }

    budget_setters!();

    /// How many channels may be listened to at a time, each of which takes a stream of its own.
    /// Default 32. What is watched beyond them has no notifications, so its waiters look by
    /// themselves.
    pub fn notification_streams(mut self, streams: usize) -> Self {
        self.notification_streams = streams;
        self
    }

    /// How many connections are kept open while nothing is asked. Default 8.
    pub fn idle_connections(mut self, connections: usize) -> Self {
        self.idle_connections = connections;
        self
    }

    /// How many requests may be under way at a time. Default 4. Not zero. A command that comes when
    /// so many are waits until one of them ends, and then travels with what came meanwhile.
    pub fn requests_in_flight(mut self, requests: usize) -> Self {
        self.limits.flights = requests;
        self
    }

    /// How many commands may travel in one request. Default 128. Not zero. With 1, each is a
    /// request of its own.
    pub fn commands_per_request(mut self, commands: usize) -> Self {
        self.limits.commands = commands;
        self
    }

    /// Goes through this proxy. Without it, the one that the environment names is used, except to
    /// this machine.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Uses this client instead of one of its own. Its time limits, its pool, its proxy, its TLS
    /// and whether it follows redirects are then its own business:
    /// [`UpstashBuilder::connect_timeout`], [`UpstashBuilder::idle_connections`] and
    /// [`UpstashBuilder::proxy`] are ignored. It should follow no redirects and send nothing again.
    /// Give it a time limit for connecting that is no more than a third of
    /// [`UpstashBuilder::timeout`]: without one, nobody knows that a server was never reached.
    pub fn client(mut self, client: Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Lets the token travel in the clear, over `http://`, to another machine. This machine
    /// (`localhost`, `127.0.0.1`, `[::1]`) needs no permission.
    pub fn allow_plain_http(mut self) -> Self {
        self.allow_plain_http = true;
        self
    }

    /// Makes the store. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`SetupError`] says what to change.
    pub fn build(self) -> Result<Upstash, SetupError> {
        self.check()?;
        let budget = self.budget.checked()?;
        let endpoint = Endpoint::new(&self.url, self.token.clone(), self.allow_plain_http)?;
        let client = match &self.client {
            Some(client) => client.clone(),
            None => self.new_client(&endpoint, budget)?,
        };
        let exchange = Exchange::new(client, endpoint);
        let dispatch = Arc::new(Dispatch::new(exchange, self.retry, self.limits));
        let channels = Arc::new(Channels::at_most(self.notification_streams));
        Ok(Upstash { dispatch, channels, budget })
    }

    fn check(&self) -> Result<(), SetupError> {
        let zeros = [
            ("the number of requests in flight", self.limits.flights == 0),
            ("the number of commands per request", self.limits.commands == 0),
        ];
        match zeros.into_iter().find(|(_, is_zero)| *is_zero) {
            Some((what, _)) => Err(SetupError::Zero { what }),
            None => Ok(()),
        }
    }

    fn new_client(&self, endpoint: &Endpoint, budget: Budget) -> Result<Client, SetupError> {
        // Its own client makes ready for TLS in any case.
        #[cfg(not(feature = "rustls"))]
        crate::tls::check(cfg!(feature = "rustls-no-provider") || endpoint.is_tls())?;
        let mut builder = Client::builder()
            .connect_timeout(budget.connect)
            .pool_max_idle_per_host(self.idle_connections)
            .tcp_nodelay(true)
            .tcp_keepalive(Duration::from_secs(30))
            // A redirect would carry the token elsewhere.
            .redirect(redirect::Policy::none())
            // What is sent again is decided here.
            .retry(reqwest::retry::never());
        if let Some(proxy) = &self.proxy {
            builder = builder.proxy(proxy.clone());
        } else if endpoint.is_local() {
            builder = builder.no_proxy();
        }
        builder.build().map_err(|error| SetupError::Client { why: error.to_string() })
    }
}

impl fmt::Debug for UpstashBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither the URL nor a proxy was checked yet: they may hold a secret.
        f.debug_struct("UpstashBuilder")
            .field("budget", &self.budget)
            .field("retry", &self.retry)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> UpstashBuilder {
        UpstashBuilder::new("https://a", "hunter2".into())
    }

    #[test]
    fn a_limit_of_zero_is_refused() {
        for builder in [
            builder().timeout(Duration::ZERO),
            builder().connect_timeout(Duration::ZERO),
            builder().requests_in_flight(0),
            builder().commands_per_request(0),
        ] {
            let shown = format!("{builder:?}");
            assert!(matches!(builder.build(), Err(SetupError::Zero { .. })), "{shown}");
        }
        assert!(builder().build().is_ok());
    }

    #[test]
    fn what_was_not_checked_is_not_shown() {
        let builder = UpstashBuilder::new("https://me:hunter2@a", "hunter2".into());
        assert!(!format!("{builder:?}").contains("hunter2"));
    }
}
