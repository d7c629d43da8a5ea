//! Lines that say more together than one by one.

use super::{Line, LineKind};
use crate::history::TokenId;
use crate::{story::Names, words::client};

/// Tells stays that went as they should in one line each, and counts calls in vain.
pub(super) fn fold(lines: Vec<Line>, names: &Names) -> Vec<Line> {
    count_in_vain(fold_rounds(fold_stays(lines, names), names))
}

/// So many stays in a row are one line.
const ROUND: usize = 3;

/// Tells stays in a row, whoever asks in vain meanwhile, in one line.
fn fold_rounds(lines: Vec<Line>, names: &Names) -> Vec<Line> {
    let mut folded = Vec::with_capacity(lines.len());
    let mut rest = &lines[..];
    while !rest.is_empty() {
        let calm = |line: &&Line| matches!(line.kind, LineKind::Stay(_) | LineKind::InVain(_));
        let (run, after) = rest.split_at(rest.iter().take_while(calm).count().max(1));
        let stays: Vec<(u64, TokenId)> = run.iter().filter_map(stay_of).collect();
        match &stays[..] {
            [(at, first), .., (_, last)] if stays.len() >= ROUND => {
                let (count, first, last) = (stays.len(), names.grant(*first), names.grant(*last));
                let text = format!(
                    "the lock goes from hand to hand {count} times, as it should: {first} to {last}"
                );
                folded.push(Line { at: *at, kind: LineKind::Other, text });
            }
            _ => folded.extend_from_slice(run),
        }
        rest = after;
    }
    folded
}

fn stay_of(line: &Line) -> Option<(u64, TokenId)> {
    match line.kind {
        LineKind::Stay(token) => Some((line.at, token)),
        _ => None,
    }
}

fn fold_stays(lines: Vec<Line>, names: &Names) -> Vec<Line> {
    let mut folded = Vec::with_capacity(lines.len());
    let mut index = 0;
    while let Some(line) = lines.get(index) {
        match line.kind {
            LineKind::Gets(token) => match stay(&lines, index, token) {
                Some(end) => {
                    folded.push(told_as_one(&lines[index..=end], token, names));
                    let vain = lines[index..end].iter();
                    folded.extend(vain.filter(|line| is_in_vain(line)).cloned());
                    index = end + 1;
                    continue;
                }
                None => folded.push(line.clone()),
            },
            _ => folded.push(line.clone()),
        }
        index += 1;
    }
    folded
}

/// Where the stay that begins at `start` ends, if nothing else happens meanwhile.
fn stay(lines: &[Line], start: usize, token: TokenId) -> Option<usize> {
    for (index, line) in lines.iter().enumerate().skip(start + 1) {
        match line.kind {
            LineKind::Acts(acting) if acting == token => {}
            LineKind::InVain(_) => {}
            // The end of the story is told in full.
            LineKind::Frees(freed) if freed == token => {
                return (index + 1 < lines.len()).then_some(index);
            }
            _ => return None,
        }
    }
    None
}

fn told_as_one(lines: &[Line], token: TokenId, names: &Names) -> Line {
    let acts = lines.iter().filter(|line| line.kind == LineKind::Acts(token)).count();
    let acting = match acts {
        0 => "",
        1 => ", acts,",
        2 => ", acts twice,",
        _ => ", acts several times,",
    };
    let (who, grant) = (client(token.client()), names.grant(token));
    let text = format!("{who} gets the lock ({grant}){acting} and gives it up");
    Line { at: lines[0].at, kind: LineKind::Stay(token), text }
}

fn is_in_vain(line: &Line) -> bool {
    matches!(line.kind, LineKind::InVain(_))
}

fn count_in_vain(lines: Vec<Line>) -> Vec<Line> {
    let mut counted: Vec<Line> = Vec::with_capacity(lines.len());
    let mut vain: Vec<Line> = Vec::new();
    for line in lines {
        if is_in_vain(&line) {
            vain.push(line);
            continue;
        }
        counted.extend(in_vain(&vain));
        vain.clear();
        counted.push(line);
    }
    counted.extend(in_vain(&vain));
    counted
}

/// One line for all of `lines`, at the time of the last.
fn in_vain(lines: &[Line]) -> Option<Line> {
    let last = lines.last()?;
    let mut counts: Vec<(u8, u32)> = Vec::new();
    for line in lines {
        let LineKind::InVain(who) = line.kind else { continue };
        match counts.iter_mut().find(|(known, _)| *known == who) {
            Some((_, count)) => *count += 1,
            None => counts.push((who, 1)),
        }
    }
    counts.sort_unstable();
    let who: Vec<String> = counts
        .iter()
        .map(|&(who, count)| match count {
            1 => format!("{} asks once", client(who)),
            2 => format!("{} asks twice", client(who)),
            _ => format!("{} asks {count} times", client(who)),
        })
        .collect();
    let text = format!("{} for the lock, in vain", who.join(" and "));
    Some(Line { text, ..last.clone() })
}
