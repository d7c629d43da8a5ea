//! Where the database is, checked once.

use std::{fmt, net::IpAddr};

use reqwest::{Url, header::HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::error::SetupError;

/// The names under which the JavaScript client looks for the URL and the token.
const VARIABLES: [(&str, &str); 2] = [
    ("UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"),
    ("KV_REST_API_URL", "KV_REST_API_TOKEN"),
];

const EXAMPLE: &str = "https://eu1-a-1.upstash.io";

/// A URL and the token that opens it.
#[derive(Clone)]
pub(crate) struct Endpoint {
    url: Url,
    token: SecretString,
}

impl Endpoint {
    pub(crate) fn new(
        url: &str,
        token: SecretString,
        allow_plain_http: bool,
    ) -> Result<Self, SetupError> {
        let url = Url::parse(url).map_err(|error| bad_url(error.to_string()))?;
        let host = url.host_str().unwrap_or_default();
        match url.scheme() {
            "https" => {}
            "http" if allow_plain_http || is_loopback(host) => {}
            "http" => return Err(SetupError::PlainHttp { host: host.into() }),
            scheme => return Err(bad_url(format!("it begins with {scheme}:"))),
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            let why = "it holds credentials or a query, which would end up in logs";
            return Err(bad_url(why.into()));
        }
        if token.expose_secret().is_empty() {
            return Err(SetupError::EmptyToken);
        }
        if HeaderValue::from_str(token.expose_secret()).is_err() {
            return Err(SetupError::BadToken);
        }
        Ok(Self { url, token })
    }

    /// Where pipelines go.
    pub(crate) fn pipeline(&self) -> Url {
        self.below(&["pipeline"])
    }

    /// Where a stream of what is published in `channel` comes from.
    pub(crate) fn subscription(&self, channel: &str) -> Url {
        self.below(&["subscribe", channel])
    }

    fn below(&self, segments: &[&str]) -> Url {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// For the `Authorization` header, and to keep it out of what a server says.
    pub(crate) fn token(&self) -> &str {
        self.token.expose_secret()
    }

    #[cfg(not(feature = "rustls"))]
    pub(crate) fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Its host and port, which is all that an error shows of it.
    pub(crate) fn address(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        match self.url.port_or_known_default() {
            Some(port) => format!("{host}:{port}"),
            None => host.into(),
        }
    }

    pub(crate) fn is_local(&self) -> bool {
        self.url.host_str().is_some_and(is_loopback)
    }
}

/// The URL and the token of the first pair of variables whose URL is set: a token is never sent to
/// the URL of the other pair.
pub(crate) fn from_variables(
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<(String, SecretString), SetupError> {
    let set = |name: &str| lookup(name).filter(|value| !value.is_empty());
    let found = VARIABLES.iter().find_map(|(url, token)| Some((set(url)?, *token)));
    let (url, token) = found.ok_or(SetupError::Unset { variable: VARIABLES[0].0 })?;
    let secret = set(token).ok_or(SetupError::Unset { variable: token })?;
    Ok((url, secret.into()))
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

fn bad_url(why: String) -> SetupError {
    SetupError::BadUrl { why, example: EXAMPLE }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    match address.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str, token: &str) -> Result<Endpoint, SetupError> {
        Endpoint::new(url, token.into(), false)
    }

    fn from(variables: &[(&str, &str)]) -> Result<Endpoint, SetupError> {
        let lookup = |name: &str| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into())
        };
        let (url, token) = from_variables(lookup)?;
        Endpoint::new(&url, token, false)
    }

    #[test]
    fn a_token_goes_in_the_clear_only_to_this_machine_or_by_permission() {
        for url in ["http://127.0.0.1:8080", "http://[::1]:8080", "http://localhost"] {
            assert!(endpoint(url, "t").unwrap().is_local(), "{url}");
        }
        for url in ["http://10.0.0.1", "http://localhost.example.com", "http://127.0.0.1.example"] {
            let refused = endpoint(url, "t").unwrap_err();
            assert!(matches!(refused, SetupError::PlainHttp { .. }), "{url}: {refused}");
        }
        assert!(Endpoint::new("http://10.0.0.1", "t".into(), true).is_ok());
    }

    #[test]
    fn what_cannot_be_a_database_is_refused() {
        for url in ["", "eu1.upstash.io", "redis://eu1.upstash.io", "https://", "ftp://a"] {
            assert!(matches!(endpoint(url, "t"), Err(SetupError::BadUrl { .. })), "{url}");
        }
        assert!(matches!(endpoint("https://a", ""), Err(SetupError::EmptyToken)));
        assert!(matches!(endpoint("https://a", "t\n"), Err(SetupError::BadToken)));
    }

    #[test]
    fn secrets_in_a_url_are_refused_and_not_repeated() {
        for url in ["https://me:hunter2@a", "https://hunter2@a", "https://a/?_token=hunter2"] {
            let refused = endpoint(url, "t").unwrap_err();
            assert!(matches!(refused, SetupError::BadUrl { .. }), "{refused}");
            assert!(!format!("{refused} {refused:?}").contains("hunter2"));
        }
    }

    #[test]
    fn both_pairs_of_variables_are_read_and_never_mixed() {
        let [(url, token), (other_url, other_token)] = VARIABLES;
        let both =
            from(&[(url, "https://a"), (token, "1"), (other_url, "https://b"), (other_token, "2")]);
        assert_eq!(both.unwrap().token(), "1");
        let second = from(&[(other_url, "https://b"), (other_token, "2")]).unwrap();
        assert_eq!((second.url().as_str(), second.token()), ("https://b/", "2"));
        let mixed = from(&[(url, "https://a"), (other_token, "2")]).unwrap_err();
        assert_eq!(mixed, SetupError::Unset { variable: token });
        assert_eq!(from(&[]).unwrap_err(), SetupError::Unset { variable: url });
        let empty = from(&[(url, ""), (other_url, "https://b"), (other_token, "2")]);
        assert!(empty.is_ok(), "an empty variable counts as unset");
    }

    #[test]
    fn paths_go_below_that_of_the_url_and_are_encoded() {
        for url in ["https://a/b", "https://a/b/"] {
            let endpoint = endpoint(url, "t").unwrap();
            assert_eq!(endpoint.pipeline().as_str(), "https://a/b/pipeline");
            assert_eq!(endpoint.subscription("x/y?").as_str(), "https://a/b/subscribe/x%2Fy%3F");
        }
    }
}
