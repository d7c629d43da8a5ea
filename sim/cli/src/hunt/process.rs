//! One run of a command: its output, its time, and its end with everything that it started.

use std::{
    collections::VecDeque,
    ffi::OsString,
    io,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
};

/// How much of the output is kept.
const TAIL: usize = 64 << 10;

/// How long to wait for output that is still on its way once the command has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// The variable by which whatever a run has started is found again.
pub(super) const MARK: &str = "LEASEHOLD_HUNT";

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    By(ExitStatus),
    /// It did not end in time.
    TimedOut,
    /// The hunt did not wait for it.
    Stopped,
}

#[derive(Clone, Debug)]
pub(super) struct Finished {
    pub(super) ended: Ended,
    /// The last of what it printed, on both ways.
    pub(super) tail: String,
    /// Whether processes had to be ended that it had left behind.
    pub(super) left_behind: bool,
}

/// Runs a command until it ends, its time is over, or `stop` completes; then nothing of it runs any
/// more.
pub(super) async fn run(
    words: &[OsString],
    environment: &[(String, String)],
    mark: &str,
    timeout: Duration,
    stop: impl Future<Output = ()>,
) -> io::Result<Finished> {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).envs(environment.iter().cloned()).env(MARK, mark);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn()?;
    let leader = child.id();
    let tail = Arc::<Mutex<Tail>>::default();
    let readers = [
        child.stdout.take().map(|from| tokio::spawn(drain(from, Arc::clone(&tail)))),
        child.stderr.take().map(|from| tokio::spawn(drain(from, Arc::clone(&tail)))),
    ];
    let ended = tokio::select! {
        status = child.wait() => Ended::By(status?),
        () = tokio::time::sleep(timeout) => Ended::TimedOut,
        () = stop => Ended::Stopped,
    };
    let left_behind = end(&mut child, leader, mark).await;
    let last_words = async {
        for reader in readers.into_iter().flatten() {
            // It only ends by itself: it neither panics nor is cancelled.
            let _ = reader.await;
        }
    };
    // Whoever is beyond our reach may keep the pipe open.
    let _ = tokio::time::timeout(LAST_WORDS, last_words).await;
    let tail = tail.lock().unwrap_or_else(PoisonError::into_inner).text();
    Ok(Finished { left_behind: left_behind && matches!(ended, Ended::By(_)), ended, tail })
}

/// Ends the command and all that it started; whether anything but itself was left.
async fn end(child: &mut Child, leader: Option<u32>, mark: &str) -> bool {
    let mut left = end_group(leader);
    left |= end_marked(leader.unwrap_or(0), mark);
    // It is dead or dying: there is nothing to be told of.
    let _ = child.start_kill();
    let _ = child.wait().await;
    left
}

#[cfg(unix)]
fn end_group(leader: Option<u32>) -> bool {
    use nix::{
        sys::signal::{Signal, killpg},
        unistd::Pid,
    };
    let group = leader.and_then(|leader| i32::try_from(leader).ok());
    group.is_some_and(|group| killpg(Pid::from_raw(group), Signal::SIGKILL).is_ok())
}

#[cfg(not(unix))]
fn end_group(_: Option<u32>) -> bool {
    false
}

/// Ends the processes that have left their group, such as daemons: those that were started after
/// `leader` and carry the mark.
#[cfg(target_os = "linux")]
pub(super) fn end_marked(leader: u32, mark: &str) -> bool {
    use nix::{
        sys::signal::{Signal, kill},
        unistd::Pid,
    };
    /// While we look, one may start another.
    const ROUNDS: usize = 20;
    let mark = format!("{MARK}={mark}");
    let mut any = false;
    for _ in 0..ROUNDS {
        let Ok(processes) = std::fs::read_dir("/proc") else { return any };
        let numbers =
            processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let is_ours = |number: &u32| {
            *number > leader && *number != std::process::id() && carries(*number, mark.as_bytes())
        };
        let ours: Vec<u32> = numbers.filter(is_ours).collect();
        if ours.is_empty() {
            return any;
        }
        any = true;
        for process in ours.into_iter().filter_map(|number| i32::try_from(number).ok()) {
            // It may have ended meanwhile.
            let _ = kill(Pid::from_raw(process), Signal::SIGKILL);
        }
    }
    any
}

#[cfg(not(target_os = "linux"))]
pub(super) fn end_marked(_: u32, _: &str) -> bool {
    false
}

/// Whether a process has a variable that begins like this.
#[cfg(target_os = "linux")]
fn carries(process: u32, mark: &[u8]) -> bool {
    let environment = std::fs::read(format!("/proc/{process}/environ"));
    environment.is_ok_and(|all| all.split(|byte| *byte == 0).any(|one| one.starts_with(mark)))
}

/// The last bytes of an output.
#[derive(Debug, Default)]
struct Tail {
    bytes: VecDeque<u8>,
    cut: bool,
}

impl Tail {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        let over = self.bytes.len().saturating_sub(TAIL);
        self.cut |= over > 0;
        self.bytes.drain(..over);
    }

    fn text(&mut self) -> String {
        let text = String::from_utf8_lossy(self.bytes.make_contiguous());
        // The first line of what is left is half a line.
        match text.split_once('\n').filter(|_| self.cut) {
            Some((_, rest)) => rest.to_owned(),
            None => text.into_owned(),
        }
    }
}

async fn drain(mut from: impl AsyncRead + Unpin, tail: Arc<Mutex<Tail>>) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        tail.lock().unwrap_or_else(PoisonError::into_inner).push(&buffer[..read]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_lines_of_the_end_are_kept() {
        let mut tail = Tail::default();
        tail.push(b"first\nlast");
        assert_eq!(tail.text(), "first\nlast");
        tail.push(&[b'x'; TAIL]);
        tail.push(b"\nend");
        assert_eq!(tail.text(), "end");
    }
}
