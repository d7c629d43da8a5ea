//! Bugs of what the server does: our scripts with a piece or two replaced.

use bytes::Bytes;
use leasehold_core::{Command, Reply, StoreError, redis as wire};

use super::Mutant;
use leasehold_fake_redis::Redis;

/// A piece of a script, and what is there instead.
struct Edit {
    script: &'static str,
    from: &'static str,
    to: &'static str,
}

const fn edit(script: &'static str, from: &'static str, to: &'static str) -> Edit {
    Edit { script, from, to }
}

/// Applies `command` as the faulty script does, if `mutant` has one for it.
pub(crate) fn serve(
    mutant: Mutant,
    redis: &mut Redis,
    wall_us: u64,
    command: &Command,
) -> Option<Result<Reply, StoreError>> {
    let invocation = match wire::encode(command) {
        wire::Request::Script(invocation) => invocation,
        wire::Request::Pipeline(pipeline) => pipeline.script,
        wire::Request::Plain(_) => return None,
    };
    let script = invocation.script;
    let mut edits = edits(mutant).iter().filter(|edit| edit.script == script.name).peekable();
    edits.peek()?;
    let text = edits.fold(script.text.to_owned(), |text, edit| text.replace(edit.from, edit.to));
    let count = invocation.keys.len().to_string();
    let mut arguments = vec![Bytes::from_static(b"EVAL"), text.into(), count.into()];
    arguments.extend(invocation.keys.into_iter().chain(invocation.args).map(Bytes::from));
    Some(wire::decode(command, redis.execute(wall_us, &arguments).into()))
}

const ACQUIRE: &str = "lock.acquire";
const EXTEND: &str = "lock.extend";
const RELEASE: &str = "lock.release";
const LEAN_ACQUIRE: &str = "lock.lean_acquire";
const LEAN_RELEASE: &str = "lock.lean_release";
const CALL: &str = "debounce.call";
const CLAIM: &str = "debounce.claim";
const FINISH: &str = "debounce.finish";

const IF_HELD: &str = "if not taken then";
const IS_MINE: &str = "redis.call('GET', KEYS[1]) == ARGV[1]";
const IF_NOT_MINE: &str = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then";
const IF_SHORTER: &str = "if remaining >= 0 and remaining < tonumber(ARGV[2]) then";
const SET_IF_FREE: &str = "redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX')";
const SET_EXPIRY: &str = "redis.call('PEXPIRE', KEYS[1], ARGV[2])";

const IGNORE_TOMBSTONE: Edit = edit(ACQUIRE, "if tombstone and", "if false and");
const DELETE_ANY: Edit = edit(RELEASE, IS_MINE, "redis.call('EXISTS', KEYS[1]) == 1");
const CREATE_AGAIN: Edit = edit(
    EXTEND,
    IF_NOT_MINE,
    "redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
     if redis.call('GET', KEYS[1]) ~= ARGV[1] then",
);

fn edits(mutant: Mutant) -> &'static [Edit] {
    match mutant {
        Mutant::Canary => const { &[edit(ACQUIRE, ", 'NX')", ")")] },
        Mutant::BareDelete | Mutant::TwoTripRelease => const { &[DELETE_ANY] },
        Mutant::FixedOwner | Mutant::NoMark => const { &[IGNORE_TOMBSTONE] },
        Mutant::ExtendRecreates | Mutant::HeartbeatRearms => const { &[CREATE_AGAIN] },
        Mutant::ExpireAfterwards => {
            const {
                &[
                    edit(ACQUIRE, SET_IF_FREE, "redis.call('SET', KEYS[1], ARGV[1], 'NX')"),
                    edit(EXTEND, IF_SHORTER, "if remaining < tonumber(ARGV[2]) then"),
                ]
            }
        }
        Mutant::AdditiveExtend => {
            const {
                &[
                    edit(EXTEND, IF_SHORTER, "if remaining >= 0 then"),
                    edit(EXTEND, SET_EXPIRY, "redis.call('PEXPIRE', KEYS[1], remaining + ARGV[2])"),
                ]
            }
        }
        Mutant::ExtendInSeconds => {
            const {
                let whole = "redis.call('EXPIRE', KEYS[1], math.floor(ARGV[2] / 1000))";
                &[edit(EXTEND, SET_EXPIRY, whole)]
            }
        }
        Mutant::NoPositiveCheck => const { &[edit(EXTEND, IF_SHORTER, "if true then")] },
        Mutant::CountedReentry => COUNTED_REENTRY,
        Mutant::CountedFences => {
            const { &[edit(ACQUIRE, "time[1] .. string.sub('00000' .. time[2], -6)", "'1'")] }
        }
        Mutant::MarkBeforeFree => MARK_BEFORE_FREE,
        Mutant::ForgetfulRelease => const { &[edit(RELEASE, "or old == released)", ")")] },
        Mutant::LeanBareDelete => const { &[edit(LEAN_RELEASE, IF_NOT_MINE, "if false then")] },
        Mutant::LeanBareExtend => const { &[edit(EXTEND, IF_NOT_MINE, "if false then")] },
        Mutant::ClientsFence => CLIENTS_FENCE,
        Mutant::PrefixCompare => PREFIX_COMPARE,
        Mutant::OwnLeaseTakeover => OWN_LEASE_TAKEOVER,
        _ => debounce_edits(mutant),
    }
}

const COUNTED_REENTRY: &[Edit] = &[
    edit(
        ACQUIRE,
        "local last = redis.call('GET', KEYS[2])",
        "redis.call('INCR', KEYS[1] .. ':holds')
         local last = redis.call('GET', KEYS[2])",
    ),
    edit(
        ACQUIRE,
        "local time = redis.pcall('TIME')",
        "if taken then redis.call('SET', KEYS[1] .. ':holds', 1) end
         local time = redis.pcall('TIME')",
    ),
    edit(
        RELEASE,
        "redis.call('DEL', KEYS[1])",
        "if redis.call('DECR', KEYS[1] .. ':holds') <= 0 then redis.call('DEL', KEYS[1]) end",
    ),
];

/// The tombstone is the first that is written.
const MARK_BEFORE_FREE: &[Edit] = &[edit(
    RELEASE,
    "local freed =",
    "redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
     local freed =",
)];

/// Client 0 is called `job`, client 2 `job-2`.
const PREFIX_COMPARE: &[Edit] = &[edit(
    ACQUIRE,
    IF_HELD,
    "local function name(token)
       local client = string.match(token, '^%d+')
       return client == '0' and 'job' or 'job-' .. client
     end
     local mine = name(ARGV[1])
     if not taken and string.sub(name(redis.call('GET', KEYS[1])), 1, #mine) == mine then
       taken = redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
     end
     if not taken then",
)];

/// The clock of each client is 10 s behind that of the one before it.
const CLIENTS_FENCE: &[Edit] = &[edit(
    LEAN_ACQUIRE,
    "time[1] .. string.sub('00000' .. time[2], -6)",
    "string.format(
       '%.0f', time[1] * 1000000 + time[2] - 10000000 * string.match(ARGV[1], '^%d+'))",
)];

/// The last fence says when the lock was taken.
const OWN_LEASE_TAKEOVER: &[Edit] = &[edit(
    ACQUIRE,
    IF_HELD,
    "local clock = redis.call('TIME')
     local since = tonumber(redis.call('GET', KEYS[2]) or '0')
     if not taken and clock[1] * 1000000 + clock[2] - since > ARGV[2] * 1000 then
       taken = redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
     end
     if not taken then",
)];

fn debounce_edits(mutant: Mutant) -> &'static [Edit] {
    match mutant {
        Mutant::UnnamedCall => {
            const { &[edit(CALL, "local before = redis.call('GET', memo)", "local before = false")] }
        }
        Mutant::TicketWithoutEpoch => {
            const { &[edit(CALL, "or math.max(seq + 1, now)", "or seq + 1")] }
        }
        Mutant::VisibleBeforeArmed => VISIBLE_BEFORE_ARMED,
        Mutant::LateCopyOverwrites => LATE_COPY_OVERWRITES,
        Mutant::ClampPastMaxWait => CLAMP_PAST_MAX_WAIT,
        Mutant::FirstCallerBounds => FIRST_CALLER_BOUNDS,
        Mutant::BoundFromLast => {
            const { &[edit(CALL, "math.min(at, first + max", "math.min(at, now + max")] }
        }
        Mutant::UnclampedRun => {
            const { &[edit(CLAIM, "if f[7] and lease_end > now +", "if false and lease_end > now +")] }
        }
        Mutant::ImmortalMemo => {
            const { &[edit(CALL, "'SET', memo, mine, 'PX', ARGV[8]", "'SET', memo, mine")] }
        }
        Mutant::WaitFromFirst => {
            const {
                &[edit(
                    CALL,
                    "due, lead = bounded(now + wait)",
                    "due, lead = bounded(first + wait)",
                )]
            }
        }
        Mutant::CallDuringRunIsDropped => CALL_DURING_RUN_IS_DROPPED,
        Mutant::UnownedClear => UNOWNED_CLEAR,
        Mutant::EveryWaiterTakesOver => EVERY_WAITER_TAKES_OVER,
        Mutant::FirstArguments => {
            const {
                let first =
                    "'args', redis.call('HGET', record, 'args') or ARGV[1], 'due', text(due)";
                &[edit(CALL, "'args', ARGV[1], 'due', text(due)", first)]
            }
        }
        Mutant::SettledBeforeRun => SETTLED_BEFORE_RUN,
        _ => &[],
    }
}

const VISIBLE_BEFORE_ARMED: &[Edit] = &[edit(
    CALL,
    "local life = ms_to(math.max(due, window, lease_end)) + tonumber(ARGV[7])",
    "if again == 0 then redis.call('HDEL', record, 'due') end
     local life = ms_to(math.max(due, window, lease_end)) + tonumber(ARGV[7])",
)];

const LATE_COPY_OVERWRITES: &[Edit] = &[edit(
    CALL,
    "elseif again == 0 and before then",
    "elseif again == 0 and before then
       if due then redis.call('HSET', record, 'args', ARGV[1]) end",
)];

const CLAMP_PAST_MAX_WAIT: &[Edit] = &[edit(
    CALL,
    "local function bounded(at) return max and math.min(at, first + max * 1000) or at end",
    "local function bounded(at)
       return math.max(now + 1000000, max and math.min(at, first + max * 1000) or at)
     end",
)];

const FIRST_CALLER_BOUNDS: &[Edit] = &[edit(
    CALL,
    "local function bounded(at) return max and math.min(at, first + max * 1000) or at end",
    "local function bounded(at)
       return max and first == now and math.min(at, first + max * 1000) or at
     end",
)];

const CALL_DURING_RUN_IS_DROPPED: &[Edit] = &[edit(
    CALL,
    "local function bounded(at)",
    "if again == 0 and lease_end > now then
       redis.call('SET', memo, text(run_seq), 'PX', ARGV[8])
       return {'armed', text(run_seq), 0}
     end
     local function bounded(at)",
)];

const UNOWNED_CLEAR: &[Edit] = &[edit(
    FINISH,
    "redis.call('SET', memo, outcome, 'PX', ARGV[8])",
    "if outcome == 'finished' then redis.call('DEL', record) end
     redis.call('SET', memo, outcome, 'PX', ARGV[8])",
)];

const EVERY_WAITER_TAKES_OVER: &[Edit] = &[edit(
    CLAIM,
    "seq, args, due = run_seq, f[9], now",
    "do return {'claimed', text(run_seq), text(now), f[9], tonumber(ARGV[3])} end",
)];

const SETTLED_BEFORE_RUN: &[Edit] = &[edit(
    CLAIM,
    "redis.call('HSET', record, 'runner', runner, 'run_seq', text(seq), 'run_args', args,
  'until', text(now + lease), 'lease', text(lease), 'fence', text(fence))",
    "redis.call('HSET', record, 'done', text(seq), 'fence', text(fence))",
)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_piece_that_is_replaced_is_there_once() {
        for &mutant in Mutant::ALL {
            for edit in edits(mutant) {
                let script = wire::SCRIPTS.iter().find(|script| script.name == edit.script);
                let text = script.expect("the script is known").text;
                assert_eq!(text.matches(edit.from).count(), 1, "{}: {}", mutant.id(), edit.from);
            }
        }
    }
}
