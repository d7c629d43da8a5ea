//! `SLOWLOG`. By the server's clock a command takes no time, unless it is told to sleep.

use bytes::Bytes;

use super::Connection;
use crate::{
    command::{Flags, Spec},
    service::SlowCommand,
};

/// How many arguments of a command are kept, and how much of each.
const ARGUMENTS: usize = 32;
const ARGUMENT: usize = 128;

impl Connection<'_> {
    /// Puts a command into the log.
    pub(crate) fn note_slow(&mut self, spec: &Spec, arguments: &[Bytes], took_us: u64) {
        if spec.flags.contains(Flags::SKIP_SLOWLOG)
            || !self.server.service().slow_log.wants(took_us)
        {
            return;
        }
        let session = self.session();
        let (address, name) = (session.address.clone(), session.name.clone());
        let at_s = self.now_us / 1_000_000;
        let log = &mut self.server.service_mut().slow_log;
        let arguments = shown(spec, arguments);
        log.add(SlowCommand { number: 0, at_s, took_us, arguments, address, name });
    }
}

/// The arguments without secrets, and not all of them if there are very many.
fn shown(spec: &Spec, arguments: &[Bytes]) -> Vec<Bytes> {
    let secret_from = secret_from(spec, arguments);
    let all = arguments.len() <= ARGUMENTS;
    let kept = if all { arguments.len() } else { ARGUMENTS - 1 };
    let short = |(index, argument): (usize, &Bytes)| {
        if index >= secret_from {
            return Bytes::from_static(b"(redacted)");
        }
        match argument.len().checked_sub(ARGUMENT) {
            None | Some(0) => Bytes::copy_from_slice(argument),
            Some(more) => {
                let text = format!("... ({more} more bytes)");
                [&argument[..ARGUMENT], text.as_bytes()].concat().into()
            }
        }
    };
    let mut shown: Vec<_> = arguments.iter().enumerate().take(kept).map(short).collect();
    if !all {
        shown.push(format!("... ({} more arguments)", arguments.len() - kept).into());
    }
    shown
}

/// From which argument on a password may be among them.
fn secret_from(spec: &Spec, arguments: &[Bytes]) -> usize {
    let is = |name: &[u8]| arguments[0].eq_ignore_ascii_case(name);
    match spec.name {
        "auth" => 1,
        "hello" => 2,
        "setuser" => 3,
        "set" if is(b"config") => 3,
        _ => usize::MAX,
    }
}
