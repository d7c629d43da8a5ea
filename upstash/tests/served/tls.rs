//! Over TLS: with a certificate that is trusted, both stores work; a server that cannot show who it
//! is was sent nothing.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use leasehold_core::{Cause, Store, StoreError};
use leasehold_upstash::{
    RetryPolicy, Tcp, TcpBuilder, Upstash,
    redis::{self, TlsCertificates},
    reqwest::{self, tls::Certificate},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};

use crate::{
    acquire,
    fake::{Fake, LIMIT, TOKEN},
    take_and_release,
};

/// What shows the certificate of `localhost` that nobody has signed but itself, and that
/// certificate. It offers HTTP/2.
fn acceptor() -> (TlsAcceptor, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let certificate = STANDARD.encode(made.cert.der());
    let certificate =
        format!("-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n");
    (TlsAcceptor::from(Arc::new(config)), certificate)
}

/// A server whose certificate is not known: where it listens, and whether a client went on
/// nevertheless.
async fn self_signed() -> (String, JoinHandle<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("localhost:{}", listener.local_addr().unwrap().port());
    let accepted = tokio::spawn(async move {
        let (connection, _) = listener.accept().await.unwrap();
        acceptor().0.accept(connection).await.is_ok()
    });
    (address, accepted)
}

/// Listens in front of `server`, which it reaches in the clear: on which port, and the certificate.
async fn in_front_of(server: &str) -> (u16, String) {
    let (acceptor, certificate) = acceptor();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = server.split_once("//").unwrap().1.to_owned();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let (acceptor, server) = (acceptor.clone(), server.clone());
            tokio::spawn(async move {
                // One that does not trust it goes away.
                let Ok(mut outside) = acceptor.accept(connection).await else { return };
                let mut inside = TcpStream::connect(server).await.unwrap();
                let _ = copy_bidirectional(&mut outside, &mut inside).await;
            });
        }
    });
    (port, certificate)
}

/// A store with a client that trusts this certificate.
fn trusting(url: &str, certificate: &str) -> Upstash {
    let certificate = Certificate::from_pem(certificate.as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([certificate]).build().unwrap();
    let builder = Upstash::builder(url, TOKEN).client(client).retry(RetryPolicy::new().retries(0));
    builder.timeout(LIMIT).build().unwrap()
}

fn assert_distrusted(error: &StoreError) {
    let StoreError::NotSent(Cause::Unreachable(why)) = error else { panic!("{error:?}") };
    assert!(why.contains("certificate"), "{why}");
}

#[tokio::test]
async fn over_rest_a_certificate_that_a_client_trusts_will_do() {
    let fake = Fake::start().await;
    let (port, certificate) = in_front_of(&fake.rest).await;
    take_and_release(&trusting(&format!("https://localhost:{port}"), &certificate)).await;
    // It is that of another name.
    let store = trusting(&format!("https://127.0.0.1:{port}"), &certificate);
    assert_distrusted(&store.execute(acquire("job", "a.1#1")).await.unwrap_err());
    assert!(!fake.exists("job"));
}

#[tokio::test]
async fn over_tcp_a_certificate_that_a_client_trusts_will_do() {
    let fake = Fake::start().await;
    let (port, certificate) = in_front_of(&fake.resp).await;
    let trusting = |url: String| -> Tcp {
        let certificates =
            TlsCertificates { client_tls: None, root_cert: Some(certificate.clone().into()) };
        let client = redis::Client::build_with_tls(url, certificates).unwrap();
        let builder = TcpBuilder::from_client(client).retry(RetryPolicy::new().retries(0));
        builder.timeout(LIMIT).connect_timeout(LIMIT).build().unwrap()
    };
    take_and_release(&trusting(format!("rediss://localhost:{port}"))).await;
    let store = trusting(format!("rediss://127.0.0.1:{port}"));
    assert_distrusted(&store.execute(acquire("job", "a.1#1")).await.unwrap_err());
    assert!(!fake.exists("job"));
}

#[tokio::test]
async fn over_rest_nobody_who_signs_himself_is_trusted() {
    let (address, accepted) = self_signed().await;
    let builder = Upstash::builder(&format!("https://{address}"), "token").timeout(LIMIT);
    let builder = builder.connect_timeout(LIMIT).retry(RetryPolicy::new().retries(0));
    let store = builder.build().unwrap();
    assert_distrusted(&store.execute(acquire("job", "a.1#1")).await.unwrap_err());
    assert!(!accepted.await.unwrap());
}

#[tokio::test]
async fn over_tcp_nobody_who_signs_himself_is_trusted() {
    let (address, accepted) = self_signed().await;
    let builder = TcpBuilder::new(&format!("rediss://{address}")).unwrap();
    let store =
        builder.connect_timeout(LIMIT).retry(RetryPolicy::new().retries(0)).build().unwrap();
    assert_distrusted(&store.execute(acquire("job", "a.1#1")).await.unwrap_err());
    assert!(!accepted.await.unwrap());
}
