//! Watching, scanning and swapping.

use super::*;

fn put(keys: &mut Keyspace, name: &str, expires_at_ms: Option<u64>) {
    let entry = Entry { expires_at_ms, ..Entry::string("x") };
    keys.set_entry(Bytes::copy_from_slice(name.as_bytes()), Some(entry));
}

#[test]
fn a_watch_sees_every_change_of_its_key_and_no_other() {
    let mut keys = Keyspace::default();
    put(&mut keys, "a", None);
    let (a, b) = (Bytes::from("a"), Bytes::from("b"));
    let mut seen = keys.watch(0, &a);
    let of_b = keys.watch(0, &b);
    let changes: [fn(&mut Keyspace); 5] = [
        |keys| put(keys, "a", Some(5)),
        |keys| assert!(keys.modify(0, b"a", |entry| entry.expires_at_ms = Some(7)).is_some()),
        |keys| assert!(keys.remove(0, b"a")),
        |keys| put(keys, "a", None),
        Keyspace::clear,
    ];
    for change in changes {
        assert!(!keys.is_touched(0, &a, seen));
        change(&mut keys);
        assert!(keys.is_touched(0, &a, seen));
        keys.unwatch(&a);
        seen = keys.watch(0, &a);
    }
    assert!(!keys.is_touched(0, &b, of_b));
    keys.unwatch(&a);
    assert!(keys.is_touched(0, &a, seen), "nobody watches it any more");
}

#[test]
fn a_watched_key_that_expires_is_touched_and_one_that_had_expired_is_not() {
    let mut keys = Keyspace::default();
    put(&mut keys, "a", Some(5));
    let a = Bytes::from("a");
    let seen = keys.watch(5, &a);
    assert!(!keys.is_touched(5, &a, seen));
    assert!(keys.is_touched(6, &a, seen), "not yet purged");
    keys.purge(6, 1);
    assert!(keys.is_touched(6, &a, seen), "purged");
    put(&mut keys, "a", Some(5));
    let gone = keys.watch(6, &a);
    assert!(!keys.is_touched(6, &a, gone));
}

#[test]
fn swapped_databases_touch_the_keys_that_either_has() {
    let (mut one, mut two) = (Keyspace::default(), Keyspace::default());
    put(&mut one, "a", None);
    let (a, b) = (Bytes::from("a"), Bytes::from("b"));
    let (of_a, of_b) = (two.watch(0, &a), two.watch(0, &b));
    one.swap_keys(&mut two);
    assert!(two.peek(0, b"a").is_some() && one.is_empty());
    assert!(two.is_touched(0, &a, of_a));
    assert!(!two.is_touched(0, &b, of_b));
}

#[test]
fn a_scan_lists_every_key_that_stays_exactly_once() {
    let mut keys = Keyspace::default();
    (0..1_000).for_each(|number| put(&mut keys, &format!("stays{number}"), None));
    (0..1_000).for_each(|number| put(&mut keys, &format!("goes{number}"), None));
    let (mut cursor, mut seen, mut round) = (0, Vec::new(), 0);
    loop {
        let (next, page) = keys.scan(cursor, 10);
        seen.extend(page.into_iter().filter(|key| key.starts_with(b"stays")).cloned());
        keys.remove(0, format!("goes{round}").as_bytes());
        (0..50).for_each(|number| put(&mut keys, &format!("comes{round}.{number}"), None));
        round += 1;
        if next == 0 || round > 10_000 {
            break;
        }
        cursor = next;
    }
    let listed = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!((listed, seen.len()), (1_000, 1_000));
}
