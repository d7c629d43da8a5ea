//! Stories and a report to make pages of.

use leasehold_story::{
    Cell, CellState, Column, Event, EventKind, Fate, Message, REPORT_FORMAT, Report, Row, Run,
    Span, SpanKind, Story, SubjectSummary, VERSION,
};

/// What is to be shown as text wherever it stands: markup, quotes, marks that turn the direction of
/// text, what no name in a script may hold.
pub(crate) const HOSTILE: &str =
    "<script>document.title='taken'</script>\"'&lt;<!--</style>]]>\u{202e}\u{2066}\u{0}\u{7}`${x}";

/// A lock on a Redis with a replica: a failover forgets a key, and two clients hold the lock.
pub(crate) fn failover() -> Story {
    Story::from_json(include_str!("../stories/failover.json")).expect("it is a story")
}

/// A client that stands still for longer than its lease, as the simulator tells it.
pub(crate) fn client_pause() -> Story {
    Story::from_json(include_str!("../stories/client-pause.json")).expect("it is a story")
}

/// The first one with hostile texts everywhere, one of them of 10,000 characters.
pub(crate) fn hostile() -> Story {
    let mut story = failover();
    let long = "long".repeat(2500);
    story.title = HOSTILE.to_owned();
    story.headline = format!("{HOSTILE} {long}");
    story.claim = Some(long.clone());
    story.command = Some(format!("leasehold replay {HOSTILE}"));
    for lane in &mut story.lanes {
        lane.name = format!("{HOSTILE} {long}");
    }
    for decision in &mut story.decisions {
        decision.kind = HOSTILE.to_owned();
        decision.text = long.clone();
    }
    for run in &mut story.runs {
        run.verdict.text = format!("{HOSTILE} {long}");
        run.verdict.fenced = run.verdict.fenced.as_ref().map(|_| HOSTILE.to_owned());
        run.text = vec![HOSTILE.to_owned(), long.clone()];
        for event in &mut run.events {
            event.text = format!("{HOSTILE} {long}");
            event.grant = event.grant.as_ref().map(|grant| format!("{grant}{HOSTILE}"));
        }
        run.messages.iter_mut().for_each(|message| message.text = HOSTILE.to_owned());
        run.spans.iter_mut().for_each(|span| span.text = HOSTILE.to_owned());
    }
    story
}

/// Each fate of a message and each kind of a span and of an event.
pub(crate) fn everything() -> Story {
    let mut story = failover();
    let kinds = [
        EventKind::Call,
        EventKind::Return,
        EventKind::Send,
        EventKind::Apply,
        EventKind::Grant,
        EventKind::Act,
        EventKind::Write,
        EventKind::Refuse,
        EventKind::Key,
        EventKind::Reply,
        EventKind::GiveUp,
        EventKind::End,
        EventKind::Fault,
        EventKind::Note,
    ];
    let events =
        (0u64..).zip(kinds).map(|(number, kind)| event(number * 1000, number as usize % 5, kind));
    let fates = [Fate::Delivered, Fate::Lost, Fate::Late, Fate::Duplicate, Fate::Unanswered];
    let messages = (0u64..).zip(fates).map(|(number, fate)| Message {
        from: number as usize % 5,
        to: (number as usize + 2) % 5,
        sent: number * 2000,
        arrived: (fate != Fate::Lost).then_some(number * 2000 + 1500),
        fate,
        text: format!("message {number}"),
        sent_by: None,
        led_to: None,
        decision: Some(0),
    });
    let kinds = [
        SpanKind::Lease,
        SpanKind::Key,
        SpanKind::Work,
        SpanKind::Pause,
        SpanKind::Partition,
        SpanKind::Clock,
        SpanKind::Down,
    ];
    let spans = (0u64..).zip(kinds).map(|(number, kind)| Span {
        lane: (kind != SpanKind::Partition).then_some(number as usize % 5),
        kind,
        from: number * 1700,
        to: number * 1700 + 4000,
        text: format!("span {number}"),
        grant: None,
        fence: None,
        decision: None,
    });
    let run = &mut story.runs[0];
    (run.events, run.messages, run.spans) = (events.collect(), messages.collect(), spans.collect());
    run.verdict.event = Some(5);
    story.runs.truncate(1);
    story
}

/// A story of so many events.
pub(crate) fn long(events: u64) -> Story {
    let mut story = failover();
    let run: &mut Run = &mut story.runs[0];
    let kinds = [EventKind::Call, EventKind::Apply, EventKind::Reply, EventKind::Act];
    run.events = (0..events)
        .map(|number| event(number * 700, number as usize % 5, kinds[number as usize % 4]))
        .collect();
    run.messages = (1..events as usize)
        .map(|number| Message {
            from: run.events[number - 1].lane,
            to: run.events[number].lane,
            sent: run.events[number - 1].at,
            arrived: Some(run.events[number].at),
            fate: Fate::Delivered,
            text: format!("message {number}"),
            sent_by: Some(number - 1),
            led_to: Some(number),
            decision: None,
        })
        .collect();
    run.spans.clear();
    run.end = events * 700;
    run.verdict.event = Some(events as usize - 1);
    run.text = run.events.iter().map(|event| format!("{} {}", event.at, event.text)).collect();
    story.runs.truncate(1);
    story
}

fn event(at: u64, lane: usize, kind: EventKind) -> Event {
    let text = format!("does what it does at {at}");
    Event { at, lane, kind, text, grant: None, fence: None, decision: None, causes: Vec::new() }
}

/// Two subjects, three guarantees, five faults: each state once at least.
pub(crate) fn report(stories: Vec<Story>) -> Report {
    let text = |text: &str| text.to_owned();
    let subject = |name: &str| SubjectSummary {
        name: text(name),
        promise: text("Writes with an older fence are refused, whatever fails."),
        breaks: text("A failover lets two clients hold it."),
    };
    let row = |name: &str| Row { name: text(name), claim: format!("What {name} promises.") };
    let column = |(name, group): (&str, &str)| Column {
        name: text(name),
        group: text(group),
        claim: format!("What {name} is in the real world."),
    };
    let states =
        [CellState::Holds, CellState::Proven, CellState::NotExercised, CellState::NotApplicable];
    let cells = (0..2 * 3 * 5).map(|number| {
        let (subject, guarantee, fault) = (number / 15, number / 5 % 3, number % 5);
        let broken = guarantee == 0 && fault == 3;
        let state = if broken { CellState::Broken } else { states[number % 4] };
        let models =
            (state == CellState::Proven).then(|| text("two clients, four seconds, one restart"));
        let story = (broken && !stories.is_empty()).then_some(subject % stories.len().max(1));
        let models = models.into_iter().collect();
        Cell { subject, guarantee, fault, state, schedules: 1000, exercised: 900, models, story }
    });
    Report {
        format: text(REPORT_FORMAT),
        version: VERSION,
        title: text("2 subjects under 5 faults"),
        lead: text("A red cell opens the story of how it breaks."),
        subjects: ["lock", "lock-replicated"].map(subject).to_vec(),
        guarantees: ["exclusion", "fence-order", "liveness"].map(row).to_vec(),
        faults: [
            ("none", "none"),
            ("latency", "network"),
            ("client-pause", "clients"),
            ("failover", "servers"),
            ("server-clock", "clocks"),
        ]
        .map(column)
        .to_vec(),
        cells: cells.collect(),
        stories,
    }
}
