//! Whether there is TLS, and who does its cryptography.

use crate::error::SetupError;

/// That a client can be made that needs TLS, if it does.
///
/// # Errors
///
/// [`SetupError::NoTls`], where the client would panic or fail with each connection.
pub(crate) fn check(needed: bool) -> Result<(), SetupError> {
    if needed && !is_there() { Err(SetupError::NoTls) } else { Ok(()) }
}

#[cfg(feature = "rustls-no-provider")]
fn is_there() -> bool {
    use rustls::crypto::CryptoProvider;
    // The client would do that itself, but for a program that has two providers.
    #[cfg(feature = "rustls")]
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    CryptoProvider::get_default().is_some()
}

#[cfg(not(feature = "rustls-no-provider"))]
fn is_there() -> bool {
    false
}
