//! A user's process as a program of the world: a step polls what is ready.

use std::{
    sync::Arc,
    task::{Context, Waker},
};

use leasehold_core::{
    Cause, Command, Reply, StoreError,
    lock::{LockCommand, LockReply},
};
use leasehold_fake_redis::Resp;

use super::{
    Process, RemoteError,
    runtime::{Answer, Asked, Order, Task, arrive, with},
    sessions::Sessions,
    users::{Answer as Returned, Plan, RedisError, Request, Response, Step, Users},
    words,
};
use crate::{
    decide::{Address, DecisionKind, DecisionSource},
    faults,
    history::{Act, Client, Event},
    story::record::Seen,
    words::{client, store},
    world::{
        Alarm, Answered, Cancelled, Disturbed, Host, Message, Observer, Program, System, Wait,
    },
};

/// Stands in the world for a process of a [`Cluster`](super::Cluster), whose futures are elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct UserProgram;

impl System for Users {
    type Program = UserProgram;
    type Request = Request;
    type Response = Returned;
    type Write = ();
    type Shared = Sessions;
    type Faults = faults::All;

    fn program(_plan: &Plan, _client: Client) -> UserProgram {
        UserProgram
    }

    fn shared(_plan: &Plan) -> Sessions {
        Sessions::default()
    }

    fn sent(client: Client, call: u32, _request: &Request) -> Event {
        Event::Sent { client, call, act: Act::Other, token: None }
    }

    fn apply<C: DecisionSource, W: Observer>(
        step: &mut Step<'_, C, W>,
        message: &Message<Self>,
        request: &Request,
    ) -> Returned {
        let Message { client, call, node, .. } = *message;
        let copy = message.number();
        let now = step.now();
        let (act, behalf, lease) = (Act::Other, None, 0);
        step.emit(Event::Applied { client, call, copy, act, behalf, lease });
        match request {
            Request::Store(command) => {
                let core = &mut *step.core;
                let server = &mut core.servers[usize::from(node)];
                let wall = server.wall(now);
                let result = core.shared.apply(&mut server.redis, wall, node, command);
                with(|runtime| runtime.look_at((node, server), now, Some(client)));
                notify(step, node);
                Returned::Store(result)
            }
            Request::Subscribe { channel, number } => {
                // Who listens no more has hung up, however late its request comes.
                if !with(|runtime| runtime.place(client).listens(*number)) {
                    return Returned::Subscribed;
                }
                let core = &mut *step.core;
                let server = &mut core.servers[usize::from(node)];
                let at = (server.wall(now), node);
                core.shared.subscribe(&mut server.redis, at, (client, *number), channel);
                Returned::Subscribed
            }
            Request::Redis(sent) => {
                let core = &mut *step.core;
                let server = &mut core.servers[usize::from(node)];
                let wall = server.wall(now);
                let replies = core.shared.run(&mut server.redis, wall, message, sent);
                with(|runtime| {
                    runtime.hear(&sent.commands);
                    runtime.look_at((node, server), now, Some(client));
                });
                notify(step, node);
                Returned::Redis(replies)
            }
            Request::Remote => {
                arrive(client, call, now);
                Returned::Remote
            }
        }
    }

    fn written<C: DecisionSource, W: Observer>(
        _step: &mut Step<'_, C, W>,
        _client: Client,
        (): (),
    ) {
    }

    fn request_words(request: &Request) -> String {
        match request {
            Request::Store(command) => words::short(command),
            Request::Subscribe { channel, .. } => format!("subscribe {channel}"),
            Request::Redis(sent) => words::commands(&sent.commands),
            Request::Remote => "remote call".into(),
        }
    }

    fn response_words(response: &Response) -> String {
        match response {
            Response::Answer(Returned::Store(answer)) => store::answer(answer),
            Response::Answer(Returned::Subscribed) => "subscribed".into(),
            Response::Answer(Returned::Redis(told)) => words::replies(told),
            Response::Answer(Returned::Remote) => "done".into(),
            Response::Broken => "the connection is broken".into(),
            Response::Refused => "not ready yet".into(),
        }
    }

    fn wait(request: &Request) -> Option<Wait<Self>> {
        let command = match request {
            Request::Store(Command::Lock(command)) => command,
            Request::Redis(sent) => return sent.wait(),
            _ => return None,
        };
        let LockCommand::Confirm { replicas, timeout_ms, .. } = *command else { return None };
        let answer = |replicas| Returned::Store(Ok(Reply::Lock(LockReply::Confirmed { replicas })));
        Some(Wait { replicas, timeout_ms, answer })
    }

    fn is_error(answer: &Returned) -> bool {
        match answer {
            Returned::Store(result) => result.is_err(),
            Returned::Redis(replies) => replies.iter().all(Resp::is_error),
            Returned::Remote | Returned::Subscribed => false,
        }
    }

    fn disturbed<C: DecisionSource, W: Observer>(step: &mut Step<'_, C, W>, what: Disturbed) {
        match what {
            Disturbed::Connections { node } => step.core.shared.forget(node),
            Disturbed::Data | Disturbed::Clock => {}
        }
    }

    fn is_remote(request: &Request) -> bool {
        *request == Request::Remote
    }
}

impl Program<Users> for UserProgram {
    fn alarm<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        _alarm: Alarm,
    ) {
        go_on(step, me);
    }

    fn awaits(&self, _host: &Host, me: Client, call: u32) -> bool {
        with(|runtime| runtime.place(me).sent.contains_key(&call))
    }

    fn reply<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        answered: Answered,
        response: Response,
    ) {
        let call = answered.call;
        with(|runtime| {
            runtime.advance(step.core.now);
            runtime.note(|| format!("  {}", words::response(me, call, &response)));
            let returned = match response {
                Response::Answer(Returned::Remote) => runtime.take_returned(me, call),
                _ => None,
            };
            let place = runtime.place(me);
            let Some((wait, what)) = place.sent.remove(&call) else { return };
            let answer = match (response, what) {
                (_, Asked::Remote) => Answer::Remote(returned.ok_or(RemoteError::Broken)),
                (Response::Answer(Returned::Redis(replies)), _) => Answer::Redis(Ok(replies)),
                (Response::Answer(Returned::Store(result)), _) => Answer::Store(result),
                (response, Asked::Subscription) => {
                    Answer::Subscribed(response == Response::Answer(Returned::Subscribed))
                }
                (response, Asked::Redis { connection }) => {
                    place.breaks(connection);
                    let refused = response == Response::Refused;
                    let error = if refused { RedisError::Refused } else { RedisError::Broken };
                    Answer::Redis(Err(error))
                }
                (Response::Refused, _) => {
                    Answer::Store(Err(StoreError::NotSent(Cause::Unreachable("refused".into()))))
                }
                (_, Asked::Store) => {
                    Answer::Store(Err(StoreError::Unknown(Cause::Disconnected("".into()))))
                }
            };
            place.answer(wait, answer);
        });
        go_on(step, me);
    }

    fn notified<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        subscription: u32,
    ) {
        let listens = with(|runtime| {
            runtime.advance(step.core.now);
            runtime.place(me).notify(subscription)
        });
        if listens {
            with(|runtime| runtime.note(|| format!("  {} is told of a release", client(me))));
            go_on(step, me);
        }
    }

    /// Whoever waits for the process goes away, in the middle of an await.
    fn cancel<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        _handle: bool,
    ) {
        if self.is_busy(me) {
            step.cancelling(me);
            drop_main(step, me);
        }
    }

    fn restarted<C: DecisionSource, W: Observer>(
        &mut self,
        step: &mut Step<'_, C, W>,
        me: Client,
        life: u32,
    ) {
        let core = &mut *step.core;
        let mut redis: Vec<_> = core.servers.iter_mut().map(|server| &mut server.redis).collect();
        core.shared.forget_client(&mut redis, me);
        let gone = with(|runtime| {
            let place = runtime.place(me);
            (place.life, place.started, place.handles) = (life, false, 0);
            place.broken.clear();
            place.end()
        });
        // What destructors order goes nowhere: a dead process sends nothing.
        drop(gone);
        drop(with(|runtime| runtime.place(me).end()));
    }

    fn is_busy(&self, me: Client) -> bool {
        is_busy(me)
    }
}

fn is_busy(me: Client) -> bool {
    with(|runtime| runtime.place(me).is_running())
}

/// Polls what is ready until nothing is.
fn go_on<C: DecisionSource, W: Observer>(step: &mut Step<'_, C, W>, me: Client) {
    let clock = step.host(me).clock;
    with(|runtime| {
        runtime.advance(step.core.now);
        runtime.place(me).clock = clock;
    });
    boot(me);
    ring(me);
    while let Some(task) = next_task(step, me) {
        if poll(me, task) && task == 0 {
            drop(with(|runtime| {
                let who = client(me);
                runtime.note(|| format!("  {who} is done"));
                runtime.mark(|| Seen::Did(me, "is done".into()));
                runtime.place(me).tasks.drain(..).collect::<Vec<_>>()
            }));
        }
        carry_out(step, me);
    }
    set_alarms(step, me);
    if is_busy(me) && step.awaiting(me, false) != Cancelled::No {
        drop_main(step, me);
    }
}

/// Drops the main task, whose destructors may send, and has it started anew. Its other tasks go on.
fn drop_main<C: DecisionSource, W: Observer>(step: &mut Step<'_, C, W>, me: Client) {
    let main = with(|runtime| {
        let place = runtime.place(me);
        place.started = false;
        place.tasks.first_mut().and_then(Option::take)
    });
    drop(main);
    carry_out(step, me);
    set_alarms(step, me);
    step.core.alarms[usize::from(me)][Alarm::Work as usize] = step.core.now;
}

/// Starts the process, if it is not.
fn boot(me: Client) {
    let factory = with(|runtime| {
        let place = runtime.place(me);
        let (factory, life) = (place.factory.clone(), place.life);
        (!std::mem::replace(&mut place.started, true)).then_some((factory, life))
    });
    let Some((factory, life)) = factory else { return };
    let main = factory(Process::new(me, life));
    with(|runtime| {
        let place = runtime.place(me);
        // The factory itself may have spawned, but the main task is the first.
        match place.tasks.first_mut() {
            Some(dropped @ None) => *dropped = Some(main),
            _ => place.tasks.insert(0, Some(main)),
        }
        (0..place.tasks.len()).for_each(|task| place.ready.push(task));
    });
}

/// Wakes whose time has come.
fn ring(me: Client) {
    let due = with(|runtime| {
        let now = runtime.local(me);
        runtime.place(me).mailbox.due(now)
    });
    due.for_each(Waker::wake);
}

/// The task that goes on.
fn next_task<C: DecisionSource, W: Observer>(
    step: &mut Step<'_, C, W>,
    me: Client,
) -> Option<usize> {
    let ready = with(|runtime| {
        runtime.burn(me);
        runtime.place(me).ready.clone()
    });
    ready.take(step.next_task(me, ready.len()))
}

/// Polls a task, and says whether it is over.
fn poll(me: Client, number: usize) -> bool {
    let taken = with(|runtime| {
        if let Some(switches) = &mut runtime.switches {
            switches.begin();
        }
        let place = runtime.place(me);
        let task: Option<Task> = place.tasks.get_mut(number).and_then(Option::take);
        task.map(|task| (task, Arc::clone(&place.ready)))
    });
    let Some((mut task, ready)) = taken else { return false };
    let waker = ready.waker(number);
    let over = task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
    with(|runtime| {
        if let Some(switches) = &mut runtime.switches {
            switches.end();
        }
        if !over && let Some(place) = runtime.place(me).tasks.get_mut(number) {
            *place = Some(task);
        }
    });
    over
}

/// Sends what was ordered, in order.
fn carry_out<C: DecisionSource, W: Observer>(step: &mut Step<'_, C, W>, me: Client) {
    while let Some(order) = with(|runtime| runtime.place(me).mailbox.next_order()) {
        match order {
            Order::Call { wait, node, command } => {
                with(|runtime| {
                    runtime.trace((me, &command));
                    runtime.note(|| format!("  {} {}", client(me), words::command(&command)));
                });
                send(step, me, node, (wait, Asked::Store), Request::Store(command));
            }
            Order::Subscribe { wait, node, channel, number } => {
                with(|runtime| {
                    runtime.trace((me, &channel));
                    runtime.note(|| format!("  {} subscribes to `{channel}`", client(me)));
                });
                let request = Request::Subscribe { channel, number };
                send(step, me, node, (wait, Asked::Subscription), request);
            }
            Order::Unsubscribe { node, number } => {
                let core = &mut *step.core;
                if let Some(server) = core.servers.get_mut(usize::from(node)) {
                    core.shared.unsubscribe(&mut server.redis, node, (me, number));
                }
            }
            Order::Redis { wait, node, mut sent } => {
                with(|runtime| {
                    let broken = &runtime.place(me).broken;
                    sent.broken = broken.get(sent.connection as usize).copied().unwrap_or(0);
                    runtime.trace((me, &sent));
                    runtime.note(|| {
                        format!("  {} sends {}", client(me), words::commands(&sent.commands))
                    });
                });
                let asked = Asked::Redis { connection: sent.connection };
                send(step, me, node, (wait, asked), Request::Redis(sent));
            }
            Order::Remote { wait, remote_call } => {
                step.send(me, 0, Request::Remote);
                let call = step.host(me).calls;
                with(|runtime| {
                    runtime.trace((me, call));
                    runtime.note(|| format!("  {} sends its remote call {call}", client(me)));
                    runtime.keep_remote_call(me, call, remote_call);
                    runtime.place(me).sent.insert(call, (wait, Asked::Remote));
                });
            }
            Order::Choose { wait, options } => choose(step, me, wait, options),
        }
    }
}

/// Sends a request to server number `node`, whose answer is that to a wait.
fn send<C: DecisionSource, W: Observer>(
    step: &mut Step<'_, C, W>,
    me: Client,
    node: u8,
    asked: (u64, Asked),
    request: Request,
) {
    let servers = step.core.servers.len();
    assert!(usize::from(node) < servers, "there is no server {node}: the cluster has {servers}");
    step.send(me, node, request);
    let call = step.host(me).calls;
    with(|runtime| runtime.place(me).sent.insert(call, asked));
}

/// Tells those who are to be told of what server number `node` has published.
fn notify<C: DecisionSource, W: Observer>(step: &mut Step<'_, C, W>, node: u8) {
    for (client, number) in step.core.shared.take_told(node) {
        step.notify(client, node, number);
    }
}

fn choose<C: DecisionSource, W: Observer>(
    step: &mut Step<'_, C, W>,
    me: Client,
    wait: u64,
    options: u32,
) {
    let occurrence = with(|runtime| {
        let place = runtime.place(me);
        place.choices += 1;
        place.choices
    });
    let address = Address { kind: DecisionKind::Behaviour, actor: me, occurrence };
    let choice = step.source.choose(address, options);
    with(|runtime| {
        runtime.trace((me, choice));
        runtime.place(me).answer(wait, Answer::Choice(choice));
    });
}

/// When the process goes on; and at once, whoever else was woken by what it did.
fn set_alarms<C: DecisionSource, W: Observer>(step: &mut Step<'_, C, W>, me: Client) {
    let (timer, woken) = with(|runtime| {
        let timer = runtime.place(me).mailbox.next_timer();
        let woken: Vec<Client> = (0..)
            .zip(&runtime.places)
            .filter(|(_, place)| place.is_running() && place.ready.len() > 0)
            .map(|(other, _)| other)
            .collect();
        (timer, woken)
    });
    match timer {
        Some(deadline) => step.set_alarm(me, Alarm::Machine, deadline),
        None => step.clear_alarm(me, Alarm::Machine),
    }
    for other in woken {
        step.core.alarms[usize::from(other)][Alarm::Work as usize] = step.core.now;
    }
}
