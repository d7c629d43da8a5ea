//! Differences, intersections and unions of sorted sets, and of sets, whose members score 1.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{
    super::sets::limit, Answer, Call, Refusal, Score, count, float, integer, listed, range::store,
    word,
};
use crate::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Difference,
    Intersection,
    Union,
}

#[derive(Clone, Copy, Debug)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

/// What is to be combined, and how.
#[derive(Debug)]
struct Query<'a> {
    operation: Operation,
    keys: &'a [Bytes],
    weights: Vec<f64>,
    aggregate: Aggregate,
    with_scores: bool,
}

type Scores = BTreeMap<Bytes, f64>;

pub(super) fn zdiff(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    list(call, Query::parse(call, "zdiff", Operation::Difference, &arguments[1..], true)?)
}

pub(super) fn zinter(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    list(call, Query::parse(call, "zinter", Operation::Intersection, &arguments[1..], true)?)
}

pub(super) fn zunion(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    list(call, Query::parse(call, "zunion", Operation::Union, &arguments[1..], true)?)
}

pub(super) fn zdiffstore(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let query = Query::parse(call, "zdiffstore", Operation::Difference, &arguments[2..], false)?;
    let members = query.run(call)?;
    store(call, &arguments[1], members)
}

pub(super) fn zinterstore(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let query = Query::parse(call, "zinterstore", Operation::Intersection, &arguments[2..], false)?;
    let members = query.run(call)?;
    store(call, &arguments[1], members)
}

pub(super) fn zunionstore(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let query = Query::parse(call, "zunionstore", Operation::Union, &arguments[2..], false)?;
    let members = query.run(call)?;
    store(call, &arguments[1], members)
}

pub(super) fn zintercard(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let (query, rest) =
        Query::of_keys(call, "zintercard", Operation::Intersection, &arguments[1..])?;
    let limit = limit(rest)?;
    Ok(count(query.run(call)?.len().min(limit)))
}

fn list(call: &Call<'_>, query: Query<'_>) -> Answer {
    let mut members = query.run(call)?;
    members.sort_unstable();
    Ok(listed(members.into_iter(), query.with_scores))
}

impl<'a> Query<'a> {
    /// `arguments` begins with the number of keys; what follows the keys comes back.
    fn of_keys(
        call: &Call<'_>,
        name: &str,
        operation: Operation,
        arguments: &'a [Bytes],
    ) -> Result<(Self, &'a [Bytes]), Refusal> {
        let number = usize::try_from(integer(&arguments[0])?).unwrap_or(0);
        if number == 0 {
            let text = format!("ERR at least 1 input key is needed for '{name}' command");
            return Err(Refusal(text.into()));
        }
        let (keys, rest) = arguments[1..].split_at_checked(number).ok_or(Refusal::SYNTAX)?;
        keys.iter().try_for_each(|key| check_type(call, key))?;
        let weights = vec![1.0; number];
        let query =
            Self { operation, keys, weights, aggregate: Aggregate::Sum, with_scores: false };
        Ok((query, rest))
    }

    /// The same with the options; `lists` if the result is the reply.
    fn parse(
        call: &Call<'_>,
        name: &str,
        operation: Operation,
        arguments: &'a [Bytes],
        lists: bool,
    ) -> Result<Self, Refusal> {
        let (mut query, mut rest) = Self::of_keys(call, name, operation, arguments)?;
        let number = query.keys.len();
        let weighted = operation != Operation::Difference;
        while let [option, behind @ ..] = rest {
            rest = behind;
            match (&*word(option), behind) {
                (b"WEIGHTS", _) if weighted && behind.len() >= number => {
                    query.weights = weights(&behind[..number])?;
                    rest = &behind[number..];
                }
                (b"AGGREGATE", [how, behind @ ..]) if weighted => {
                    query.aggregate = Aggregate::parse(how)?;
                    rest = behind;
                }
                (b"WITHSCORES", _) if lists => query.with_scores = true,
                _ => return Err(Refusal::SYNTAX),
            }
        }
        Ok(query)
    }

    fn run(&self, call: &Call<'_>) -> Result<Vec<(Score, Bytes)>, Refusal> {
        let inputs: Vec<Scores> =
            self.keys.iter().map(|key| input(call, key)).collect::<Result<_, _>>()?;
        let mut inputs: Vec<_> = inputs.into_iter().zip(&self.weights).collect();
        if self.operation != Operation::Difference {
            // Sums of floating-point numbers depend on the order; Redis goes by size.
            inputs.sort_by_key(|(input, _)| input.len());
        }
        let mut inputs = inputs.into_iter();
        let Some((first, weight)) = inputs.next() else { return Ok(Vec::new()) };
        let mut result = first;
        result.values_mut().for_each(|score| *score = weighted(*score, *weight));
        for (input, weight) in inputs {
            match self.operation {
                Operation::Difference => result.retain(|name, _| !input.contains_key(name)),
                Operation::Intersection => result.retain(|name, score| {
                    let other = input.get(name).map(|other| other * weight);
                    other.is_some_and(|other| {
                        *score = self.aggregate.of(*score, other);
                        true
                    })
                }),
                Operation::Union => {
                    for (name, other) in input {
                        let other = weighted(other, *weight);
                        let merge = |score: &mut f64| *score = self.aggregate.of(*score, other);
                        result.entry(name).and_modify(merge).or_insert(other);
                    }
                }
            }
        }
        Ok(result
            .into_iter()
            .filter_map(|(name, score)| Some((Score::new(score)?, name)))
            .collect())
    }
}

fn weights(arguments: &[Bytes]) -> Result<Vec<f64>, Refusal> {
    let refused = |_| Refusal("ERR weight value is not a float".into());
    arguments.iter().map(|text| float(text).map_err(refused)).collect()
}

/// An infinity times nothing is nothing here.
fn weighted(score: f64, weight: f64) -> f64 {
    let product = score * weight;
    if product.is_nan() { 0.0 } else { product }
}

fn check_type(call: &Call<'_>, key: &[u8]) -> Result<(), Refusal> {
    match call.entry(key).map(|entry| &entry.value) {
        None | Some(Value::Set(_) | Value::SortedSet(_)) => Ok(()),
        Some(_) => Err(Refusal::WRONG_TYPE),
    }
}

fn input(call: &Call<'_>, key: &[u8]) -> Result<Scores, Refusal> {
    match call.entry(key).map(|entry| &entry.value) {
        None => Ok(Scores::new()),
        Some(Value::Set(set)) => Ok(set.iter().map(|name| (name.clone(), 1.0)).collect()),
        Some(Value::SortedSet(set)) => {
            Ok(set.iter().map(|(score, name)| (name.clone(), score.get())).collect())
        }
        Some(_) => Err(Refusal::WRONG_TYPE),
    }
}

impl Aggregate {
    fn parse(argument: &[u8]) -> Result<Self, Refusal> {
        match &*word(argument) {
            b"SUM" => Ok(Self::Sum),
            b"MIN" => Ok(Self::Min),
            b"MAX" => Ok(Self::Max),
            _ => Err(Refusal::SYNTAX),
        }
    }

    fn of(self, left: f64, right: f64) -> f64 {
        match self {
            // Opposite infinities make nothing here.
            Self::Sum if (left + right).is_nan() => 0.0,
            Self::Sum => left + right,
            // Of two zeros, the first: they may differ in their sign.
            Self::Min => {
                if right < left {
                    right
                } else {
                    left
                }
            }
            Self::Max => {
                if right > left {
                    right
                } else {
                    left
                }
            }
        }
    }
}
