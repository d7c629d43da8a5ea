//! How commands share requests: what is asked while requests are under way travels together.
//!
//! A command that finds fewer requests under way than allowed goes out at once, and its caller
//! carries it: no task, no hop, no delay. Any other waits in a queue. When a request ends, what has
//! gathered goes out as one pipeline, carried by a task of its own, which ends when the queue is
//! empty. So a caller that is dropped, be it in the midst of its request, strands nobody: all that
//! it can take down with it is its own command.

use std::{
    collections::{HashSet, VecDeque},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use leasehold_core::{
    Cause, StoreError,
    redis::{Request, Value},
};
use tokio::{
    runtime::Handle,
    sync::oneshot,
    time::{Instant, sleep, sleep_until, timeout_at},
};

use super::{exchange::Exchange, wire};
use crate::{
    answer::{Answer, Form, script, value},
    retry::{Attempts, RetryPolicy},
    trace,
};

/// Bytes of one pipeline, unless a single command is longer.
const LONGEST_PIPELINE: usize = 256 << 10;

/// How many requests, and how large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Requests under way at a time.
    pub(crate) flights: usize,
    /// Commands in one request.
    pub(crate) commands: usize,
}

/// Where all handles of one store send their commands.
#[derive(Debug)]
pub(crate) struct Dispatch {
    pub(crate) exchange: Exchange,
    pub(crate) retry: RetryPolicy,
    pub(crate) limits: Limits,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    flights: usize,
    waiting: VecDeque<Order>,
    next: u64,
}

/// A command that waits, or travels with others.
#[derive(Debug)]
struct Order {
    number: u64,
    request: Request,
    line: String,
    attempts: Attempts,
    /// How often the server had forgotten the script.
    forgotten: u32,
    reply: oneshot::Sender<Result<Value, StoreError>>,
}

impl Dispatch {
    pub(crate) fn new(exchange: Exchange, retry: RetryPolicy, limits: Limits) -> Self {
        Self { exchange, retry, limits, queue: Mutex::default() }
    }

    /// Sends one command, alone or with others, and again as the policy says.
    pub(crate) async fn run(
        self: &Arc<Self>,
        request: Request,
        attempts: Attempts,
    ) -> Result<Value, StoreError> {
        let line = wire::line(Form::Hash, &request)?;
        let (reply, answered) = oneshot::channel();
        let deadline = attempts.deadline();
        match self.board(Order { number: 0, request, line, attempts, forgotten: 0, reply }) {
            Place::Slot(slot, order) => slot.alone(order).await,
            Place::Queue(number) => self.answer(number, answered, deadline).await,
        }
    }

    /// Sends a command that takes long on purpose, beside all others, none of which should
    /// wait for it.
    pub(crate) async fn run_aside(
        &self,
        request: &Request,
        attempts: Attempts,
    ) -> Result<Value, StoreError> {
        self.repeat(request, wire::line(Form::Hash, request)?, attempts).await
    }

    /// Sends one command in requests of its own.
    async fn repeat(
        &self,
        request: &Request,
        mut line: String,
        mut attempts: Attempts,
    ) -> Result<Value, StoreError> {
        let mut forgotten = false;
        loop {
            let until = attempts.end_of_next(&self.retry);
            match self.exchange.one(line.clone(), until).await {
                Ok(Answer::NoScript) if !forgotten => {
                    trace::script_forgotten(request);
                    forgotten = true;
                    line = wire::line(Form::Text, request)?;
                }
                Ok(answer) => return value(answer),
                Err(error) => sleep(attempts.failed(error, &self.retry)?).await,
            }
        }
    }

    /// Finds a slot or a place in the queue, in one step: between two, the last request under way
    /// could end and leave the queue to nobody.
    fn board(self: &Arc<Self>, mut order: Order) -> Place {
        let mut queue = self.queue();
        if queue.flights < self.limits.flights {
            queue.flights += 1;
            return Place::Slot(Slot { dispatch: self.clone(), state: Hold::Caller }, order);
        }
        queue.next += 1;
        order.number = queue.next;
        queue.waiting.push_back(order);
        Place::Queue(queue.next)
    }

    /// Waits for the answer to what was queued.
    async fn answer(
        &self,
        number: u64,
        answered: oneshot::Receiver<Result<Value, StoreError>>,
        deadline: Instant,
    ) -> Result<Value, StoreError> {
        match timeout_at(deadline, answered).await {
            Ok(Ok(result)) => result,
            // The runtime of the task that carried it has ended.
            Ok(Err(_)) => {
                let text = "the runtime that carried the request has ended";
                Err(StoreError::Unknown(Cause::Disconnected(text.into())))
            }
            Err(_) if self.withdraw(number) => Err(StoreError::NotSent(self.exchange.timed_out())),
            Err(_) => Err(StoreError::Unknown(self.exchange.timed_out())),
        }
    }

    /// Takes an order out of the queue. It is no longer there once it travels.
    fn withdraw(&self, number: u64) -> bool {
        let mut queue = self.queue();
        let before = queue.waiting.len();
        queue.waiting.retain(|order| order.number != number);
        queue.waiting.len() < before
    }

    /// Sends orders until each is answered.
    async fn carry(&self, mut orders: Vec<Order>) {
        loop {
            orders.retain(|order| !order.reply.is_closed());
            let ends = orders.iter().map(|order| order.attempts.end_of_next(&self.retry));
            // Who is less patient than the others leaves sooner.
            let Some(until) = ends.max() else { return };
            let is_wanted = |index: usize| !orders[index].reply.is_closed();
            let answers = self.exchange.several(lines(&orders), until, is_wanted).await;
            let (again, wait) = self.settle(orders.into_iter().zip(answers));
            orders = again;
            if let Some(at) = wait {
                sleep_until(at).await;
            }
        }
    }

    /// Gives each order its answer, or returns it to be sent again, and when.
    fn settle(
        &self,
        answered: impl Iterator<Item = (Order, Result<Answer, StoreError>)>,
    ) -> (Vec<Order>, Option<Instant>) {
        let (mut again, mut wait) = (Vec::new(), None);
        let wanted = answered.filter(|(order, _)| !order.reply.is_closed());
        for (mut order, answer) in wanted {
            let result = match answer {
                Ok(Answer::NoScript) if order.forgotten < 2 => {
                    trace::script_forgotten(&order.request);
                    order.forgotten += 1;
                    again.push(order);
                    continue;
                }
                Ok(answer) => value(answer),
                Err(error) => match order.attempts.failed(error, &self.retry) {
                    Ok(pause) => {
                        wait = wait.max(Some(Instant::now() + pause));
                        again.push(order);
                        continue;
                    }
                    Err(error) => Err(error),
                },
            };
            // A caller that goes at this moment needs no answer.
            let _ = order.reply.send(result);
        }
        (again, wait)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // No code that holds it can panic half way.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where an order goes.
enum Place {
    Slot(Slot, Order),
    Queue(u64),
}

/// The right to have one request under way. When it ends, it is handed to what waits.
struct Slot {
    dispatch: Arc<Dispatch>,
    state: Hold,
}

/// Who holds a slot.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hold {
    Caller,
    Task,
    Nobody,
}

impl Slot {
    /// Sends one command in requests of its own.
    async fn alone(self, order: Order) -> Result<Value, StoreError> {
        let Order { request, line, attempts, .. } = order;
        self.dispatch.repeat(&request, line, attempts).await
    }

    /// Sends what waits, request by request, until nothing does.
    async fn until_empty(mut self) {
        while let Some(orders) = self.next() {
            self.dispatch.carry(orders).await;
        }
    }

    /// As many orders as fit into one request. If there are none, the slot is given back, in the
    /// same step: an order that comes after it finds a free slot.
    fn next(&mut self) -> Option<Vec<Order>> {
        let mut queue = self.dispatch.queue();
        let (mut orders, mut bytes) = (Vec::new(), 0);
        while orders.len() < self.dispatch.limits.commands {
            let Some(order) = queue.waiting.front() else { break };
            bytes += order.line.len();
            if bytes > LONGEST_PIPELINE && !orders.is_empty() {
                break;
            }
            orders.extend(queue.waiting.pop_front());
        }
        if orders.is_empty() {
            queue.flights -= 1;
            self.state = Hold::Nobody;
            return None;
        }
        Some(orders)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut queue = self.dispatch.queue();
        match (self.state, Handle::try_current()) {
            (Hold::Nobody, _) => {}
            (Hold::Caller, Ok(runtime)) if !queue.waiting.is_empty() => {
                drop(queue);
                let slot = Self { dispatch: self.dispatch.clone(), state: Hold::Task };
                runtime.spawn(slot.until_empty());
            }
            (Hold::Caller | Hold::Task, _) => {
                queue.flights -= 1;
                if queue.flights == 0 {
                    // Nobody is left to carry what waits (a runtime is going down, unless nothing
                    // waits): it hears of it by the end of its channel.
                    let stranded = mem::take(&mut queue.waiting);
                    drop(queue);
                    drop(stranded);
                }
            }
        }
    }
}

/// What to send for each order. A script that the server forgot is sent whole for the first that
/// needs it, which teaches the server for the rest.
fn lines(orders: &[Order]) -> Vec<String> {
    let mut taught = HashSet::new();
    let line = |order: &Order| {
        let whole = match order.forgotten {
            0 => false,
            1 => script(&order.request).is_some_and(|script| taught.insert(script.sha1)),
            _ => true,
        };
        // It was made once before, so it can be made again.
        let text = whole.then(|| wire::line(Form::Text, &order.request).ok()).flatten();
        text.unwrap_or_else(|| order.line.clone())
    };
    orders.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use leasehold_core::{
        Command,
        lock::{LockCommand, LockKeys},
        redis,
    };
    use std::time::Duration;

    use tokio::net::TcpListener;

    use super::*;
    use crate::{rest::endpoint::Endpoint, retry::Budget};

    const LONG: Duration = Duration::from_secs(60);

    async fn ask(dispatch: Arc<Dispatch>, total: Duration) -> Result<Value, StoreError> {
        let keys = LockKeys::of("job").into();
        let command = Command::Lock(LockCommand::Inspect { keys, token: None });
        dispatch
            .run(
                redis::encode(&command),
                Attempts::within(&command, Budget { total, connect: LONG }),
            )
            .await
    }

    #[tokio::test]
    async fn a_command_whose_turn_never_came_was_not_sent() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let endpoint = Endpoint::new(&url, "token".into(), false).unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let limits = Limits { flights: 1, commands: 2 };
        let exchange = Exchange::new(client, endpoint);
        let dispatch = Arc::new(Dispatch::new(exchange, RetryPolicy::new().retries(0), limits));
        let first = tokio::spawn(ask(dispatch.clone(), LONG));
        let _connection = silent.accept().await.unwrap();
        let second = ask(dispatch.clone(), Duration::from_millis(20)).await;
        assert!(matches!(second, Err(StoreError::NotSent(Cause::TimedOut(_)))), "{second:?}");
        assert!(dispatch.queue().waiting.is_empty());
        first.abort();
    }
}
