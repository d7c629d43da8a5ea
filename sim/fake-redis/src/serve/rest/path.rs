//! Commands in the path and the query of an address.

use bytes::Bytes;
use percent_encoding::percent_decode;

/// The segments of a path, decoded. Slashes at the end count for nothing; an empty segment between
/// two others is an empty argument.
pub(super) fn segments(path: &str) -> Vec<Bytes> {
    let path = path.trim_end_matches('/');
    path.split('/').skip(1).map(|segment| decoded(segment.as_bytes())).collect()
}

/// The query, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    /// The value of `_token`.
    pub(super) token: Option<Bytes>,
    /// Names and values of the others, in order. An empty value is left out, as in `?NX` or `?NX=`.
    pub(super) arguments: Vec<Bytes>,
}

impl Query {
    pub(super) fn of(text: &str) -> Self {
        let mut query = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (of_form(name), of_form(value));
            if name == "_token" {
                query.token = Some(value);
                continue;
            }
            query.arguments.push(name);
            if !value.is_empty() {
                query.arguments.push(value);
            }
        }
        query
    }
}

/// A name or a value of a form: a plus is a space.
fn of_form(text: &str) -> Bytes {
    decoded(text.replace('+', " ").as_bytes())
}

fn decoded(text: &[u8]) -> Bytes {
    percent_decode(text).collect::<Vec<u8>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_decoded_after_the_path_is_split() {
        let expected = ["set", "a/b", "c+d", "\u{e9}"].map(Bytes::from);
        assert_eq!(segments("/set/a%2Fb/c+d/%C3%A9"), expected);
        assert_eq!(segments("/get/%ff%00")[1], Bytes::from_static(b"\xff\0"));
        assert_eq!(segments("/get/%zz")[1], Bytes::from_static(b"%zz"));
    }

    #[test]
    fn slashes_at_the_end_count_for_nothing() {
        assert_eq!(segments("/"), Vec::<Bytes>::new());
        assert_eq!(segments(""), Vec::<Bytes>::new());
        assert_eq!(segments("/get/a//"), ["get", "a"].map(Bytes::from));
        assert_eq!(segments("/set//a"), ["set", "", "a"].map(Bytes::from));
    }

    #[test]
    fn a_query_is_arguments_and_a_token() {
        let query = Query::of("EX=100&_token=a%20b&NX&KEEPTTL=&x=1+2");
        assert_eq!(query.token, Some("a b".into()));
        assert_eq!(query.arguments, ["EX", "100", "NX", "KEEPTTL", "x", "1 2"].map(Bytes::from));
        assert_eq!(Query::of(""), Query::default());
    }
}
