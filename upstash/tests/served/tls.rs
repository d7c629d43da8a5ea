//! A server that cannot show who it is was sent nothing.

use std::sync::Arc;

use leasehold_core::{Cause, Store, StoreError};
use leasehold_upstash::{RetryPolicy, TcpBuilder, Upstash};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};

use crate::{acquire, fake::PATIENCE};

/// A server whose certificate nobody has signed but itself: where it listens, and whether a client
/// went on nevertheless.
async fn self_signed() -> (String, JoinHandle<bool>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("localhost:{}", listener.local_addr().unwrap().port());
    let accepted = tokio::spawn(async move {
        let (connection, _) = listener.accept().await.unwrap();
        TlsAcceptor::from(Arc::new(config)).accept(connection).await.is_ok()
    });
    (address, accepted)
}

fn assert_distrusted(error: &StoreError) {
    let StoreError::NotSent(Cause::Other(why)) = error else { panic!("{error:?}") };
    assert!(why.contains("certificate"), "{why}");
}

#[tokio::test]
async fn over_rest() {
    let (address, accepted) = self_signed().await;
    let builder = Upstash::builder(&format!("https://{address}"), "token").timeout(PATIENCE);
    let builder = builder.connect_timeout(PATIENCE).retry(RetryPolicy::none());
    let store = builder.build().unwrap();
    assert_distrusted(&store.execute(acquire("job", "a.1#1")).await.unwrap_err());
    assert!(!accepted.await.unwrap());
}

#[tokio::test]
async fn over_tcp() {
    let (address, accepted) = self_signed().await;
    let builder = TcpBuilder::new(&format!("rediss://{address}")).unwrap();
    let store = builder.connect_timeout(PATIENCE).retry(RetryPolicy::none()).build().unwrap();
    assert_distrusted(&store.execute(acquire("job", "a.1#1")).await.unwrap_err());
    assert!(!accepted.await.unwrap());
}
