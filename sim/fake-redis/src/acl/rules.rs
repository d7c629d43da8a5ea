//! The words of `ACL SETUSER`.

use bytes::Bytes;

use super::{
    commands::Commands,
    selector::{KeyPattern, Selector},
    user::{Secret, User},
};
use crate::{
    command::{Table, owned},
    resp::text_of,
};

const SYNTAX: &str = "Syntax error";
const BAD_HASH: &str = "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters";

impl User {
    /// Changes a user by all of these words, or says which one is wrong and why.
    pub(crate) fn apply(
        &mut self,
        table: &Table,
        words: &[Bytes],
        all_channels: bool,
    ) -> Result<(), String> {
        for word in merged(words)? {
            self.apply_word(table, &word, all_channels).map_err(|why| {
                // A password must not be in an error.
                let shown = if word.starts_with(b">") || word.starts_with(b"<") {
                    text_of(&word[..1])
                } else {
                    text_of(&word)
                };
                format!("Error in ACL SETUSER modifier '{shown}': {why}")
            })?;
        }
        Ok(())
    }

    fn apply_word(
        &mut self,
        table: &Table,
        word: &[u8],
        all_channels: bool,
    ) -> Result<(), &'static str> {
        match word.to_ascii_lowercase().as_slice() {
            b"on" => self.enabled = true,
            b"off" => self.enabled = false,
            b"nopass" => {
                self.no_password = true;
                self.secrets.clear();
            }
            b"resetpass" => {
                self.no_password = false;
                self.secrets.clear();
            }
            b"sanitize-payload" => self.sanitize = Some(true),
            b"skip-sanitize-payload" => self.sanitize = Some(false),
            b"clearselectors" => self.selectors.truncate(1),
            b"reset" => *self = Self { sanitize: Some(true), ..Self::new(all_channels) },
            _ => match word {
                [b'>', password @ ..] => self.add_secret(Secret::of(password)),
                [b'<', password @ ..] => self.remove_secret(Secret::of(password))?,
                [b'#', hash @ ..] => self.add_secret(Secret::parse(hash).ok_or(BAD_HASH)?),
                [b'!', hash @ ..] => self.remove_secret(Secret::parse(hash).ok_or(BAD_HASH)?)?,
                [b'(', inner @ .., b')'] => {
                    let mut selector = Selector::new(all_channels);
                    let words = inner.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
                    words.into_iter().try_for_each(|word| selector.apply(table, word))?;
                    self.selectors.push(selector);
                }
                word => self.selectors[0].apply(table, word)?,
            },
        }
        Ok(())
    }

    fn add_secret(&mut self, secret: Secret) {
        self.no_password = false;
        if !self.secrets.contains(&secret) {
            self.secrets.push(secret);
        }
    }

    fn remove_secret(&mut self, secret: Secret) -> Result<(), &'static str> {
        let before = self.secrets.len();
        self.secrets.retain(|other| *other != secret);
        let gone = "The password you are trying to remove from the user does not exist";
        if self.secrets.len() < before { Ok(()) } else { Err(gone) }
    }
}

/// The words, with those of a selector in parentheses as one.
fn merged(words: &[Bytes]) -> Result<Vec<Vec<u8>>, String> {
    let mut merged = Vec::new();
    let mut open: Option<Vec<u8>> = None;
    for word in words {
        let word = match open.take() {
            Some(begin) => [&begin, &b" "[..], word].concat(),
            None => word.to_vec(),
        };
        if word.starts_with(b"(") && !word.ends_with(b")") {
            open = Some(word);
        } else {
            merged.push(word);
        }
    }
    match open {
        None => Ok(merged),
        Some(begin) => {
            let begin = String::from_utf8_lossy(&begin).into_owned();
            let begin = begin.split(' ').next().unwrap_or_default();
            Err(format!("Unmatched parenthesis in acl selector starting at '{begin}'."))
        }
    }
}

impl Selector {
    fn apply(&mut self, table: &Table, word: &[u8]) -> Result<(), &'static str> {
        match word.to_ascii_lowercase().as_slice() {
            b"allkeys" => self.add_keys(true, true, b"*")?,
            b"resetkeys" => self.keys.clear(),
            b"allchannels" => self.add_channels(b"*")?,
            b"resetchannels" => {
                self.channels.clear();
                self.all_channels = false;
            }
            b"allcommands" => self.commands = Commands::ALL,
            b"nocommands" => self.commands = Commands::NONE,
            _ => match word {
                [b'~', pattern @ ..] => self.add_keys(true, true, pattern)?,
                [b'%', rest @ ..] => {
                    let end = rest.iter().position(|byte| *byte == b'~').ok_or(SYNTAX)?;
                    let rights = rest[..end].to_ascii_uppercase();
                    if rights.is_empty() || !rights.iter().all(|it| matches!(it, b'R' | b'W')) {
                        return Err(SYNTAX);
                    }
                    let has = |right| rights.contains(&right);
                    self.add_keys(has(b'R'), has(b'W'), &rest[end + 1..])?;
                }
                [b'&', pattern @ ..] => self.add_channels(pattern)?,
                [b'+', what @ ..] => self.commands.add(table, true, what)?,
                [b'-', what @ ..] => self.commands.add(table, false, what)?,
                _ => return Err(SYNTAX),
            },
        }
        Ok(())
    }

    fn add_keys(&mut self, read: bool, write: bool, pattern: &[u8]) -> Result<(), &'static str> {
        if has_blank(pattern) {
            return Err(SYNTAX);
        }
        let new = KeyPattern { read, write, pattern: owned(pattern) };
        if new.is_all() {
            self.keys = vec![new];
            return Ok(());
        }
        if self.all_keys() {
            return Err(
                "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and \
                 does not have any effect. Try 'resetkeys' to start with an empty list of patterns",
            );
        }
        match self.keys.iter_mut().find(|known| known.pattern == pattern) {
            Some(known) => {
                known.read |= read;
                known.write |= write;
            }
            None => self.keys.push(new),
        }
        Ok(())
    }

    fn add_channels(&mut self, pattern: &[u8]) -> Result<(), &'static str> {
        if has_blank(pattern) {
            return Err(SYNTAX);
        }
        if pattern == b"*" {
            self.channels.clear();
            self.all_channels = true;
        } else if self.all_channels {
            return Err(
                "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid \
                 and does not have any effect. Try 'resetchannels' to start with an empty list of \
                 channels",
            );
        } else if !self.channels.iter().any(|known| known == pattern) {
            self.channels.push(owned(pattern));
        }
        Ok(())
    }
}

fn has_blank(pattern: &[u8]) -> bool {
    pattern.iter().any(|byte| byte.is_ascii_whitespace() || *byte == 0)
}
