//! The calls: one function each.

use hyper::Method;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::Admin;
use crate::{
    faults::{Failover, Faults, Injection, Restart, RuleError, RuleText, ServerEventKind, fields},
    serve::{Host, clock},
};

/// Why a call did nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) status: u16,
    pub(super) text: String,
}

type Outcome = Result<Value, Problem>;

const CALLS: &str = "the calls are GET, POST and DELETE /faults, GET and DELETE /faults/ID, GET and \
                     POST /clock, GET /requests, POST /failover, POST /restart, POST /flush, POST \
                     /reset, POST /snapshot, POST /restore and POST /release/ID";

/// Does what a request asks for.
pub(super) async fn perform(admin: &Admin, method: &Method, path: &str, body: &[u8]) -> Outcome {
    let Admin { host, snapshots, .. } = admin;
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match (method.as_str(), &segments[..]) {
        ("GET", ["faults"]) => host.with_faults(|faults| report(faults, None)),
        ("POST", ["faults"]) => add_fault(host, body),
        ("DELETE", ["faults"]) => {
            host.with_faults(Faults::clear);
            Ok(json!({}))
        }
        ("GET", ["faults", id]) => host.with_faults(|faults| report(faults, Some(id))),
        ("DELETE", ["faults", id]) => {
            let removed = host.with_faults(|faults| faults.remove(id));
            if removed { Ok(json!({})) } else { Err(no_rule(id)) }
        }
        ("GET", ["clock"]) => value(host.clock().reading()),
        ("POST", ["clock"]) => {
            host.clock().set(&read::<clock::ClockChange>(body)?).map_err(|text| bad(&text))?;
            value(host.clock().reading())
        }
        ("GET", ["requests"]) => Ok(json!({ "requests": value(host.requests())? })),
        ("POST", ["failover"]) => {
            let Failover { lose, down } = read(body)?;
            value(host.trigger(ServerEventKind::Failover { lose: lose.0 }, down.0).await)
        }
        ("POST", ["restart"]) => {
            let Restart { down } = read(body)?;
            value(host.trigger(ServerEventKind::Restart, down.0).await)
        }
        ("POST", ["flush"]) => {
            host.flush();
            Ok(json!({}))
        }
        ("POST", ["reset"]) => {
            host.reset();
            Ok(json!({}))
        }
        ("POST", ["snapshot"]) => Ok(json!({ "id": snapshots.take(host) })),
        ("POST", ["restore"]) => {
            snapshots.restore(host, &read(body)?)?;
            Ok(json!({}))
        }
        ("POST", ["release", id]) => {
            let released = host.release(id).ok_or_else(|| no_rule(id))?;
            Ok(json!({ "released": released }))
        }
        (
            _,
            [
                "faults" | "clock" | "requests" | "failover" | "restart" | "flush" | "reset"
                | "snapshot" | "restore" | "release",
                ..,
            ],
        ) => Err(Problem { status: 405, text: CALLS.into() }),
        _ => Err(Problem { status: 404, text: CALLS.into() }),
    }
}

fn add_fault(host: &Host, body: &[u8]) -> Outcome {
    let added = RuleText::from_json(body).and_then(|text| host.add_fault(&text));
    added.map(|id| json!({ "id": id })).map_err(|error| Problem {
        status: if matches!(error, RuleError::Taken(_)) { 409 } else { 400 },
        text: error.to_string(),
    })
}

/// The rules, or one of them, with what they have injected.
fn report(faults: &Faults, id: Option<&str>) -> Outcome {
    let wanted = |found: &str| id.is_none_or(|id| id == found);
    let rules: Vec<_> = faults.report().filter(|rule| wanted(&rule.id)).collect();
    let injections: Vec<&Injection> =
        faults.injections().filter(|injection| wanted(&injection.rule)).collect();
    match (id, &rules[..]) {
        (None, rules) => Ok(json!({ "rules": value(rules)?, "injections": value(injections)? })),
        (Some(_), [rule, ..]) => {
            Ok(json!({ "rule": value(rule)?, "injections": value(injections)? }))
        }
        (Some(id), []) => Err(no_rule(id)),
    }
}

/// Reads the body; an empty one says nothing.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
    if let Ok(given) = serde_json::from_slice::<Map<String, Value>>(body) {
        fields::check::<T>(given.keys(), &[]).map_err(|text| bad(&text))?;
    }
    serde_json::from_slice(body).map_err(|error| bad(&error.to_string()))
}

fn value(of: impl Serialize) -> Outcome {
    serde_json::to_value(of).map_err(|error| Problem { status: 500, text: error.to_string() })
}

fn bad(text: &str) -> Problem {
    Problem { status: 400, text: text.into() }
}

fn no_rule(id: &str) -> Problem {
    Problem { status: 404, text: format!("there is no rule `{id}`: GET /faults lists them") }
}
