//! One connection: reads commands, runs them, writes replies.

use std::{io, time::Duration};

use bytes::{Buf, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    READ,
    busy::{Line, Met},
    encode::encode,
    request::{Malformed, Requests},
};
use crate::{
    Protocol, Resp,
    serve::{Client, Performed, faults::Ending, host::desk::Visitor},
};

/// How many bytes of replies are collected before they are written.
const FLUSH_AT: usize = 64 << 10;
/// How many commands a client may run before another one has its turn.
const TURN: usize = 64;
/// How much a blocked client may send ahead.
const AHEAD: usize = 1 << 20;
/// A buffer that has grown beyond this is given back.
const KEEP: usize = 1 << 20;
/// The same for the list of the replies to one command.
const KEEP_REPLIES: usize = 64;

/// How long a client may take to read its last replies.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A client and its socket.
#[derive(Debug)]
pub(super) struct Connection {
    /// Dropped first: who waits until the client is gone finds its connection closed.
    stream: TcpStream,
    client: Client,
    input: BytesMut,
    output: BytesMut,
    requests: Requests,
    /// The replies to one command: kept to be used again.
    replies: Vec<Resp>,
    protocol: Protocol,
    /// Whether it has said the password, if there is one.
    authenticated: bool,
    state: State,
}

/// What the connection may do next.
#[derive(Debug, PartialEq, Eq)]
enum State {
    /// Run commands.
    Open,
    /// Wait for the reply to the last one.
    Blocked,
    /// Write what there is, and end.
    Closing,
    /// Write what there is, and end in this way: a reply is lost.
    Lost(Ending),
}

impl Connection {
    /// `received` is what has come before there was a client.
    pub(super) fn new(client: Client, stream: TcpStream, received: (BytesMut, Requests)) -> Self {
        let authenticated =
            client.host().with_server(|server| server.is_authenticated(client.id()));
        Self {
            client,
            stream,
            input: received.0,
            output: BytesMut::with_capacity(READ),
            requests: received.1,
            replies: Vec::new(),
            protocol: Protocol::default(),
            authenticated,
            state: State::Open,
        }
    }

    /// Serves until either side ends it. `met` is what was said before there was a client.
    pub(super) async fn run(mut self, met: Option<Met>) -> io::Result<()> {
        if let Some(met) = met {
            self.make_good(met).await;
        }
        loop {
            if self.state == State::Open && self.client.host().desk().is_busy() {
                self.stand_by().await?;
            }
            let more = self.work().await;
            self.flush().await?;
            match &self.state {
                State::Closing => return self.stream.shutdown().await,
                State::Lost(Ending::Reset) => return self.stream.set_zero_linger(),
                State::Lost(Ending::Hang) => return self.hang().await,
                State::Lost(_) => return Ok(()),
                State::Open | State::Blocked => {}
            }
            if !more && !self.receive().await? {
                return Ok(());
            }
        }
    }

    /// Serves the client while a script is late.
    async fn stand_by(&mut self) -> io::Result<()> {
        let Self { stream, input, requests, client, .. } = self;
        let visitor = Visitor::new(self.authenticated, self.protocol);
        let met = Line { stream, input, requests }.attend(client.host(), visitor).await?;
        self.client.host().until_free().await;
        self.make_good(met).await;
        Ok(())
    }

    /// Does for the server what was only said at the desk.
    async fn make_good(&mut self, met: Met) {
        let id = self.client.id();
        if met.visitor.refused {
            self.client.host().with_server(|server| server.note_refused(id));
        }
        for words in &met.visitor.said {
            self.client.say(words);
        }
        (self.protocol, self.authenticated) =
            self.client.host().with_server(|server| server.manners(id));
        if met.waits {
            self.perform().await;
        }
    }

    /// Runs the commands that have arrived, until there are enough replies to write. Whether there
    /// may be more.
    async fn work(&mut self) -> bool {
        self.take_deliveries();
        while self.may_run() {
            // The reply of a script that was late is not held back: the next one may be late, too.
            if self.client.host().give_way().await || self.client.host().desk().is_busy() {
                return true;
            }
            if let Some(more) = self.take_turn() {
                if more {
                    continue;
                }
                return false;
            }
            match self.requests.next(&mut self.input, !self.authenticated) {
                Ok(true) => self.perform().await,
                Ok(false) => return false,
                Err(malformed) => self.refuse(malformed),
            }
        }
        self.state == State::Open
    }

    fn may_run(&self) -> bool {
        self.state == State::Open && self.output.len() < FLUSH_AT
    }

    /// Runs some of the commands that have arrived, without letting others in between. Whether
    /// there may be more; `None` if each has to be [performed](Self::perform).
    fn take_turn(&mut self) -> Option<bool> {
        let mut turn = self.client.turn()?;
        let mut parsed = Ok(true);
        for _ in 0..TURN {
            parsed = self.requests.next(&mut self.input, !self.authenticated);
            if parsed != Ok(true) {
                break;
            }
            match turn.execute(self.requests.arguments(), &mut self.replies) {
                Some(manners) => (self.protocol, self.authenticated) = manners,
                None => self.state = State::Blocked,
            }
            for reply in self.replies.drain(..) {
                encode(&reply, self.protocol, &mut self.output);
            }
            if turn.is_over() || self.state != State::Open || self.output.len() >= FLUSH_AT {
                break;
            }
        }
        drop(turn);
        self.take_deliveries();
        Some(parsed.unwrap_or_else(|malformed| {
            self.refuse(malformed);
            true
        }))
    }

    async fn perform(&mut self) {
        match self.client.perform(self.requests.arguments()).await {
            Performed::Answered { replies, protocol, authenticated } => {
                (self.protocol, self.authenticated) = (protocol, authenticated);
                for reply in &replies {
                    encode(reply, protocol, &mut self.output);
                }
            }
            Performed::Blocked => self.state = State::Blocked,
            Performed::Lost(ending) => self.state = State::Lost(ending),
        }
        self.take_deliveries();
    }

    /// Encodes what has come up for the client meanwhile.
    fn take_deliveries(&mut self) {
        while let Some(delivery) = self.client.delivery() {
            encode(&delivery.resp, self.protocol, &mut self.output);
            if delivery.unblocks && self.state == State::Blocked {
                self.state = State::Open;
            }
        }
        if self.client.is_closed() && !matches!(self.state, State::Lost(_)) {
            self.state = State::Closing;
        }
    }

    /// Says nothing more until the client gives up.
    async fn hang(&mut self) -> io::Result<()> {
        let mut unheard = [0; 1 << 10];
        loop {
            tokio::select! {
                read = self.stream.read(&mut unheard) => if read? == 0 {
                    return Ok(());
                },
                () = self.client.closed() => return Ok(()),
            }
        }
    }

    fn refuse(&mut self, malformed: Malformed) {
        if let Malformed::Told(text) = malformed {
            let error = Resp::Error(format!("ERR Protocol error: {text}").into());
            encode(&error, self.protocol, &mut self.output);
        }
        self.state = State::Closing;
    }

    /// Writes the replies. Ends early if the client is disconnected meanwhile: it does not read.
    async fn flush(&mut self) -> io::Result<()> {
        while !self.output.is_empty() {
            let written = match self.stream.try_write(&self.output) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait_until_writable().await?;
                    continue;
                }
                written => written?,
            };
            self.output.advance(written);
        }
        if self.output.capacity() > KEEP {
            self.output = BytesMut::with_capacity(READ);
        } else {
            self.output.clear();
        }
        self.replies.shrink_to(KEEP_REPLIES);
        Ok(())
    }

    async fn wait_until_writable(&self) -> io::Result<()> {
        if self.state == State::Closing {
            let timeout = |_| io::Error::from(io::ErrorKind::TimedOut);
            return tokio::time::timeout(LAST_WORDS, self.stream.writable())
                .await
                .map_err(timeout)?;
        }
        tokio::select! {
            writable = self.stream.writable() => writable,
            () = self.client.closed() => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }

    /// Waits for bytes or deliveries. `false` once the client has gone.
    async fn receive(&mut self) -> io::Result<bool> {
        if self.input.is_empty() && self.input.capacity() > KEEP {
            self.input = BytesMut::new();
        }
        let listening = self.state == State::Open || self.input.len() < AHEAD;
        self.input.reserve(READ);
        tokio::select! {
            read = self.stream.read_buf(&mut self.input), if listening => Ok(read? > 0),
            () = self.client.ready() => Ok(true),
        }
    }
}
