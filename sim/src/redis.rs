//! stub
#![allow(missing_docs)]
use std::collections::BTreeMap;
use bytes::Bytes;
use leasehold_core::{Command, Reply, StoreError, Fence, lock::{LockCommand, LockReply}};
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine { Lua, Native }
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value { Nil, Integer(i64), Ok, Bulk(Bytes), Error(String) }
impl Value { pub fn ok() -> Self { Self::Ok } }
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry { pub value: Bytes, pub expires_at_ms: Option<u64> }
impl Entry { pub fn text(&self) -> Option<&[u8]> { Some(&self.value) } }
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Keyspace { map: BTreeMap<Bytes, Entry>, watch: bool, changes: Vec<(Bytes, Option<Entry>)> }
impl Keyspace {
    pub fn watch_changes(&mut self, on: bool) { self.watch = on; }
    pub fn take_changes(&mut self) -> Vec<(Bytes, Option<Entry>)> { std::mem::take(&mut self.changes) }
    pub fn peek(&self, now: u64, key: &[u8]) -> Option<&Entry> { self.map.get(key).filter(|e| e.expires_at_ms.is_none_or(|x| now < x)) }
    pub fn set_entry(&mut self, key: Bytes, entry: Option<Entry>) { if self.watch { self.changes.push((key.clone(), entry.clone())); } match entry { Some(e) => { self.map.insert(key, e); } None => { self.map.remove(&key); } } }
    pub fn len(&self) -> usize { self.map.len() }
    pub fn is_empty(&self) -> bool { self.map.is_empty() }
}
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Redis { pub keyspace: Keyspace }
impl Redis {
    pub fn restart(&mut self) { let w = self.keyspace.watch; self.keyspace = Keyspace::default(); self.keyspace.watch = w; }
    pub fn forget_scripts(&mut self) {}
    pub fn execute(&mut self, now_us: u64, argv: &[Bytes]) -> Value {
        let now = now_us / 1000;
        let key = &argv[if &argv[0][..] == b"EVAL" { 3 } else { 1 }];
        let cur = self.keyspace.peek(now, key).cloned();
        if &argv[0][..] == b"SET" {
            if cur.is_some() { return Value::Nil; }
            let ms: u64 = std::str::from_utf8(&argv[5]).unwrap().parse().unwrap();
            self.keyspace.set_entry(key.clone(), Some(Entry { value: argv[2].clone(), expires_at_ms: Some(now + ms) }));
            return Value::Ok;
        }
        let Some(mut cur) = cur else { return Value::Integer(0) };
        if cur.value != argv[4] { return Value::Integer(0); }
        if argv.len() == 5 { self.keyspace.set_entry(key.clone(), None); return Value::Integer(1); }
        let s: u64 = std::str::from_utf8(&argv[5]).unwrap().parse().unwrap();
        let rest = (cur.expires_at_ms.unwrap() - now + 500) / 1000;
        if rest == 0 { return Value::Integer(0); }
        cur.expires_at_ms = Some(now + (rest + s) * 1000);
        self.keyspace.set_entry(key.clone(), Some(cur));
        Value::Integer(1)
    }
    pub fn apply(&mut self, now_us: u64, command: &Command, _e: Engine) -> Result<Reply, StoreError> {
        let now = now_us / 1000;
        let Command::Lock(c) = command else { unreachable!() };
        Ok(Reply::Lock(match c {
            LockCommand::Acquire { keys, token, lease_ms, fence_life_ms } => {
                let cur = self.keyspace.peek(now, keys.lock().as_bytes());
                if let Some(c) = cur && c.value != token.as_str().as_bytes() {
                    return Ok(Reply::Lock(LockReply::Busy { remaining_ms: c.expires_at_ms.map(|x| x - now) }));
                }
                let had = cur.is_some();
                if self.keyspace.peek(now, keys.tombstone(token).as_bytes()).is_some() { return Ok(Reply::Lock(LockReply::Gone)); }
                let last: u64 = self.keyspace.peek(now, keys.fence().as_bytes()).map_or(0, |e| std::str::from_utf8(&e.value).unwrap().parse().unwrap());
                if had && last > 0 { return Ok(Reply::Lock(LockReply::Acquired { fence: Fence(last), fresh: false })); }
                let fence = (last + 1).max(now_us);
                self.keyspace.set_entry(Bytes::copy_from_slice(keys.fence().as_bytes()), Some(Entry { value: fence.to_string().into(), expires_at_ms: Some(now + fence_life_ms) }));
                if !had { self.keyspace.set_entry(Bytes::copy_from_slice(keys.lock().as_bytes()), Some(Entry { value: Bytes::copy_from_slice(token.as_str().as_bytes()), expires_at_ms: Some(now + lease_ms) })); }
                LockReply::Acquired { fence: Fence(fence), fresh: !had }
            }
            LockCommand::Extend { keys, token, lease_ms } => {
                match self.keyspace.peek(now, keys.lock().as_bytes()).cloned() {
                    Some(mut c) if c.value == token.as_str().as_bytes() => { if c.expires_at_ms.unwrap() < now + lease_ms { c.expires_at_ms = Some(now + lease_ms); self.keyspace.set_entry(Bytes::copy_from_slice(keys.lock().as_bytes()), Some(c)); } LockReply::Extended }
                    _ => LockReply::NotHeld }
            }
            LockCommand::Release { keys, token, tombstone_ms } => {
                let t = keys.tombstone(token);
                let memo = self.keyspace.peek(now, t.as_bytes()).is_some_and(|e| &e.value[..] == b"released");
                let held = self.keyspace.peek(now, keys.lock().as_bytes()).is_some_and(|c| c.value == token.as_str().as_bytes());
                if held { self.keyspace.set_entry(Bytes::copy_from_slice(keys.lock().as_bytes()), None); }
                let r = held || memo;
                self.keyspace.set_entry(t.into(), Some(Entry { value: Bytes::from_static(if r { b"released" } else { b"unheld" }), expires_at_ms: Some(now + tombstone_ms) }));
                if r { LockReply::Released } else { LockReply::NotHeld }
            }
            LockCommand::Inspect { .. } => unreachable!(),
        }))
    }
}
