//! What `leasehold serve` listens to over HTTP.

use std::sync::Arc;

use clap::Args;
use tokio::net::TcpListener;

use super::{Failure, page};
use leasehold_fake_redis::serve::{
    Host,
    admin::{self, AdminToken},
    rest::{self, Tokens},
};

#[derive(Debug, Args)]
pub(super) struct Web {
    /// Where to listen for REST; port 0 is any.
    #[arg(long, value_name = "ADDR")]
    rest: Option<String>,
    /// Of REST clients.
    ///
    /// Their token. Without it any will do, and none.
    #[arg(long, value_name = "T", env = "LEASEHOLD_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// To read only.
    ///
    /// The token of REST clients that may not write.
    #[arg(long, value_name = "R", env = "LEASEHOLD_READ_ONLY_TOKEN", hide_env_values = true)]
    read_only_token: Option<String>,
    /// Where tests inject faults.
    ///
    /// They also move the clock. Needs `--admin-token`.
    #[arg(long, value_name = "ADDR")]
    admin: Option<String>,
    /// Of those tests.
    ///
    /// Their token.
    #[arg(long, value_name = "A", env = "LEASEHOLD_ADMIN_TOKEN", hide_env_values = true)]
    admin_token: Option<String>,
}

impl Web {
    pub(super) fn rest(&self) -> Option<&str> {
        self.rest.as_deref()
    }

    pub(super) fn admin(&self) -> Option<&str> {
        self.admin.as_deref()
    }

    /// Starts what was asked for.
    pub(super) fn listen(
        &self,
        host: &Arc<Host>,
        rest: Option<TcpListener>,
        admin: Option<TcpListener>,
    ) -> Result<(), Failure> {
        let some = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        if let Some(listener) = admin {
            let token = some(&self.admin_token).ok_or_else(|| {
                Failure::Use("give --admin-token too, or set LEASEHOLD_ADMIN_TOKEN".into())
            })?;
            // From now on, not only from the first time that the task runs.
            host.keep_records();
            let token = AdminToken::new(token);
            tokio::spawn(admin::listen_with_page(Arc::clone(host), token, page::of, listener));
        }
        if let Some(listener) = rest {
            let tokens = Tokens::new(some(&self.token), some(&self.read_only_token));
            tokio::spawn(rest::listen(Arc::clone(host), tokens, listener));
        }
        Ok(())
    }
}
