//! The story of a run as typed events, and how it goes without some of its decisions.

use leasehold_story::{Decision, EventKind, FORMAT, Run as Told, Span, Story, VERSION};

use super::{
    Breach, Cluster, failure,
    invariants::AT_MOST_ONE,
    run::{Looks, Ran, run},
    token,
};
use crate::{
    decide::{Address, Decisions, Replay},
    story::{
        Names,
        account::left_out,
        headline::{self, instant, sentence},
        kind_name,
        lanes::Lanes,
        scribe::{Scribe, Setting},
    },
    world::Settings,
};

/// Of more decisions, no alternatives are run: it would take too long.
const MOST: usize = 16;

/// Whether it is told how a run goes without some of its decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alternatives {
    /// No.
    None,
    /// Yes, if a run can be repeated.
    Run,
}

/// The story of `ran`, in which these decisions were made.
pub(super) fn of(
    cluster: &Cluster,
    breach: &Breach,
    decisions: &Decisions,
    ran: Ran,
    others: Alternatives,
) -> Story {
    let processes = ran.processes;
    let settings = cluster.plan(processes).settings;
    let lanes = Lanes::of(&settings, "process", "elsewhere");
    let addresses: Vec<Address> = decisions.keys().copied().collect();
    let setting = Setting { lanes: &lanes, settings: &settings, decisions: &addresses };
    let told = told_decisions(&settings, decisions);
    let end = ran.at;
    let mut runs = vec![told_run(setting, Some(breach), ran)];
    let repeats = !matches!(breach, Breach::NotRepeatable | Breach::Waits);
    if others == Alternatives::Run && repeats && told.len() <= MOST {
        for without in left_out(&told) {
            let kept = addresses.iter().enumerate().filter(|(index, _)| !without.contains(index));
            let kept: Decisions = kept.map(|(_, address)| (*address, decisions[address])).collect();
            let mut other = run(cluster, Replay::of(&kept), Looks { story: true, waiting: false });
            let breach = other.breach.take();
            if breach.is_none() {
                other.record.cut(end);
            }
            runs.push(Told { without, ..told_run(setting, breach.as_ref(), other) });
        }
    }
    let (needed, cause) = headline::cause(&told, &runs);
    let cause = if runs.len() > 1 { format!(", {cause}") } else { String::new() };
    let without = headline::without(needed);
    let what = together(breach, &runs[0], &lanes).unwrap_or_else(|| breach.to_string());
    let headline = sentence(&format!("at {}, {what}{cause}{without}", instant(end)));
    let lanes = lanes.in_use(&mut runs);
    Story {
        format: FORMAT.into(),
        version: VERSION,
        title: title(breach),
        headline,
        claim: claim(breach),
        command: Some(format!(".replay(\"{}\")", token::of(decisions))),
        lanes,
        decisions: told,
        runs,
    }
}

fn told_run(setting: Setting<'_>, breach: Option<&Breach>, ran: Ran) -> Told {
    let names = Names::default();
    let mut run = Scribe::write(setting, &names, &ran.record);
    run.verdict.holds = breach.is_none();
    run.verdict.text = breach.map_or_else(
        || "It holds.".into(),
        |it| sentence(&together(it, &run, setting.lanes).unwrap_or_else(|| it.to_string())),
    );
    run.verdict.event = breach.and_then(|_| {
        let is_told = |kind| !matches!(kind, EventKind::Fault);
        run.events.iter().rposition(|event| is_told(event.kind))
    });
    let line =
        |(at, text): &(u64, String)| format!("{:>7}.{} ms {text}", at / 1_000, at / 100 % 10);
    run.text = ran.story.iter().filter(|(at, _)| *at <= run.end).map(line).collect();
    run
}

/// Who is in a section at once at the end, if that is what went wrong.
fn together(breach: &Breach, run: &Told, lanes: &Lanes) -> Option<String> {
    let Breach::Always(name) = breach else { return None };
    let section = name.strip_prefix(AT_MOST_ONE)?;
    let is_inside = |span: &&Span| span.to == run.end && span.text == format!("is in {section}");
    let inside = run.spans.iter().filter(is_inside).filter_map(|span| span.lane);
    let names: Vec<&str> = inside.map(|lane| lanes.name(lane)).collect();
    (names.len() > 1).then(|| format!("{} are in {section} at once", names.join(" and ")))
}

fn told_decisions(settings: &Settings, decisions: &Decisions) -> Vec<Decision> {
    let told = decisions.iter().map(|(&address, &choice)| Decision {
        kind: kind_name(address.kind).into(),
        fault: address.kind.fault().is_some(),
        text: failure::decision(settings, address, choice),
        micros: None,
        breaks_above_micros: None,
    });
    told.collect()
}

fn title(breach: &Breach) -> String {
    match breach {
        Breach::Always(name) => format!("always: {name}"),
        Breach::Eventually(name) => format!("eventually: {name}"),
        Breach::Panicked(_) => "a panic".into(),
        Breach::Stuck(_) => "a process is stuck".into(),
        Breach::WokenFromOutside(_) => "a process was woken from outside".into(),
        Breach::NotRepeatable => "a run that cannot be repeated".into(),
        Breach::Waits => "a process waits inside of a poll".into(),
    }
}

fn claim(breach: &Breach) -> Option<String> {
    match breach {
        Breach::Always(name) => Some(format!("Always: {name}.")),
        Breach::Eventually(name) => Some(format!("Once everything has healed: {name}.")),
        _ => None,
    }
}
