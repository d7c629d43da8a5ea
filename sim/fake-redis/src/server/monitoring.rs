//! `MONITOR`: every command, shown to whoever asked to see them.

use bytes::Bytes;

use super::{Connection, Delivery, Server, SessionId};
use crate::{
    Resp,
    command::{Flags, Spec},
    service::Overheard,
};

impl Server {
    /// Shows `id` every command from now on.
    pub(crate) fn monitor(&mut self, id: SessionId) {
        self.monitors.insert(id);
    }

    pub(crate) fn stop_monitoring(&mut self, id: SessionId) {
        self.monitors.remove(&id);
    }

    pub(crate) fn is_monitor(&self, id: SessionId) -> bool {
        self.monitors.contains(&id)
    }
}

impl Connection<'_> {
    /// Shows a script that is about to run to all monitors, who then are shown what it runs.
    pub(super) fn show_script(&mut self, spec: &Spec, arguments: &[Bytes]) {
        if !self.server.monitors.is_empty() && spec.name.starts_with("eval") {
            self.tell_monitors(self.line(spec.name, arguments));
            self.server.redis.overheard = Some(Overheard::default());
        }
    }

    /// Shows a command that was run to all monitors. Those of operators are not shown.
    pub(super) fn show(&mut self, spec: &Spec, arguments: &[Bytes]) {
        let overheard = self.server.redis.overheard.take().unwrap_or_default();
        if overheard.is_too_much() {
            self.server.closed.extend(std::mem::take(&mut self.server.monitors));
        }
        for (database, arguments) in overheard.into_commands() {
            let begin = format!("{} [{database} lua]", self.time());
            self.tell_monitors(arguments.iter().fold(begin, |line, it| line + " " + &quoted(it)));
        }
        let hidden = spec.flags.intersects(Flags::ADMIN | Flags::SKIP_MONITOR);
        if !self.server.monitors.is_empty() && !hidden {
            self.tell_monitors(self.line(spec.name, arguments));
        }
    }

    /// Shows an `EXEC` that was refused, so that monitors see the transaction end.
    pub(super) fn show_refused_exec(&mut self, arguments: &[Bytes]) {
        if !self.server.monitors.is_empty() {
            self.tell_monitors(self.line("exec", arguments));
        }
    }

    fn tell_monitors(&mut self, line: String) {
        let resp = Resp::Simple(line.into());
        for session in &self.server.monitors {
            let delivery = Delivery { session: *session, resp: resp.clone(), unblocks: false };
            self.server.deliveries.push(delivery);
        }
    }

    fn line(&self, name: &str, arguments: &[Bytes]) -> String {
        let (database, address) = (self.session().database, &self.session().address);
        let mut line = format!("{} [{database} {address}]", self.time());
        let secret = matches!(name, "auth" | "hello");
        for (index, argument) in arguments.iter().enumerate() {
            // A password may be anywhere but in the name and the version.
            let shown = if secret && index > usize::from(name == "hello") {
                &b"(redacted)"[..]
            } else {
                argument
            };
            line.push(' ');
            line.push_str(&quoted(shown));
        }
        line
    }

    fn time(&self) -> String {
        format!("{}.{:06}", self.now_us / 1_000_000, self.now_us % 1_000_000)
    }
}

/// An argument in quotes, on one line.
fn quoted(argument: &[u8]) -> String {
    let mut text = String::with_capacity(argument.len() + 2);
    text.push('"');
    for &byte in argument {
        match byte {
            b'\\' | b'"' => text.extend(['\\', byte.into()]),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            7 => text.push_str("\\a"),
            8 => text.push_str("\\b"),
            b' '..=b'~' => text.push(byte.into()),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text.push('"');
    text
}
