//! Whether locks are treated as locks: keys whose value says who owns them.
//!
//! A request that names the value knows the owner. Of any other it can only be guessed whose it is: a
//! program may share its connections. So such a request is accused only if somebody lost the lock
//! unawares (it expired, or the server forgot it) and has not given it up since: then two believe
//! that it is theirs.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::{Facts, Keyspace, Server, SessionId, Value, faults::told, glob_matches};

/// How many locks are watched, how many violations kept, and how many arguments of a transaction.
const LOCKS: usize = 10_000;
const VIOLATIONS: usize = 100;
const ARGUMENTS: usize = 10_000;

/// How many bytes of a value are remembered of a connection.
const VALUE: usize = 256;

/// How many lost locks are remembered of a key.
const LOST: usize = 100;

/// Who sends requests over REST.
const OVER_REST: u64 = 0;

/// Who a late copy of a request is.
pub(super) const COPY: u64 = u64::MAX;

/// Something that no lock should meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When, in microseconds of the server's clock since its start.
    pub at_us: u64,
    /// The key.
    pub key: String,
    /// What happened, as a sentence.
    pub text: String,
}

/// A key, in its database.
type Place = (usize, Bytes);

#[derive(Debug)]
pub(super) struct Watch {
    globs: Vec<Bytes>,
    locks: BTreeMap<Place, Lock>,
    /// What was lost by nobody's doing, and whose owner has not been heard of since.
    lost: BTreeMap<Place, Vec<Lock>>,
    /// The value that each connection has tried to set first, and which of them have tried another:
    /// those that several owners share.
    tried: FxHashMap<u64, Bytes>,
    shared: BTreeSet<u64>,
    /// What was queued in a transaction.
    queued: FxHashMap<SessionId, Vec<Vec<Bytes>>>,
    violations: Vec<Violation>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Lock {
    value: Bytes,
    expires_at_ms: Option<u64>,
    /// The connection that set the value.
    owner: u64,
}

/// A request that may have changed a lock.
struct Suspect<'a> {
    connection: u64,
    /// What it is called in a sentence.
    who: String,
    commands: &'a [Vec<Bytes>],
    elapsed_us: u64,
}

impl Suspect<'_> {
    /// Whether it says that it knows the owner.
    fn names(&self, value: &Bytes) -> bool {
        self.commands.iter().any(|command| command.iter().skip(1).any(|word| word == value))
    }

    /// Whether it is surely none of those that may own the lock.
    fn is_a_copy(&self) -> bool {
        self.connection == COPY
    }

    /// Whether it came on the connection that set the value.
    fn set(&self, lock: &Lock) -> bool {
        self.connection != OVER_REST && self.connection == lock.owner
    }

    /// The command that has to do with a key, for a sentence.
    fn command(&self, key: &Bytes) -> String {
        let about = self.commands.iter().find(|command| command.contains(key));
        about.or_else(|| self.commands.first()).map(|command| told(command).0).unwrap_or_default()
    }
}

impl Watch {
    pub(super) fn new(globs: &[String]) -> Self {
        Self {
            globs: globs.iter().map(|glob| Bytes::from(glob.clone())).collect(),
            locks: BTreeMap::new(),
            lost: BTreeMap::new(),
            tried: FxHashMap::default(),
            shared: BTreeSet::new(),
            queued: FxHashMap::default(),
            violations: Vec::new(),
        }
    }

    /// Looks at the locks after a command.
    pub(super) fn look(
        &mut self,
        server: &Server,
        (session, connection): (SessionId, u64),
        arguments: &[Bytes],
        (now_us, elapsed_us): (u64, u64),
        queued: bool,
    ) {
        if queued {
            let kept = self.queued.entry(session).or_default();
            if kept.len() < ARGUMENTS {
                kept.push(arguments.to_vec());
            }
            return;
        }
        let is_exec = arguments.first().is_some_and(|name| name.eq_ignore_ascii_case(b"exec"));
        let mut commands = self.queued.remove(&session).filter(|_| is_exec).unwrap_or_default();
        if commands.is_empty() {
            if Facts::of(arguments).is_none_or(|facts| facts.reads) {
                return;
            }
            commands.push(arguments.to_vec());
        }
        let who = name_of(server, session, connection);
        let suspect = Suspect { connection, who, commands: &commands, elapsed_us };
        let database = server.database(session);
        for place in self.places(database, &commands) {
            self.compare(server, now_us / 1_000, place, &suspect);
        }
    }

    /// Takes the locks for what they are now: no client did that.
    pub(super) fn learn(&mut self, server: &Server, now_us: u64) {
        let found = |(at, key): &Place| find(server, *at, key, now_us / 1_000);
        let places: Vec<Place> = self.locks.keys().cloned().collect();
        for place in places {
            match (found(&place), self.locks.get_mut(&place)) {
                (Some((value, expires_at_ms)), Some(lock)) => {
                    let before = lock.clone();
                    (lock.value, lock.expires_at_ms) = (value, expires_at_ms);
                    if lock.value != before.value {
                        self.lose(place, before);
                    }
                }
                _ => {
                    if let Some(lock) = self.locks.remove(&place) {
                        self.lose(place, lock);
                    }
                }
            }
        }
    }

    /// What went wrong, with the locks that are left without an end.
    pub(super) fn end(
        mut self,
        server: &Server,
        (now_us, elapsed_us): (u64, u64),
    ) -> Vec<Violation> {
        self.learn(server, now_us);
        let endless = self.locks.iter().filter(|(_, lock)| lock.expires_at_ms.is_none());
        let places: Vec<Place> = endless.map(|(place, _)| place.clone()).collect();
        for (_, key) in places {
            let text = format!("`{}` is still there after the run, and never expires", text(&key));
            self.violate(elapsed_us, &key, text);
        }
        self.violations
    }

    /// The locks that may have changed.
    fn places(&self, database: usize, commands: &[Vec<Bytes>]) -> Vec<Place> {
        let mut places: Vec<Place> = self.locks.keys().cloned().collect();
        let keys =
            commands.iter().filter_map(|command| Facts::of(command)).flat_map(|facts| facts.keys);
        for key in keys {
            let place = (database, key.clone());
            if self.globs.iter().any(|glob| glob_matches(glob, key)) && !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }

    fn compare(&mut self, server: &Server, now_ms: u64, place: Place, suspect: &Suspect<'_>) {
        let mut old = self.locks.remove(&place);
        // A lock whose time is over has gone by itself.
        let over = |lock: &Lock| lock.expires_at_ms.is_some_and(|at_ms| now_ms > at_ms);
        if let Some(lock) = old.take_if(|lock| over(lock)) {
            self.lose(place.clone(), lock);
        }
        let new = find(server, place.0, &place.1, now_ms);
        self.note_tried(&place.1, suspect);
        let is_innocent = self.is_innocent(&place, old.as_ref(), suspect);
        self.hear_of(&place, old.is_none() && new.is_none(), suspect);
        let key = place.1.clone();
        let Some((value, expires_at_ms)) = new else {
            if let Some(lock) = old.filter(|_| !is_innocent) {
                self.accuse(suspect, &key, &lock, "deleted");
                self.lose(place, lock);
            }
            return;
        };
        let same = old.as_ref().filter(|lock| lock.value == value);
        let changed = old.as_ref().is_none_or(|lock| lock.expires_at_ms != expires_at_ms);
        if expires_at_ms.is_none() && (same.is_none() || changed) {
            let (name, who) = (suspect.command(&key), &suspect.who);
            let text =
                format!("{name} of {who} set `{}` without an end: it never expires", text(&key));
            self.violate(suspect.elapsed_us, &key, text);
        }
        let owner = same.map_or(suspect.connection, |lock| lock.owner);
        if self.locks.len() < LOCKS {
            self.locks.insert(place, Lock { value: value.clone(), expires_at_ms, owner });
        }
        let Some(lock) = old.filter(|_| !is_innocent) else { return };
        if lock.value != value {
            self.accuse(suspect, &key, &lock, "overwrote");
        } else if lock.expires_at_ms.is_some() && expires_at_ms > lock.expires_at_ms {
            self.accuse(suspect, &key, &lock, "extended");
        }
    }

    /// Notes which value a request would set, also in vain.
    fn note_tried(&mut self, key: &Bytes, suspect: &Suspect<'_>) {
        for command in suspect.commands {
            let [name, of, value, ..] = &command[..] else { continue };
            let sets = [&b"set"[..], b"setnx"].iter().any(|set| name.eq_ignore_ascii_case(set));
            if !sets || of != key || self.tried.len() >= LOCKS {
                continue;
            }
            // Enough of it to tell one from another.
            let value = &value[..value.len().min(VALUE)];
            let copy = || Bytes::copy_from_slice(value);
            let first = self.tried.entry(suspect.connection).or_insert_with(copy);
            if first[..] != *value {
                self.shared.insert(suspect.connection);
            }
        }
    }

    /// Whether a request may do what it likes to a lock.
    fn is_innocent(&self, place: &Place, lock: Option<&Lock>, suspect: &Suspect<'_>) -> bool {
        let Some(lock) = lock else { return true };
        let lost = self.lost.get(place).map_or(&[][..], |lost| &lost[..]);
        // Whoever lost it may share a connection with its new owner.
        let is_its_own = suspect.set(lock)
            && !self.shared.contains(&suspect.connection)
            && lost.iter().all(|other| !suspect.set(other));
        suspect.names(&lock.value) || is_its_own || (lost.is_empty() && !suspect.is_a_copy())
    }

    /// Forgets whose lock was lost, once they say that they know or do not want it any more.
    fn hear_of(&mut self, place: &Place, in_vain: bool, suspect: &Suspect<'_>) {
        let Some(lost) = self.lost.get_mut(place) else { return };
        lost.retain(|lock| !suspect.names(&lock.value));
        let deletes = in_vain && matches!(&*suspect.command(&place.1), "DEL" | "UNLINK" | "GETDEL");
        if deletes && !lost.is_empty() {
            let own = lost.iter().position(|lock| lock.owner == suspect.connection);
            lost.remove(own.unwrap_or(0));
        }
    }

    fn lose(&mut self, place: Place, lock: Lock) {
        let known = self.lost.len() < LOCKS || self.lost.contains_key(&place);
        if known {
            let lost = self.lost.entry(place).or_default();
            if lost.len() < LOST {
                lost.push(lock);
            }
        }
    }

    fn accuse(&mut self, suspect: &Suspect<'_>, key: &Bytes, lock: &Lock, did: &str) {
        let (name, who, owner) = (suspect.command(key), &suspect.who, called(lock.owner));
        let why = if suspect.is_a_copy() {
            ""
        } else {
            ", while somebody else who had lost it still believed to have it"
        };
        let text = format!(
            "{name} of {who} {did} `{}` without naming its value, which {owner} had set{why}",
            text(key)
        );
        self.violate(suspect.elapsed_us, key, text);
    }

    fn violate(&mut self, at_us: u64, key: &Bytes, text: String) {
        if self.violations.len() < VIOLATIONS {
            self.violations.push(Violation { at_us, key: self::text(key), text });
        }
    }
}

/// The string that a key holds, and until when.
fn find(
    server: &Server,
    database: usize,
    key: &Bytes,
    now_ms: u64,
) -> Option<(Bytes, Option<u64>)> {
    let mut databases = server.redis().databases();
    let keys: &Keyspace =
        databases.find(|(number, _)| *number == database).map(|(_, keys)| keys)?;
    let entry = keys.peek(now_ms, key)?;
    match &entry.value {
        Value::String(value) => Some((value.clone(), entry.expires_at_ms)),
        _ => None,
    }
}

fn name_of(server: &Server, session: SessionId, connection: u64) -> String {
    let name = server.name(session);
    if name.is_empty() { called(connection) } else { format!("connection {connection} ({name})") }
}

fn called(connection: u64) -> String {
    match connection {
        0 => "a request over REST".into(),
        COPY => "a late copy of a request".into(),
        number => format!("connection {number}"),
    }
}

fn text(key: &Bytes) -> String {
    String::from_utf8_lossy(&key[..key.len().min(256)]).into_owned()
}
