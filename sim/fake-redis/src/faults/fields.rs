//! Which fields may be given, and what was meant by one that may not.

use std::cell::Cell;

use serde::{
    Deserialize,
    de::{self, Deserializer, value::Error},
    forward_to_deserialize_any,
};

/// How much two names have to be alike for one to be taken for a slip of the other, of 1.
const ALIKE: f64 = 0.6;

/// Whether all of `given` are fields of `T` or among `others`.
///
/// # Errors
///
/// Names the first that is not, the field that is most like it, and all that there are.
pub(crate) fn check<'a, T: Deserialize<'static>>(
    given: impl Iterator<Item = &'a String>,
    others: &[&'static str],
) -> Result<(), String> {
    let known = [fields_of::<T>(), others].concat();
    let Some(unknown) = given.into_iter().find(|name| !known.contains(&name.as_str())) else {
        return Ok(());
    };
    let likeness = |name: &&str| strsim::normalized_damerau_levenshtein(unknown, name);
    let nearest = known.iter().copied().max_by(|one, two| likeness(one).total_cmp(&likeness(two)));
    let meant = nearest
        .filter(|name| likeness(name) > ALIKE)
        .map_or_else(String::new, |name| format!(" (did you mean `{name}`?)"));
    Err(format!("unknown field `{unknown}`{meant}: there are {}", known.join(", ")))
}

/// The names of the fields of `T`, as its `Deserialize` asks for them.
fn fields_of<T: Deserialize<'static>>() -> &'static [&'static str] {
    let asked = Cell::new(&[][..]);
    // Nothing is read: it ends once the fields were named.
    let _ = T::deserialize(Names(&asked));
    asked.get()
}

/// Keeps the names of the fields that it is asked for, and has none.
struct Names<'a>(&'a Cell<&'static [&'static str]>);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = Error;

    fn deserialize_any<V: de::Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(de::Error::custom("not a struct"))
    }

    fn deserialize_struct<V: de::Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.set(fields);
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::{Failover, Latency};

    fn refusal<T: Deserialize<'static>>(name: &str) -> String {
        check::<T>([name.to_owned()].iter(), &["kind", "next"]).unwrap_err()
    }

    #[test]
    fn an_unknown_field_is_told_with_the_nearest_and_with_all() {
        for known in ["lose", "down", "next"] {
            assert_eq!(check::<Failover>([known.to_owned()].iter(), &["kind", "next"]), Ok(()));
        }
        assert_eq!(
            refusal::<Failover>("loose"),
            "unknown field `loose` (did you mean `lose`?): there are lose, down, kind, next"
        );
        assert!(refusal::<Failover>("nxt").contains("did you mean `next`?"));
        assert!(refusal::<Latency>("deviaton").contains("did you mean `deviation`?"));
        let far = refusal::<Failover>("xyz");
        assert!(!far.contains("did you mean"), "{far}");
    }
}
