use std::sync::Arc;

use leasehold_fake_redis::serve::{Host, HostOptions, clock, keep_time, resp};
use redis::AsyncCommands;
use tokio::net::TcpListener;

#[tokio::test]
async fn a_key_expires_when_its_time_is_over() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("redis://{}", listener.local_addr()?);
    let host = Host::new(HostOptions::default());
    tokio::spawn(keep_time(Arc::clone(&host)));
    tokio::spawn(resp::listen(Arc::clone(&host), listener));

    let mut client = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
    let _: () = client.set_ex("key", "value", 3_600).await?;
    let hour = clock::ClockChange { advance_ms: Some(3_600_001), ..clock::ClockChange::default() };
    host.clock().set(&hour)?;
    assert_eq!(client.get::<_, Option<String>>("key").await?, None);
    Ok(())
}
