//! A whole story in one sentence.

use leasehold_story::{Decision, Run};

use super::{
    Names,
    account::Account,
    record::{Clash, Record},
};
use crate::{
    catalog::Guarantee,
    history::Event,
    words::{self, client},
};

/// A text as a sentence.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    let text: String = first.into_iter().flatten().chain(letters).collect();
    if text.ends_with('.') { text } else { text + "." }
}

/// That a promise held, as a sentence.
pub(crate) fn promise(guarantee: Guarantee) -> &'static str {
    match guarantee {
        Guarantee::Exclusion => "It holds: nobody acts under the lock while another holds it.",
        _ => "It holds.",
    }
}

/// The headline of a story that has these runs.
pub(crate) fn of(account: &Account<'_>, decisions: &[Decision], runs: &[Run]) -> String {
    let cause = cause(decisions);
    let Some(verdict) = account.verdict() else {
        let but = cause.map_or(String::new(), |cause| format!(", although {cause}"));
        return sentence(&format!("the promise holds in this run{but}"));
    };
    let record = &account.record;
    let at = record.violation.as_ref().map_or(0, |(violation, _)| violation.at);
    let (what, at) = match record.clash {
        Some(clash) => (together(clash), since(record, clash).unwrap_or(at)),
        None => (verdict, at),
    };
    let from = if record.clash.is_some() { "from" } else { "at" };
    let on = if record.clash.is_some() { " on" } else { "" };
    let mut text = format!("{what} {from} {}{on}", instant(at));
    if let Some(cause) = cause {
        text += &format!(", since {cause}");
    } else {
        text += ", although nothing went wrong";
    }
    if let Some(without) = without(decisions, runs) {
        text += &format!("; {without}");
    }
    if let Some(clash) = record.clash {
        text += &format!("; {}", apart(record, clash));
    }
    sentence(&text)
}

/// A true time in ms with one decimal.
fn instant(micros: u64) -> String {
    format!("{}.{} ms", micros / 1_000, micros / 100 % 10)
}

fn together(clash: Clash) -> String {
    let [older, newer] = [clash.older, clash.newer].map(|token| client(token.client()));
    format!("client {older} and client {newer} hold the lock at the same time")
}

/// Since when the newer of two grants is held.
fn since(record: &Record, clash: Clash) -> Option<u64> {
    let mut held = record.events(..);
    held.find_map(|(at, event)| match event {
        Event::Held { token, .. } if token == clash.newer => Some(at),
        _ => None,
    })
}

/// Why it came so: the faults, or what clients do if there are none.
fn cause(decisions: &[Decision]) -> Option<String> {
    let faults: Vec<&str> = texts(decisions, true);
    let causes = if faults.is_empty() { texts(decisions, false) } else { faults };
    match &causes[..] {
        [] => None,
        [only] => Some((*only).to_owned()),
        [first @ .., last] => Some(format!("{}, and {last}", first.join(", "))),
    }
}

fn texts(decisions: &[Decision], fault: bool) -> Vec<&str> {
    let those = decisions.iter().filter(|decision| decision.fault == fault);
    those.map(|decision| &*decision.text).collect()
}

/// That it holds without each of the decisions, if it does.
fn without(decisions: &[Decision], runs: &[Run]) -> Option<&'static str> {
    let singles: Vec<&Run> = runs.iter().filter(|run| run.without.len() == 1).collect();
    let hold = !singles.is_empty() && singles.iter().all(|run| run.verdict.holds);
    hold.then_some(match decisions.len() {
        1 => "without that, the promise holds",
        _ => "without any one of the decisions, the promise holds",
    })
}

/// What the resource makes of two grants that are held at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fenced {
    /// There are no fences.
    None,
    /// It refuses the older one.
    Refused,
    /// The older one's write came before any of the newer one's.
    InOrder,
    /// It takes the older one's write after the newer one's.
    Taken,
    /// The older one's write has not come.
    Awaited,
}

fn fenced_as(record: &Record, clash: Clash) -> Fenced {
    let wrote: Vec<(bool, u64, bool)> = record
        .events(..)
        .filter_map(|(_, event)| match event {
            Event::Wrote { token, fence, accepted, .. }
                if token == clash.older || token == clash.newer =>
            {
                Some((token == clash.newer, fence, accepted))
            }
            _ => None,
        })
        .collect();
    if wrote.iter().any(|(_, fence, _)| *fence == 0) {
        return Fenced::None;
    }
    let older = wrote.iter().enumerate().filter(|(_, (newer, ..))| !newer);
    let Some((place, (_, _, accepted))) = older.clone().nth(clash.acts.saturating_sub(1)) else {
        return Fenced::Awaited;
    };
    match (accepted, wrote[..place].iter().any(|(newer, ..)| *newer)) {
        (false, _) => Fenced::Refused,
        (true, false) => Fenced::InOrder,
        (true, true) => Fenced::Taken,
    }
}

/// What the protected resource makes of it, as a sentence.
pub(crate) fn fenced(record: &Record, names: &Names) -> Option<String> {
    let clash = record.clash?;
    let [older, newer] = [clash.older, clash.newer].map(|token| names.called(token));
    let fence = |token| {
        let mut grants = record.events(..);
        let granted = grants.find_map(|(_, event)| match event {
            Event::Granted { token: known, fence } if known == token => Some(words::fence(fence)),
            _ => None,
        });
        granted.unwrap_or_else(|| "no fence".into())
    };
    let (old, new) = (fence(clash.older), fence(clash.newer));
    Some(match fenced_as(record, clash) {
        Fenced::None => format!(
            "The resource takes what {older} and {newer} write: there are no fences to tell them \
             apart."
        ),
        Fenced::Refused => format!(
            "A resource that checks fences refuses the write of {older}: its {old} is older than \
             the {new} of {newer}."
        ),
        Fenced::InOrder => format!(
            "The write of {older} reaches the resource before any of {newer}, so it is taken: the \
             two are in the order of their fences. From the first write of {newer} on, a resource \
             that checks fences refuses {older}, whose {old} is older than {new}."
        ),
        Fenced::Taken => format!(
            "The resource takes the write of {older} although {newer} has written before: the {old} \
             is not older than the {new}."
        ),
        Fenced::Awaited => {
            format!("The write of {older} does not reach the resource while this is told.")
        }
    })
}

/// The same in a few words.
fn apart(record: &Record, clash: Clash) -> String {
    let [older, newer] = [clash.older, clash.newer].map(|token| client(token.client()));
    match fenced_as(record, clash) {
        Fenced::None => "there are no fences to tell the two apart".into(),
        Fenced::Refused => format!(
            "the fences tell the two apart: a resource that checks them refuses what {older} writes"
        ),
        Fenced::InOrder => format!(
            "the fences tell the two apart: once {newer} has written, a resource that checks them \
             refuses {older}"
        ),
        Fenced::Taken => "their fences do not tell the two apart".into(),
        Fenced::Awaited => "what the fences tell, this run does not show".into(),
    }
}
