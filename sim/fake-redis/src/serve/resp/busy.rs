//! A connection while a script is late.

use std::io;

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    READ,
    encode::encode,
    request::{Malformed, Requests},
};
use crate::{
    Resp,
    serve::{
        Host,
        host::desk::{Told, Visitor},
    },
};

/// What is needed of a connection to serve it.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) stream: &'a mut TcpStream,
    pub(super) input: &'a mut BytesMut,
    pub(super) requests: &'a mut Requests,
}

/// What has come of that.
#[derive(Debug)]
pub(super) struct Met {
    pub(super) visitor: Visitor,
    /// Whether the command that was read last is to be run now.
    pub(super) waits: bool,
}

impl Line<'_> {
    /// Answers the client until no script is late. An error if the connection has ended.
    pub(super) async fn attend(mut self, host: &Host, mut visitor: Visitor) -> io::Result<Met> {
        while host.desk().is_busy() {
            match self.requests.next(self.input, !visitor.is_authenticated()) {
                Ok(true) => match host.tell(&mut visitor, self.requests.arguments()).await {
                    Told::Reply(reply) => self.write(&reply, &visitor).await?,
                    Told::Later => return Ok(Met { visitor, waits: true }),
                    Told::Nothing => return Err(io::ErrorKind::ConnectionAborted.into()),
                },
                Ok(false) => {
                    self.input.reserve(READ);
                    tokio::select! {
                        read = self.stream.read_buf(self.input) => if read? == 0 {
                            return Err(io::ErrorKind::UnexpectedEof.into());
                        },
                        () = host.desk().over() => {}
                    }
                }
                Err(malformed) => return self.refuse(malformed, &visitor).await,
            }
        }
        Ok(Met { visitor, waits: false })
    }

    async fn refuse(&mut self, malformed: Malformed, visitor: &Visitor) -> io::Result<Met> {
        if let Malformed::Told(text) = malformed {
            let error = Resp::Error(format!("ERR Protocol error: {text}").into());
            self.write(&error, visitor).await?;
        }
        Err(io::ErrorKind::InvalidData.into())
    }

    async fn write(&mut self, reply: &Resp, visitor: &Visitor) -> io::Result<()> {
        let mut bytes = BytesMut::new();
        encode(reply, visitor.protocol, &mut bytes);
        self.stream.write_all(&bytes).await
    }
}
