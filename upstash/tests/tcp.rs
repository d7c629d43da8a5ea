//! What a network or a broken server can do to a command over TCP: each ends in a typed error, in
//! time. The server is bare sockets and answers as it is told.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use leasehold_core::{
    Cause, Command, Reply, Store, StoreError,
    lock::{Holder, LockCommand, LockKeys, LockReply},
};
use leasehold_upstash::{
    RetryPolicy, Tcp, TcpBuilder,
    redis::{Client, IntoConnectionInfo, parse_redis_value},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::sleep,
};

/// `["free"]`
const FREE: &str = "*1\r\n$4\r\nfree\r\n";

/// What to do with a command.
#[derive(Clone, Debug)]
enum Act {
    /// Send this, and wait for more.
    Say(String),
    /// Send this, and close.
    Last(String),
    /// Say nothing.
    Hang,
    /// Announce a long reply, and send it byte by byte, so slowly that it never ends.
    Drip,
}

impl Act {
    fn say(reply: &str) -> Self {
        Self::Say(reply.into())
    }

    fn last(reply: &str) -> Self {
        Self::Last(reply.into())
    }
}

struct Server {
    address: String,
    commands: watch::Receiver<usize>,
}

impl Server {
    /// Plays one act a command, on whatever connection it comes.
    async fn playing(acts: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (count, commands) = watch::channel(0);
        let mut acts: Vec<_> = acts.into_iter().collect();
        acts.reverse();
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                while command(&mut connection).await {
                    count.send_modify(|count| *count += 1);
                    match acts.pop().expect("there is an act for each command") {
                        Act::Say(reply) => connection.write_all(reply.as_bytes()).await.unwrap(),
                        Act::Last(reply) => {
                            let _ = connection.write_all(reply.as_bytes()).await;
                            break;
                        }
                        Act::Hang => {}
                        Act::Drip => {
                            let _ = connection.write_all(b"$1000000\r\n").await;
                            // Until the other side has had enough.
                            while connection.write_all(b"x").await.is_ok() {
                                sleep(Duration::from_millis(1)).await;
                            }
                            break;
                        }
                    }
                }
            }
        });
        Self { address, commands }
    }

    fn builder(&self) -> TcpBuilder {
        builder(&format!("redis://{}", self.address))
    }

    fn store(&self) -> Tcp {
        self.builder().build().unwrap()
    }

    fn commands(&self) -> usize {
        *self.commands.borrow()
    }
}

/// A builder whose connections begin without a greeting, of a store that sends nothing again.
fn builder(url: &str) -> TcpBuilder {
    let info = url.into_connection_info().unwrap();
    let settings = info.redis_settings().clone().set_skip_set_lib_name();
    let client = Client::open(info.set_redis_settings(settings)).unwrap();
    // Slow machines are not what it is about.
    let limit = Duration::from_secs(10);
    let builder = TcpBuilder::from_client(client).retry(RetryPolicy::new().retries(0));
    builder.timeout(2 * limit).connect_timeout(limit)
}

/// Reads one command; false if the other side has closed.
async fn command(connection: &mut TcpStream) -> bool {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match connection.read(&mut buffer).await {
            Ok(0) | Err(_) => return false,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
        if parse_redis_value(&bytes).is_ok() {
            return true;
        }
    }
}

async fn ask(store: &Tcp) -> Result<Reply, StoreError> {
    let keys = LockKeys::of("job").into();
    store.execute(Command::Lock(LockCommand::Inspect { keys, token: None })).await
}

fn free() -> Result<Reply, StoreError> {
    Ok(Reply::Lock(LockReply::Holder(Holder::Free)))
}

/// Why the server at `address` could not be reached, as it is told.
fn unreachable_at(address: impl std::fmt::Display, error: &StoreError) -> String {
    let StoreError::NotSent(Cause::Unreachable(text)) = error else { panic!("{error:?}") };
    text.strip_prefix(&format!("{address}: ")).expect(text).to_owned()
}

async fn told(act: Act) -> Result<Reply, StoreError> {
    ask(&Server::playing([act]).await.store()).await
}

#[tokio::test]
async fn a_command_and_its_reply_share_one_connection() {
    let server = Server::playing([Act::say(FREE), Act::say(FREE)]).await;
    let store = server.store();
    assert_eq!(ask(&store).await, free());
    assert_eq!(ask(&store.clone()).await, free());
}

#[tokio::test]
async fn a_connection_refused_has_sent_nothing() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let store = builder(&format!("redis://{address}")).build().unwrap();
    for error in [ask(&store).await.unwrap_err(), store.connect().await.unwrap_err()] {
        let told = unreachable_at(address, &error);
        assert!(told.contains("refused"), "{told}");
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve_has_been_sent_nothing() {
    let reply = ask(&builder("redis://leasehold.invalid").build().unwrap()).await;
    let told = unreachable_at("leasehold.invalid:6379", &reply.unwrap_err());
    assert!(told.contains("lookup"), "{told}");
}

#[tokio::test]
async fn a_server_that_accepts_and_is_silent_has_been_sent_no_command() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let limit = Duration::from_millis(50);
    for scheme in ["redis", "rediss"] {
        // With its greeting, which is never answered.
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let builder = TcpBuilder::new(&url).unwrap().retry(RetryPolicy::new().retries(0));
        let store = builder.connect_timeout(limit).build().unwrap();
        let reply = ask(&store).await;
        let told = unreachable_at(listener.local_addr().unwrap(), &reply.unwrap_err());
        assert!(told.contains("in time"), "{scheme}: {told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_never_reached_is_known_before_a_handle_gives_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // What a handle gives to a call by default.
    let limit = Duration::from_secs(2);
    for scheme in ["redis", "rediss"] {
        let store = Tcp::new(&format!("{scheme}://{address}")).unwrap();
        let reply = tokio::time::timeout(limit, ask(&store)).await;
        unreachable_at(address, &reply.expect("the store ends by itself").unwrap_err());
    }
}

#[tokio::test]
async fn a_reply_that_never_comes_leaves_time_for_another_try() {
    let server = Server::playing([Act::Hang, Act::say(FREE)]).await;
    let retry = RetryPolicy::default();
    let store = server.builder().retry(retry).timeout(Duration::from_secs(2)).build().unwrap();
    assert_eq!(ask(&store).await, free());
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_has_been_sent_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let url = format!("rediss://{address}");
    tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        connection.write_all(b"-ERR what is this?\r\n").await.unwrap();
    });
    let reply = ask(&builder(&url).build().unwrap()).await;
    let told = unreachable_at(address, &reply.unwrap_err());
    assert!(!told.contains("refused") && !told.contains("in time"), "{told}");
}

#[tokio::test]
async fn a_connection_cut_after_the_command_leaves_the_outcome_unknown() {
    for reply in ["", "*1\r\n$4\r\nfr"] {
        let told = told(Act::last(reply)).await;
        let Err(StoreError::Unknown(Cause::Disconnected(text))) = told else { panic!("{told:?}") };
        assert!(text.starts_with("127.0.0.1:"), "it names the server: {text}");
    }
}

#[tokio::test]
async fn what_is_no_reply_leaves_the_outcome_unknown() {
    let long = format!("$10485760\r\n{}\r\n", "x".repeat(10 << 20));
    for reply in ["HTTP/1.1 400 .\r\n\r\n", ":1\r\n", "*2\r\n$4\r\nfree\r\n:1\r\n", "%0\r\n", &long]
    {
        let told = told(Act::last(reply)).await;
        let start = &reply[..reply.len().min(20)];
        assert!(matches!(told, Err(StoreError::Unknown(Cause::Malformed(_)))), "{start}: {told:?}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_or_never_ends_leaves_the_outcome_unknown_and_is_left() {
    for act in [Act::Hang, Act::Drip] {
        let server = Server::playing([act.clone(), Act::say(FREE)]).await;
        let store = server.builder().timeout(Duration::from_secs(2)).build().unwrap();
        let told = ask(&store).await;
        assert!(matches!(told, Err(StoreError::Unknown(Cause::TimedOut(_)))), "{told:?}");
        assert_eq!(ask(&store).await, free(), "{act:?}");
    }
}

#[tokio::test]
async fn a_server_that_always_hangs_ends_at_the_deadline() {
    for act in [Act::Hang, Act::Drip] {
        let server = Server::playing(vec![act.clone(); 50]).await;
        let retry = RetryPolicy::new().retries(u32::MAX);
        let builder = server.builder().retry(retry).timeout(Duration::from_millis(200));
        let reply = ask(&builder.build().unwrap()).await;
        let Err(StoreError::Unknown(Cause::TimedOut(text))) = reply else { panic!("{reply:?}") };
        assert!(text.starts_with("127.0.0.1:"), "it names the server: {text}");
    }
}

#[tokio::test]
async fn a_refusal_means_what_its_code_says() {
    for (reply, not_sent) in [
        ("-LOADING Redis is loading the dataset in memory\r\n", true),
        ("-BUSY Redis is busy running a script\r\n", true),
        ("-MASTERDOWN Link with MASTER is down\r\n", true),
        ("-CLUSTERDOWN The cluster is down\r\n", true),
        ("-MOVED 1 127.0.0.1:1\r\n", false),
        ("-ASK 1 127.0.0.1:1\r\n", false),
        ("-OOM command not allowed\r\n", false),
        ("-NOAUTH Authentication required.\r\n", false),
        ("-NOPERM this user has no permissions\r\n", false),
        ("-READONLY You can't write against a read only replica.\r\n", false),
        ("-WRONGTYPE Operation against a key\r\n", false),
        ("-ERR anything else\r\n", false),
    ] {
        let told = told(Act::say(reply)).await.unwrap_err();
        assert_eq!(matches!(told, StoreError::NotSent(_)), not_sent, "{reply}: {told:?}");
        assert_eq!(matches!(told, StoreError::Rejected(_)), !not_sent, "{reply}: {told:?}");
    }
}

#[tokio::test]
async fn what_failed_on_the_way_is_sent_again() {
    let server = Server::playing([Act::last(""), Act::say("-LOADING x\r\n"), Act::say(FREE)]).await;
    let retry = RetryPolicy::new().first_wait(Duration::from_millis(1));
    let store = server.builder().retry(retry).build().unwrap();
    assert_eq!(ask(&store).await, free());
    assert_eq!(server.commands(), 3);
}

#[tokio::test]
async fn many_callers_do_not_wait_for_one_anothers_attempts_to_connect() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("rediss://{}", listener.local_addr().unwrap());
    let store = builder(&url).connect_timeout(Duration::from_millis(500)).build().unwrap();
    let callers: Vec<_> = (0..100)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { ask(&store).await })
        })
        .collect();
    for caller in callers {
        let reply = caller.await.unwrap();
        assert!(matches!(reply, Err(StoreError::NotSent(Cause::Unreachable(_)))), "{reply:?}");
    }
    let mut connections = 0;
    while let Ok(Ok(_)) = tokio::time::timeout(Duration::ZERO, listener.accept()).await {
        connections += 1;
    }
    assert_eq!(connections, 1);
}

#[tokio::test]
async fn a_password_that_the_server_repeats_is_not_shown() {
    let server =
        Server::playing([Act::say("+OK\r\n"), Act::say("-ERR hunter2 is not my friend\r\n")]).await;
    let store = builder(&format!("redis://:hunter2@{}", server.address)).build().unwrap();
    let error = ask(&store).await.unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("is not my friend") && !shown.contains("hunter2"), "{shown}");
}
