//! Every known counterexample as a story: whole, repeatable, and as the checkers judge it.

use std::sync::LazyLock;

use leasehold_sim::{
    counterexamples::KnownCounterexamples,
    faults::Fault,
    guarantees::Guarantee,
    schedule::Schedule,
    story::{Topic, tell},
    systems::Run,
};
use leasehold_story::{EventKind, Fate, Run as Told, Story};
use rayon::prelude::*;

/// Every story, told once for all tests.
static TOLD: LazyLock<Vec<(Schedule, Story)>> = LazyLock::new(|| {
    let known = KnownCounterexamples::current();
    known
        .all()
        .par_iter()
        .map(|schedule| (schedule.clone(), tell(&Topic::from(schedule))))
        .collect()
});

/// Every story, checked by `check`, and the complaints.
fn each(check: impl Fn(&Schedule, &Story) -> Result<(), String> + Sync) {
    let wrong: Vec<String> = TOLD
        .par_iter()
        .filter_map(|(schedule, story)| {
            let error = check(schedule, story).err()?;
            Some(format!("{}, {schedule}: {error}", story.title))
        })
        .collect();
    assert!(TOLD.len() > 100 && wrong.is_empty(), "{}", wrong.join("\n"));
}

fn all(runs: &[Told], check: impl Fn(&Told) -> Result<(), String>) -> Result<(), String> {
    runs.iter()
        .try_for_each(|run| check(run).map_err(|error| format!("{:?}: {error}", run.without)))
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

#[test]
fn stories_are_read_back_from_json_as_they_were() {
    each(|_, story| {
        let json = story.to_json();
        let read = Story::from_json(&json).map_err(|error| error.to_string())?;
        ensure(read == *story, || "it was read back otherwise".into())
    });
}

#[test]
fn the_same_schedule_is_the_same_story() {
    each(|schedule, story| {
        let again = tell(&Topic::from(schedule));
        ensure(again.to_json() == story.to_json(), || "it differs".into())
    });
}

#[test]
fn every_index_is_in_range_and_times_are_in_order() {
    each(|_, story| {
        let (lanes, decisions) = (story.lanes.len(), story.decisions.len());
        let decided = |decision: Option<usize>| decision.is_none_or(|it| it < decisions);
        all(&story.runs, |run| {
            let events = run.events.len();
            for (index, event) in run.events.iter().enumerate() {
                let causes = event.causes.iter().all(|cause| *cause < index);
                let whole = event.lane < lanes && causes && decided(event.decision);
                ensure(whole && event.at <= run.end && !event.text.is_empty(), || {
                    format!("event {index}: {event:?}")
                })?;
            }
            ensure(run.events.is_sorted_by_key(|event| event.at), || "events".into())?;
            for span in &run.spans {
                let in_range = span.lane.is_none_or(|lane| lane < lanes) && decided(span.decision);
                let lasts = span.from < span.to && span.to <= run.end;
                ensure(in_range && lasts && !span.text.is_empty(), || format!("{span:?}"))?;
            }
            for message in &run.messages {
                let in_range = message.from < lanes && message.to < lanes;
                let whole = in_range && message.from != message.to && decided(message.decision);
                let known = |event: Option<usize>| event.is_none_or(|event| event < events);
                ensure(whole && known(message.sent_by) && known(message.led_to), || {
                    format!("{message:?}")
                })?;
            }
            ensure(run.verdict.event.is_none_or(|event| event < events), || "verdict".into())?;
            ensure(run.without.iter().all(|it| *it < decisions), || "without".into())
        })
    });
}

#[test]
fn the_ends_of_a_message_agree_with_the_events_there() {
    each(|_, story| {
        all(&story.runs, |run| {
            run.messages.iter().try_for_each(|message| {
                let wrong = || format!("{message:?}");
                ensure(message.sent <= run.end && !message.text.is_empty(), wrong)?;
                let arrived = message.arrived.is_none_or(|at| message.sent <= at && at <= run.end);
                ensure(arrived, wrong)?;
                if let Some(sent_by) = message.sent_by {
                    let event = &run.events[sent_by];
                    ensure(event.lane == message.from && event.at <= message.sent, wrong)?;
                }
                if let Some(led_to) = message.led_to {
                    let (event, arrived) = (&run.events[led_to], message.arrived);
                    let later = arrived.is_some_and(|arrived| arrived <= event.at);
                    ensure(event.lane == message.to && later, wrong)?;
                    ensure(!matches!(message.fate, Fate::Lost | Fate::Late), wrong)?;
                    let caused = message.sent_by.is_none_or(|cause| event.causes.contains(&cause));
                    ensure(caused, || format!("{message:?} is no cause of {event:?}"))?;
                }
                Ok(())
            })
        })
    });
}

#[test]
fn a_story_is_judged_as_the_checkers_judge_it() {
    each(|schedule, story| {
        let run = Run::replayed(schedule.plan(), &schedule.decisions);
        let violation = run.violation(schedule.cell.guarantee).ok_or("nothing breaks")?;
        let told = story.told().map_err(|error| error.to_string())?;
        let at = told.verdict.event.map(|event| told.events[event].at);
        ensure(!told.verdict.holds && at == Some(violation.at), || {
            format!("{:?} at {at:?}, but it breaks at {}", told.verdict, violation.at)
        })?;
        for other in story.runs.iter().filter(|run| !run.without.is_empty()) {
            let kept = schedule.decisions.iter().enumerate();
            let kept = kept.filter(|(index, _)| !other.without.contains(index));
            let kept = kept.map(|(_, (address, choice))| (*address, *choice)).collect();
            let run = Run::replayed(schedule.plan(), &kept);
            let holds = run.violation(schedule.cell.guarantee).is_none();
            ensure(other.verdict.holds == holds, || format!("{:?}", other.without))?;
        }
        Ok(())
    });
}

#[test]
fn no_decision_can_be_left_out_unless_it_is_the_fault_that_the_cell_asks_for() {
    each(|schedule, story| {
        for (index, decision) in story.decisions.iter().enumerate() {
            let without = story.runs.iter().find(|run| run.without == [index]);
            let holds = without.is_some_and(|run| run.verdict.holds);
            let asks_for = |cell: Fault| {
                let of_pair = Fault::ALL.iter().filter(|fault| fault.place() == cell.place());
                let of_pair = of_pair.filter(|_| !cell.is_single());
                of_pair.chain([&cell]).any(|fault| fault.name() == decision.kind)
            };
            let asked_for = schedule.cell.fault.is_some_and(asks_for);
            ensure(holds || asked_for, || format!("{decision:?}"))?;
        }
        Ok(())
    });
}

#[test]
fn a_headline_names_a_lane_and_is_one_sentence() {
    each(|_, story| {
        let line = &story.headline;
        let named = story.lanes.iter().any(|lane| line.to_lowercase().contains(&lane.name));
        let named = named || ["client", "server", "replica"].iter().any(|kind| line.contains(kind));
        let whole = line.ends_with('.') && line.starts_with(char::is_uppercase);
        ensure(named && whole, || line.clone())
    });
}

#[test]
fn two_holders_are_told_apart_by_the_resource() {
    each(|schedule, story| {
        let told = story.told().map_err(|error| error.to_string())?;
        let fenced = &told.verdict.fenced;
        let is_exclusion = schedule.cell.guarantee == Guarantee::Exclusion;
        let about_two = story.headline.contains("hold the lock at the same time");
        ensure(!is_exclusion || fenced.is_some() == about_two, || format!("{fenced:?}"))?;
        let Some(fenced) = fenced else { return Ok(()) };
        let refused = told.events.iter().any(|event| event.kind == EventKind::Refuse);
        ensure(!fenced.contains("refuses the write") || refused, || fenced.clone())
    });
}
