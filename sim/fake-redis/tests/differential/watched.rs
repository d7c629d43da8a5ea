//! Which commands touch a key that somebody watches, by what a real server does: those that change
//! nothing among them.

use bytes::Bytes;

use crate::{
    fake::{Fake, START_US},
    real::{Link, RealRedis},
    reply::Reply,
};

/// What is there before each command.
const SETUP: &str = "\
SET s 10
HSET h f 1
RPUSH l a b
RPUSH one a
SADD t a b 1
SADD t2 a z
ZADD z 1 a 2 b
XADD x 1-1 f v
XADD x 1-2 f v
XGROUP CREATE x g 0
XREADGROUP GROUP g c COUNT 1 STREAMS x >";

/// Variants of each command that writes, most of which find nothing to do.
const LINES: &str = "\
SET s 10
SET s 10 NX
SET none v XX
SET none v XX GET
SETNX s v
SETNX none v
MSETNX s v none v
MSET s 10
GETSET s 10
GETEX s
GETEX s PERSIST
GETEX s EX 100
GETEX s PX 0
GETEX none EX 100
GETDEL none
GETDEL s
APPEND s a
SETRANGE s 0 1
SETBIT s 0 0
SETBIT none 0 0
INCRBY s 0
DECRBY s 0
INCRBYFLOAT s 0
INCR h
DEL none
UNLINK none
UNLINK s
EXPIRE none 10
EXPIRE s 100
EXPIRE s 100 XX
EXPIRE s 100 NX
EXPIRE s 100 GT
EXPIRE s 100 LT
EXPIRE s -1
EXPIRE s -1 GT
EXPIREAT s 1
PERSIST s
PERSIST none
RENAME s s
RENAMENX s s
RENAMENX s h
RENAME none s
COPY s h
COPY s none
COPY none s REPLACE
COPY s h REPLACE
MOVE s 1
MOVE none 1
TOUCH s
SORT l ALPHA STORE none
SORT none STORE none
SORT none STORE s
SORT l ALPHA
SWAPDB 0 1
SWAPDB 1 2
SWAPDB 0 0
FLUSHDB
FLUSHALL
HSET h f 1
HSETNX h f 2
HSETNX none f 1
HMSET h f 1
HDEL h g
HDEL none g
HDEL h f
HINCRBY h f 0
HINCRBYFLOAT h f 0
HINCRBY h s x
LPUSHX none a
RPUSHX none a
LPOP l 0
RPOP l 0
LPOP none
RPOP none 0
LREM l 0 z
LREM none 0 a
LSET l 0 a
LSET none 0 a
LSET l 9 a
LTRIM l 0 -1
LTRIM l 5 6
LTRIM none 0 -1
LINSERT l BEFORE z y
LINSERT none BEFORE z y
LMOVE l l LEFT LEFT
LMOVE l l LEFT RIGHT
LMOVE one one LEFT RIGHT
LMOVE none l LEFT LEFT
RPOPLPUSH one one
RPOPLPUSH none l
BLMOVE one one LEFT RIGHT 1
BRPOPLPUSH one one 1
BLPOP none l 1
LMPOP 1 none LEFT
LMPOP 2 none l LEFT
SADD t a
SREM t q
SREM none q
SMOVE t t2 q
SMOVE t t2 a
SMOVE t t2 b
SMOVE t t a
SMOVE t t q
SMOVE none t a
SMOVE t none a
SPOP t 0
SPOP none
SPOP none 2
SINTERSTORE t t t
SINTERSTORE none none t
SINTERSTORE t none none
SUNIONSTORE none none none
SUNIONSTORE t t
SDIFFSTORE t t t
SDIFFSTORE none t t
ZADD z 1 a
ZADD z CH 1 a
ZADD z NX 5 a
ZADD z XX 5 q
ZADD none XX 5 q
ZADD z GT 0 a
ZADD z LT 9 a
ZADD z INCR 0 a
ZADD z NX INCR 1 a
ZADD z XX INCR 1 q
ZINCRBY z 0 a
ZREM z q
ZREM none q
ZPOPMIN z 0
ZPOPMIN none
ZPOPMAX none 3
BZPOPMIN none z 1
ZREMRANGEBYSCORE z 50 60
ZREMRANGEBYSCORE none 50 60
ZREMRANGEBYRANK z 5 6
ZREMRANGEBYLEX z [x [y
ZUNIONSTORE none 1 none
ZUNIONSTORE z 1 z
ZUNIONSTORE z 1 none
ZINTERSTORE z 2 z none
ZINTERSTORE none 2 z none
ZDIFFSTORE z 2 z z
ZDIFFSTORE none 2 z z
ZRANGESTORE none z 5 6
ZRANGESTORE z z 5 6
ZRANGESTORE z z 0 -1
ZMPOP 1 none MIN
ZMPOP 2 none z MIN
XADD x NOMKSTREAM 2-1 f v
XADD none NOMKSTREAM * f v
XADD x 1-1 f v
XDEL x 5-5
XDEL x 1-1
XDEL none 1-1
XTRIM x MAXLEN 100
XTRIM x MAXLEN ~ 1
XTRIM x MAXLEN 1
XTRIM x MINID 0
XTRIM none MAXLEN 0
XSETID x 1-2
XSETID x 9-9
XSETID x 1-1
XGROUP CREATE x g $
XGROUP CREATE x g2 $
XGROUP CREATE none g2 $ MKSTREAM
XGROUP CREATE none g2 $
XGROUP CREATECONSUMER x g c
XGROUP CREATECONSUMER x g c2
XGROUP DELCONSUMER x g c
XGROUP DELCONSUMER x g c2
XGROUP DESTROY x g
XGROUP DESTROY x g2
XGROUP SETID x g 0
XGROUP SETID x g2 0
XACK x g 1-1
XACK x g 5-5
XACK none g 1-1
XREADGROUP GROUP g c STREAMS x >
XREADGROUP GROUP g c2 STREAMS x >
XREADGROUP GROUP g c NOACK STREAMS x >
XREADGROUP GROUP g c STREAMS x 0
XREADGROUP GROUP g c2 STREAMS x 0
XREADGROUP GROUP g2 c STREAMS x >
XREAD STREAMS x 0
XCLAIM x g c 0 1-1
XCLAIM x g c2 0 1-1
XCLAIM x g c2 9999 1-1
XCLAIM x g c2 0 5-5
XCLAIM x g c2 0 5-5 FORCE
XAUTOCLAIM x g c2 0 0
XAUTOCLAIM x g c2 9999 0
EVAL return(1) 1 s
EVAL return(redis.call('sadd',KEYS[1],'a')) 1 t
EVAL return(redis.call('del',KEYS[1])) 1 none
PUBLISH s v
PING s v";

const KEYS: [&str; 9] = ["s", "h", "l", "one", "t", "t2", "z", "x", "none"];

/// What is different, line by line. Of `planted` the opposite is taken for what the fake does.
pub(crate) fn differences(real: &RealRedis, planted: &str) -> Vec<String> {
    let (mut writer, mut watcher) = (real.connect(), real.connect());
    real.set_clock(START_US);
    let mut differences = Vec::new();
    for line in LINES.lines() {
        for key in KEYS.iter().filter(|key| line.split([' ', '\'']).any(|word| word == **key)) {
            let asked = |line: &str| -> Vec<Bytes> {
                line.split(' ').map(|word| word.to_owned().into()).collect()
            };
            let mut fake = Fake::new();
            let ours = touched(line, key, |who, line| {
                let reply = fake.execute(who, &asked(line)).replies.pop();
                reply.expect("nothing waits")
            });
            let theirs = touched(line, key, |who, line| {
                let link: &mut Link = if who == 0 { &mut writer } else { &mut watcher };
                link.ask(line)
            });
            let ours = ours != (line == planted);
            if ours != theirs {
                let [ours, theirs] = [ours, theirs].map(|it| if it { "touched" } else { "left" });
                differences.push(format!("{line}: {key} is {ours}, and by a real server {theirs}"));
            }
        }
    }
    differences
}

/// Whether `line` touches `key`, by what somebody is told who watches it.
fn touched(line: &str, key: &str, mut ask: impl FnMut(usize, &str) -> Reply) -> bool {
    ask(0, "FLUSHALL");
    for line in SETUP.lines() {
        ask(0, line);
    }
    ask(1, &format!("WATCH {key}"));
    ask(0, line);
    ask(1, "MULTI");
    ask(1, "PING");
    !matches!(ask(1, "EXEC"), Reply::Array(replies) if replies.len() == 1)
}
