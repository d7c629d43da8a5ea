//! What holds after any sequence of events.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Start(LockRequest),
    Stop,
    /// The event that the last action calls for, after so many milliseconds.
    Go(u64, Answer),
}

#[derive(Clone, Debug)]
enum Answer {
    /// The best reply to the command.
    Yes,
    Reply(LockReply),
    Fail(StoreError),
}

fn replies() -> impl Strategy<Value = LockReply> {
    prop_oneof![
        any::<bool>().prop_map(|fresh| LockReply::Acquired { fence: Fence(7), fresh }),
        Just(busy()),
        Just(LockReply::Revoked),
        Just(LockReply::Taken),
        Just(LockReply::Extended),
        Just(LockReply::Released),
        Just(LockReply::NotHeld),
        Just(LockReply::Holder(Holder::Free)),
    ]
}

fn answers() -> impl Strategy<Value = Answer> {
    prop_oneof![
        3 => Just(Answer::Yes),
        2 => replies().prop_map(Answer::Reply),
        2 => prop_oneof![Just(TIMED_OUT), Just(UNREACHABLE), Just(refused())]
            .prop_map(Answer::Fail),
    ]
}

fn requests() -> impl Strategy<Value = LockRequest> {
    let config = Scene::new().machine.config().clone();
    let within = config.acquire();
    let request = move |options: &AcquireOptions| config.acquire_with(options).unwrap();
    prop_oneof![
        3 => Just(LockRequest::Acquire(request(&AcquireOptions::default()))),
        1 => Just(LockRequest::Acquire(request(&own_token()))),
        1 => (1..20_000u64).prop_map(|by_ms| LockRequest::Extend { by_ms }),
        2 => (0..30_000u64, any::<bool>()).prop_map(move |(millis, subscribed)| {
            let until = Instant::from_micros(millis * 1_000);
            LockRequest::Acquire(within.clone().until(until, subscribed))
        }),
        1 => Just(LockRequest::Keep),
        1 => Just(LockRequest::Release),
        1 => Just(LockRequest::Status),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let wait = prop_oneof![4 => 0..300u64, 1 => 0..12_000u64];
    let step = prop_oneof![
        2 => requests().prop_map(Step::Start),
        1 => Just(Step::Stop),
        8 => (wait, answers()).prop_map(|(wait, answer)| Step::Go(wait, answer)),
    ];
    prop::collection::vec(step, 1..60)
}

fn yes(command: &LockCommand) -> LockReply {
    match command {
        LockCommand::Acquire { .. } | LockCommand::AcquireLean { .. } => granted(),
        LockCommand::Extend { .. } => LockReply::Extended,
        LockCommand::Release { .. } | LockCommand::ReleaseLean { .. } => LockReply::Released,
        LockCommand::Inspect { .. } => LockReply::Holder(Holder::Free),
        LockCommand::RaiseFence { .. } => LockReply::FenceRaised,
        LockCommand::Confirm { replicas, .. } => LockReply::Confirmed { replicas: *replicas },
    }
}

/// The event that may follow the scene's last action. `None` if only a start may.
fn next(scene: &mut Scene, wait: u64, answer: Answer) -> Option<Event<LockRequest>> {
    match scene.action.clone() {
        Action::Done(_) => None,
        Action::SleepUntil(at) => {
            if matches!(answer, Answer::Reply(LockReply::Released)) {
                return Some(Event::Notified);
            }
            scene.now = scene.now.max(at).plus_micros(wait * 1_000);
            Some(Event::Woke)
        }
        Action::Subscribe { .. } => {
            scene.pass(wait);
            Some(Event::Subscribed(matches!(answer, Answer::Yes)))
        }
        Action::Call { command: Command::Lock(command), .. } => {
            scene.pass(wait);
            Some(Event::Replied(match answer {
                Answer::Yes => Ok(Reply::Lock(yes(&command))),
                Answer::Reply(reply) => Ok(Reply::Lock(reply)),
                Answer::Fail(error) => Err(error),
            }))
        }
        Action::Call { command: Command::Debounce(command), .. } => {
            panic!("a lock asked {command:?}")
        }
    }
}

/// The latest end of a lease that the commands sent so far can have given `token`.
#[derive(Default)]
struct Sent {
    acquired: BTreeSet<Token>,
    latest_end: std::collections::BTreeMap<Token, Instant>,
}

impl Sent {
    fn note(&mut self, scene: &Scene) -> Result<(), TestCaseError> {
        let Action::Call { command: Command::Lock(command), give_up_at } = &scene.action else {
            return Ok(());
        };
        prop_assert!(*give_up_at >= scene.now);
        let (token, lease_ms) = match command {
            LockCommand::Acquire { token, lease_ms, .. } => {
                let own = token.as_str() == "mine";
                prop_assert!(self.acquired.insert(token.clone()) || own, "{token:?} came twice");
                (token, lease_ms)
            }
            LockCommand::AcquireLean { token, lease_ms, held, .. } => {
                let is_first = self.acquired.insert(token.clone());
                let own = token.as_str() == "mine";
                prop_assert!(is_first || own || *held != IfHeld::Unsaid, "{token:?} came twice");
                if !is_first && !own {
                    // The lease counts from the first question.
                    return Ok(());
                }
                (token, lease_ms)
            }
            LockCommand::Extend { token, lease_ms, .. } => (token, lease_ms),
            LockCommand::Confirm { .. }
            | LockCommand::Inspect { .. }
            | LockCommand::RaiseFence { .. }
            | LockCommand::Release { .. }
            | LockCommand::ReleaseLean { .. } => return Ok(()),
        };
        let end = scene.now.plus_micros(lease_ms * 1_000 - lease_ms * 10 - 2_000);
        let latest = self.latest_end.entry(token.clone()).or_default();
        *latest = end.max(*latest);
        Ok(())
    }
}

proptest! {
    #[test]
    fn any_sequence_of_events_keeps_the_rules(
        guarantee in prop::sample::select(vec![Guarantee::Full, Guarantee::Lean]),
        steps in steps(),
    ) {
        let mut scene = Scene::with(|options| *options = options.clone().guarantee(guarantee));
        let mut sent = Sent::default();
        for step in steps {
            let before = scene.machine.grant().cloned();
            let event = match step {
                Step::Start(request) => Event::Start(request),
                Step::Stop => Event::Stop,
                Step::Go(wait, answer) => match next(&mut scene, wait, answer) {
                    Some(event) => event,
                    None => continue,
                },
            };
            scene.step(event);
            sent.note(&scene)?;
            if let Action::SleepUntil(at) = scene.action {
                prop_assert!(at >= scene.now);
            }
            if let Action::Done(LockOutcome::Acquire(Ok(grant)) | LockOutcome::Extend(Ok(grant))) =
                &scene.action
            {
                prop_assert!(scene.now < grant.deadline(), "born expired");
            }
            if let Some(grant) = scene.machine.grant() {
                prop_assert!(grant.deadline() <= sent.latest_end[grant.token()]);
                if let Some(before) = before.filter(|before| before.token() == grant.token()) {
                    prop_assert!(before.deadline() <= grant.deadline(), "shortened");
                }
            }
        }
    }
}
