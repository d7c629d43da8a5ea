//! What a request asks for.

use bytes::Bytes;

use super::{
    arguments,
    path::segments,
    refusal::{LIMIT, Refusal, too_large},
};

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// One command.
    Command(Vec<Bytes>),
    /// Commands in order, others in between.
    Pipeline(Vec<Vec<Bytes>>),
    /// Commands in order, nobody in between, or none of them.
    Transaction(Vec<Vec<Bytes>>),
    /// Whatever is published to these channels.
    Subscribe(Vec<Bytes>),
    /// Whatever is published to channels that match these patterns.
    SubscribeToPatterns(Vec<Bytes>),
    /// Every command of everybody.
    Monitor,
}

/// Takes a request apart: the path, the arguments in the query, and the body of a `POST` or `PUT`.
pub(super) fn parse(path: &str, query: Vec<Bytes>, body: Bytes) -> Result<Asked, Refusal> {
    let mut words = segments(path);
    let Some(first) = words.first() else {
        return arguments::command(&body).and_then(within_limit).map(Asked::Command);
    };
    match (first.as_ref(), words.len()) {
        (b"pipeline", 1) => return arguments::commands(&body).map(Asked::Pipeline),
        (b"multi-exec", 1) => return transaction(&body),
        (b"monitor", 1) => return Ok(Asked::Monitor),
        (b"subscribe" | b"psubscribe", 1) => return Err(Refusal::NO_CHANNEL),
        (b"subscribe", _) => return Ok(Asked::Subscribe(words.split_off(1))),
        (b"psubscribe", _) => return Ok(Asked::SubscribeToPatterns(words.split_off(1))),
        _ => {}
    }
    if !body.is_empty() {
        words.push(body);
    }
    words.extend(query);
    within_limit(words).map(Asked::Command)
}

/// How large a command is, if that is too large.
pub(super) fn excess(command: &[Bytes]) -> Option<usize> {
    let size = command.iter().map(Bytes::len).sum();
    (size > LIMIT).then_some(size)
}

fn within_limit(command: Vec<Bytes>) -> Result<Vec<Bytes>, Refusal> {
    excess(&command).map_or(Ok(command), |size| Err(Refusal::too_large(size)))
}

fn transaction(body: &[u8]) -> Result<Asked, Refusal> {
    let commands = arguments::commands(body)?;
    match commands.iter().find_map(|command| excess(command)) {
        Some(size) => Err(Refusal::because(too_large(size))),
        None => Ok(Asked::Transaction(commands)),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::path::Query, *};

    fn words(text: &str) -> Vec<Bytes> {
        text.split(' ').map(|word| Bytes::from(word.to_owned())).collect()
    }

    fn asked(address: &str, body: &'static str) -> Result<Asked, Refusal> {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        parse(path, Query::of(query).arguments, body.into())
    }

    #[test]
    fn a_command_comes_in_the_body_or_in_the_path() {
        let set = Ok(Asked::Command(words("SET foo bar EX 100")));
        assert_eq!(asked("/", r#"["SET", "foo", "bar", "EX", 100]"#), set);
        assert_eq!(asked("/SET/foo/bar/EX/100", ""), set);
        assert_eq!(asked("/SET/foo/bar/EX/100/", ""), set);
        assert_eq!(asked("/SET/foo?EX=100", "bar"), set);
        assert_eq!(asked("/SET/foo?EX=100&_token=secret", "bar"), set);
    }

    #[test]
    fn a_body_behind_a_path_is_kept_byte_by_byte() {
        let body = Bytes::from_static(b"\xff\0[\"x\"]");
        let asked = parse("/set/foo", Vec::new(), body.clone());
        assert_eq!(asked, Ok(Asked::Command(vec!["set".into(), "foo".into(), body])));
    }

    #[test]
    fn special_paths_are_no_commands() {
        let pair = vec![words("GET a"), words("GET b")];
        let body = r#"[["GET", "a"], ["GET", "b"]]"#;
        assert_eq!(asked("/pipeline", body), Ok(Asked::Pipeline(pair.clone())));
        assert_eq!(asked("/pipeline/", body), Ok(Asked::Pipeline(pair.clone())));
        assert_eq!(asked("/multi-exec", body), Ok(Asked::Transaction(pair)));
        assert_eq!(asked("/monitor", ""), Ok(Asked::Monitor));
        assert_eq!(asked("/subscribe/a/b", "[]"), Ok(Asked::Subscribe(words("a b"))));
        assert_eq!(asked("/psubscribe/a%2A", ""), Ok(Asked::SubscribeToPatterns(words("a*"))));
        assert_eq!(asked("/subscribe", ""), Err(Refusal::NO_CHANNEL));
        assert_eq!(asked("/publish/a/b", ""), Ok(Asked::Command(words("publish a b"))));
    }

    #[test]
    fn the_limit_is_on_each_command() {
        let large = Bytes::from(vec![b'x'; LIMIT - 4]);
        assert!(parse("/set/a", Vec::new(), large.clone()).is_ok());
        let refusal = parse("/set/ab", Vec::new(), large).unwrap_err();
        assert_eq!(refusal.status, 413);
        assert!(refusal.text.contains("Limit: 10485760 bytes, Actual: 10485761 bytes."));
        let two = format!(r#"[["SET", "a", "{0}"], ["SET", "b", "{0}"]]"#, "x".repeat(LIMIT - 4));
        assert!(matches!(parse("/multi-exec", Vec::new(), two.into()), Ok(Asked::Transaction(_))));
        let one = format!(r#"[["SET", "ab", "{}"]]"#, "x".repeat(LIMIT - 4));
        assert_eq!(parse("/multi-exec", Vec::new(), one.into()).unwrap_err().status, 400);
    }
}
