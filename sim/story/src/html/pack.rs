//! Stories made small: what a run has, column by column, compressed.

use std::{collections::BTreeSet, io::Write};

use base64::{Engine, prelude::BASE64_STANDARD};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Map, Number, Value};

/// Greater numbers a script does not tell apart.
const GREATEST: i64 = 1 << 53;

/// A story as its page unpacks it: `rows` in `parts.js` undoes [`columns`].
pub(super) fn story(story: &crate::Story) -> String {
    let mut value = serde_json::to_value(story).expect("a story has only texts, numbers and lists");
    let runs = value.get_mut("runs").and_then(Value::as_array_mut);
    for run in runs.into_iter().flatten() {
        for list in ["events", "messages", "spans"] {
            if let Some(Value::Array(items)) = run.get(list) {
                run[list] = columns(items);
            }
        }
    }
    json(&value)
}

/// Any value, compressed, as letters.
pub(super) fn json(value: &Value) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(value.to_string().as_bytes()).and_then(|()| encoder.finish());
    BASE64_STANDARD.encode(written.expect("memory can be written"))
}

/// Of each field the values of all items. A number is the difference to the one above, and a number in
/// a list, which is a place in this list, how far above.
fn columns(items: &[Value]) -> Value {
    let objects = items.iter().filter_map(Value::as_object);
    let fields: BTreeSet<_> = objects.flat_map(Map::keys).collect();
    let column = |field: &String| {
        let mut above = 0;
        let cells = items.iter().zip(0i64..).map(|(item, row)| match &item[field] {
            Value::Number(number) => difference(number, &mut above),
            Value::Array(places) => places.iter().map(|place| distance(place, row)).collect(),
            other => other.clone(),
        });
        (field.clone(), cells.collect())
    };
    Value::Object(fields.into_iter().map(column).collect())
}

fn difference(number: &Number, above: &mut i64) -> Value {
    match number.as_i64() {
        Some(exact) if exact.abs() < GREATEST => {
            let difference = exact - *above;
            *above = exact;
            difference.into()
        }
        // In its digits.
        _ => number.to_string().into(),
    }
}

fn distance(place: &Value, row: i64) -> Value {
    place.as_i64().map_or_else(|| place.clone(), |place| (row - place).into())
}
