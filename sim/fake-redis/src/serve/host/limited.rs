//! How long a script may really run: as long as it does, nobody else is served.

use std::time::Duration;

use crate::{Server, lua};

/// As long as this lives, scripts of this thread are stopped after the setting `lua-time-limit`, in
/// milliseconds; 0: never.
#[derive(Debug)]
pub(super) struct Limited;

impl Limited {
    pub(super) fn of(server: &Server) -> Self {
        let text =
            server.config("lua-time-limit").or_else(|| server.config("busy-reply-threshold"));
        let millis = text.map_or(Some(5_000), |text| str::from_utf8(text).ok()?.parse().ok());
        let millis = millis.filter(|millis| *millis > 0);
        lua::limit_time(millis.map(Duration::from_millis));
        Self
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        lua::limit_time(None);
    }
}
