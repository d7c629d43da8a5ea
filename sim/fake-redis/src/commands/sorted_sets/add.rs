//! Adding members and changing scores.

use bytes::Bytes;

use super::{Answer, Call, Refusal, Resp, Score, SortedSet, count, float, score, word};

/// The options of `ZADD`.
#[derive(Debug, Default)]
struct Options {
    only_new: bool,
    only_known: bool,
    greater: bool,
    less: bool,
    count_changed: bool,
    increment: bool,
}

/// What `ZADD` did to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Added(Score),
    Changed(Score),
    Same(Score),
    Refused,
}

pub(super) fn zadd(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let (options, pairs) = Options::parse(&arguments[2..])?;
    if options.increment && pairs.len() > 2 {
        let text = "ERR INCR option supports a single increment-element pair";
        return Err(Refusal(text.into()));
    }
    let pairs = scores(pairs)?;
    add(call, &arguments[1], &options, &pairs)
}

pub(super) fn zincrby(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let options = Options { increment: true, ..Options::default() };
    // Read as the options that `ZADD` takes, of which there is no use here.
    if ["NX", "XX", "GT", "LT", "CH", "INCR"]
        .iter()
        .any(|name| arguments[2].eq_ignore_ascii_case(name.as_bytes()))
    {
        return Err(Refusal::SYNTAX);
    }
    let pairs = scores(&arguments[2..])?;
    add(call, &arguments[1], &options, &pairs)
}

/// The scores with their members.
fn scores(pairs: &[Bytes]) -> Result<Vec<(Score, &Bytes)>, Refusal> {
    let pair = |pair: &'_ [Bytes]| Score::new(float(&pair[0])?).ok_or(Refusal::NOT_A_FLOAT);
    pairs.chunks_exact(2).map(|both| Ok((pair(both)?, &both[1]))).collect()
}

fn add(call: &mut Call<'_>, key: &Bytes, options: &Options, pairs: &[(Score, &Bytes)]) -> Answer {
    let known = call.read::<SortedSet>(key)?;
    // Nothing is touched that would not change.
    let mut trial = known.map_or_else(|| Ok(true), |set| options.would_change(set, pairs))?;
    trial &= known.is_some() || !options.only_known;
    let effects = if trial {
        call.change(key, |set: &mut SortedSet| {
            let effects = pairs.iter().map(|(number, name)| options.apply(set, *number, name));
            effects.collect::<Result<Vec<_>, _>>()
        })??
    } else {
        let of =
            |(number, name): &(Score, &Bytes)| options.effect(known?.score(name), *number).ok();
        pairs.iter().map(|pair| of(pair).unwrap_or(Effect::Refused)).collect()
    };
    if options.increment {
        return Ok(match effects.first() {
            Some(Effect::Added(new) | Effect::Changed(new) | Effect::Same(new)) => score(*new),
            _ => Resp::Nil,
        });
    }
    let counted = |effect: &&Effect| match effect {
        Effect::Added(_) => true,
        Effect::Changed(_) => options.count_changed,
        Effect::Same(_) | Effect::Refused => false,
    };
    Ok(count(effects.iter().filter(counted).count()))
}

impl Options {
    /// The options, and the scores and members behind them.
    fn parse(arguments: &[Bytes]) -> Result<(Self, &[Bytes]), Refusal> {
        let mut options = Self::default();
        let mut rest = arguments;
        while let [option, behind @ ..] = rest {
            let flag = match &*word(option) {
                b"NX" => &mut options.only_new,
                b"XX" => &mut options.only_known,
                b"GT" => &mut options.greater,
                b"LT" => &mut options.less,
                b"CH" => &mut options.count_changed,
                b"INCR" => &mut options.increment,
                _ => break,
            };
            *flag = true;
            rest = behind;
        }
        if rest.is_empty() || !rest.len().is_multiple_of(2) {
            return Err(Refusal::SYNTAX);
        }
        if options.only_new && options.only_known {
            let text = "ERR XX and NX options at the same time are not compatible";
            return Err(Refusal(text.into()));
        }
        if u8::from(options.greater) + u8::from(options.less) + u8::from(options.only_new) > 1 {
            let text = "ERR GT, LT, and/or NX options at the same time are not compatible";
            return Err(Refusal(text.into()));
        }
        Ok((options, rest))
    }

    fn would_change(&self, set: &SortedSet, pairs: &[(Score, &Bytes)]) -> Result<bool, Refusal> {
        for (number, name) in pairs {
            if matches!(
                self.effect(set.score(name), *number)?,
                Effect::Added(_) | Effect::Changed(_)
            ) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn apply(&self, set: &mut SortedSet, number: Score, name: &[u8]) -> Result<Effect, Refusal> {
        let effect = self.effect(set.score(name), number)?;
        if let Effect::Added(new) | Effect::Changed(new) = effect {
            set.insert(name, new);
        }
        Ok(effect)
    }

    /// What becomes of a member that has this score now.
    fn effect(&self, old: Option<Score>, number: Score) -> Result<Effect, Refusal> {
        let Some(old) = old else {
            return Ok(if self.only_known { Effect::Refused } else { Effect::Added(number) });
        };
        if self.only_new {
            return Ok(Effect::Refused);
        }
        let new = if self.increment {
            Score::new(old.get() + number.get())
                .ok_or_else(|| Refusal("ERR resulting score is not a number (NaN)".into()))?
        } else {
            number
        };
        Ok(if self.greater && new <= old || self.less && new >= old {
            Effect::Refused
        } else if new == old {
            Effect::Same(new)
        } else {
            Effect::Changed(new)
        })
    }
}
