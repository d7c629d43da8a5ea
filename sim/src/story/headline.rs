//! A whole story in one sentence.

use leasehold_story::{Decision, Run};

use super::{
    Names,
    record::{Clash, Record},
};
use crate::{
    catalog::Guarantee,
    decide::Fault,
    history::Event,
    words::{self, client, span},
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
pub(crate) fn of(
    record: &Record,
    verdict: Option<String>,
    decisions: &[Decision],
    runs: &[Run],
) -> String {
    let (Some(verdict), Some((violation, _))) = (verdict, &record.violation) else {
        return "The promise holds in this run.".into();
    };
    let (needed, cause) = cause(decisions, runs);
    let Some(clash) = record.clash else {
        let without = without(needed);
        return sentence(&format!("at {}, {verdict}, {cause}{without}", instant(violation.at)));
    };
    let without = match needed {
        0 => "",
        1 => "; without that, only one of them does, and ",
        _ => "; without any one of these, only one of them does, and ",
    };
    let [older, newer] = [clash.older, clash.newer].map(|token| client(token.client()));
    let (from, apart) =
        (instant(since(record, clash).unwrap_or(violation.at)), apart(record, clash));
    let without = if without.is_empty() { "; " } else { without };
    let cause = match decisions {
        [only] if is_unseen(record, clash, only) => {
            format!("{cause} and has not seen {older}'s grant")
        }
        _ => cause,
    };
    sentence(&format!(
        "from {from} on, client {older} and client {newer} hold the lock at the same time, {cause}\
         {without}{apart}"
    ))
}

/// Whether a replica took over that did not have the key of the older grant, and nothing else happened.
fn is_unseen(record: &Record, clash: Clash, only: &Decision) -> bool {
    let is_lost = |(_, event)| match event {
        Event::Key { before: Some(token), after: None, by_request: false, .. } => {
            token == clash.older
        }
        _ => false,
    };
    only.kind == Fault::Failover.name() && record.events(..).any(is_lost)
}

/// That it holds without the decisions that it takes, as the end of a sentence.
pub(crate) fn without(needed: usize) -> &'static str {
    match needed {
        0 => "",
        1 => "; without that, the promise holds",
        _ => "; without any one of these, the promise holds",
    }
}

/// Since when the newer of two grants is held.
fn since(record: &Record, clash: Clash) -> Option<u64> {
    let mut held = record.events(..);
    held.find_map(|(at, event)| match event {
        Event::Held { token, .. } if token == clash.newer => Some(at),
        _ => None,
    })
}

/// How many decisions it takes, and why it came so: the faults among them, or what clients do.
pub(crate) fn cause(decisions: &[Decision], runs: &[Run]) -> (usize, String) {
    let holds_without =
        |index: usize| runs.iter().any(|run| run.without == [index] && run.verdict.holds);
    let needed: Vec<&Decision> = decisions
        .iter()
        .enumerate()
        .filter(|(index, decision)| !is_permission(decision) && holds_without(*index))
        .map(|(_, decision)| decision)
        .collect();
    let texts = |fault| {
        let those = needed.iter().filter(|decision| decision.fault == fault);
        counted(those.map(|decision| what(&decision.text)))
    };
    let (faults, others) = (texts(true), texts(false));
    let causes = if faults.is_empty() { others } else { faults };
    let cause = match &causes[..] {
        [] if decisions.is_empty() => "although nothing goes wrong".into(),
        [] => "whether anything goes wrong or not".into(),
        [only] => format!("because {only}"),
        [first @ .., last] => format!("because {}; and {last}", first.join("; ")),
    };
    (needed.len(), cause)
}

/// Whether it says what may go wrong, and is nothing that does.
fn is_permission(decision: &Decision) -> bool {
    decision.kind == Fault::NetworkPair.name()
}

/// The texts, each once, and how often each occurs.
fn counted<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut counts: Vec<(&str, u32)> = Vec::new();
    for text in texts {
        match counts.iter_mut().find(|(known, _)| *known == text) {
            Some((_, count)) => *count += 1,
            None => counts.push((text, 1)),
        }
    }
    let times = |(text, count): (&str, u32)| match count {
        1 => text.to_owned(),
        2 => format!("twice, {text}"),
        _ => format!("{count} times, {text}"),
    };
    counts.into_iter().map(times).collect()
}

/// A true time in ms.
pub(crate) fn instant(micros: u64) -> String {
    match micros {
        ..100_000 => span(micros / 100 * 100),
        _ => format!("{} ms", micros / 1_000),
    }
}

/// A decision in words, without when it was made.
fn what(text: &str) -> &str {
    let when = ["right after ", "as ", "at its ", "in its "];
    let begins = when.iter().any(|when| text.starts_with(when));
    let rest = text.split_once(", ").filter(|_| begins);
    rest.map_or(text, |(_, rest)| rest)
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
        Fenced::None => "there are no fences to tell them apart".into(),
        Fenced::Refused => format!(
            "their fences tell them apart: a resource that checks fences refuses what {older} writes"
        ),
        Fenced::InOrder => format!(
            "their fences tell them apart: once {newer} has written, a resource that checks fences \
             refuses {older}"
        ),
        Fenced::Taken => "their fences do not tell them apart".into(),
        Fenced::Awaited => "what the fences tell, this run does not show".into(),
    }
}
