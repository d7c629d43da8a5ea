//! The REST protocol in front of a real server, as far as a store uses it. It is for tests: what it
//! cannot read, it panics over.

use base64::{Engine, engine::general_purpose::STANDARD};
use leasehold_upstash::redis::{Client, Cmd, Value, aio::MultiplexedConnection};
use serde_json::{Value as Json, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// Serves the database of `client` until the runtime ends, and returns the URL.
pub(crate) async fn in_front_of(client: Client) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = client.get_multiplexed_async_connection().await.unwrap();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(serve(connection, server.clone()));
        }
    });
    url
}

async fn serve(connection: TcpStream, mut server: MultiplexedConnection) {
    let mut connection = BufReader::new(connection);
    while let Some((path, body)) = read(&mut connection).await {
        let reply = if path == "/pipeline" {
            let mut slots = Vec::new();
            for command in serde_json::from_slice::<Vec<Vec<String>>>(&body).unwrap() {
                slots.push(slot(run(&mut server, &command).await));
            }
            Json::Array(slots)
        } else {
            slot(run(&mut server, &serde_json::from_slice::<Vec<String>>(&body).unwrap()).await)
        };
        let body = reply.to_string();
        let head = format!("HTTP/1.1 200 .\r\ncontent-length: {}\r\n\r\n", body.len());
        connection.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    }
}

async fn read(connection: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let (mut line, mut path, mut length) = (String::new(), String::new(), 0);
    loop {
        line.clear();
        if connection.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let text = line.trim_end();
        if text.is_empty() {
            let mut body = vec![0; length];
            connection.read_exact(&mut body).await.ok()?;
            return Some((path, body));
        }
        match text.to_lowercase().split_once(':') {
            Some(("content-length", number)) => length = number.trim().parse().unwrap(),
            Some(_) => {}
            None => path = text.split(' ').nth(1).unwrap().into(),
        }
    }
}

async fn run(server: &mut MultiplexedConnection, words: &[String]) -> Value {
    let mut command = Cmd::new();
    command.arg(words);
    server.send_packed_command(&command).await.unwrap()
}

fn slot(value: Value) -> Json {
    match value {
        Value::ServerError(error) => {
            json!({ "error": format!("{} {}", error.code(), error.details().unwrap_or_default()) })
        }
        value => json!({ "result": encoded(value) }),
    }
}

fn encoded(value: Value) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Int(number) => json!(number),
        Value::Okay => json!("OK"),
        Value::BulkString(bytes) => json!(STANDARD.encode(bytes)),
        Value::SimpleString(text) => json!(STANDARD.encode(text)),
        Value::Array(items) => items.into_iter().map(encoded).collect(),
        other => panic!("{other:?}"),
    }
}
