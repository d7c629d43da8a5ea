//! Whether a text matches a pattern.

mod class;

use class::{Item, single};

use crate::lua::budget;

/// How deep a pattern may be: quantifiers and captures one behind the other.
const DEEPEST: usize = 200;
/// How many instructions a step counts for, since it takes as long.
const STEP: u64 = 8;
/// After how many it is asked whether the script may go on.
const LOOK: u64 = STEP << 16;
/// How many captures a pattern may have.
const CAPTURES: usize = 32;

/// Why a match could not be decided.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The pattern is wrong.
    Pattern(&'static str),
    /// It takes more steps than any script has.
    Steps,
}

/// The end of a match.
type Found = Result<Option<usize>, Fault>;

#[derive(Clone, Copy, Debug)]
enum Length {
    Known(usize),
    Unfinished,
    /// `()`: its place is wanted, not its text.
    Place,
}

/// What a capture gives.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Capture<'a> {
    /// A place, counted from 1.
    Place(usize),
    Text(&'a [u8]),
}

/// A pattern on a text. Indexes are of bytes.
pub(super) struct Matcher<'a> {
    text: &'a [u8],
    /// Without the `^` that ties it to the beginning.
    pattern: &'a [u8],
    anchored: bool,
    captures: Vec<(usize, Length)>,
    depth: usize,
    steps: u64,
    most_steps: u64,
}

impl<'a> Matcher<'a> {
    pub(super) fn new(text: &'a [u8], pattern: &'a [u8]) -> Self {
        let mut matcher = Self::literal_caret(text, pattern);
        if let Some(rest) = matcher.pattern.strip_prefix(b"^") {
            (matcher.pattern, matcher.anchored) = (rest, true);
        }
        matcher
    }

    /// One whose `^` means itself.
    pub(super) fn literal_caret(text: &'a [u8], pattern: &'a [u8]) -> Self {
        // As in C, a pattern ends at a zero.
        let end = pattern.iter().position(|byte| *byte == 0).unwrap_or(pattern.len());
        Self {
            text,
            pattern: &pattern[..end],
            anchored: false,
            captures: Vec::new(),
            depth: 0,
            steps: 0,
            most_steps: budget::left(),
        }
    }

    pub(super) fn is_anchored(&self) -> bool {
        self.anchored
    }

    /// The first match that begins at `first` or behind.
    pub(super) fn search(&mut self, first: usize) -> Result<Option<(usize, usize)>, Fault> {
        for begin in first..=self.text.len() {
            if let Some(end) = self.at(begin)? {
                return Ok(Some((begin, end)));
            }
            if self.anchored {
                break;
            }
        }
        Ok(None)
    }

    /// The end of the match that begins at `begin`.
    pub(super) fn at(&mut self, begin: usize) -> Found {
        self.captures.clear();
        self.depth = 0;
        self.matches(begin, 0)
    }

    /// The number of captures of the last match.
    pub(super) fn count(&self) -> usize {
        self.captures.len()
    }

    /// A capture of the match from `begin` to `end`; without any, the first is all of it.
    pub(super) fn capture(
        &self,
        index: usize,
        begin: usize,
        end: usize,
    ) -> Result<Capture<'a>, Fault> {
        match self.captures.get(index) {
            None if index == 0 => Ok(Capture::Text(&self.text[begin..end])),
            None => Err(Fault::Pattern("invalid capture index")),
            Some((_, Length::Unfinished)) => Err(Fault::Pattern("unfinished capture")),
            Some((place, Length::Place)) => Ok(Capture::Place(place + 1)),
            Some((place, Length::Known(length))) => {
                Ok(Capture::Text(&self.text[*place..place + length]))
            }
        }
    }

    /// All of the match from `begin` to `end`.
    pub(super) fn whole(&self, begin: usize, end: usize) -> Capture<'a> {
        Capture::Text(&self.text[begin..end])
    }

    /// The steps since the last call.
    pub(super) fn take_steps(&mut self) -> u64 {
        self.most_steps = self.most_steps.saturating_sub(self.steps);
        std::mem::take(&mut self.steps)
    }

    fn step(&mut self) -> Result<(), Fault> {
        self.steps += STEP;
        if self.steps.is_multiple_of(LOOK) {
            budget::look();
            self.most_steps = self.most_steps.min(budget::left());
        }
        if self.steps > self.most_steps { Err(Fault::Steps) } else { Ok(()) }
    }

    /// Matches the pattern from `pattern` on at `text`. Recursive, but for what needs no way back.
    fn matches(&mut self, text: usize, pattern: usize) -> Found {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Fault::Pattern("pattern too complex"));
        }
        let found = self.matches_here(text, pattern);
        self.depth -= 1;
        found
    }

    fn matches_here(&mut self, mut text: usize, mut pattern: usize) -> Found {
        loop {
            self.step()?;
            let next = self.pattern.get(pattern + 1).copied();
            match self.pattern.get(pattern) {
                None => return Ok(Some(text)),
                Some(b'(') if next == Some(b')') => {
                    return self.begin_capture(text, pattern + 2, Length::Place);
                }
                Some(b'(') => return self.begin_capture(text, pattern + 1, Length::Unfinished),
                Some(b')') => return self.end_capture(text, pattern + 1),
                Some(b'$') if next.is_none() => {
                    return Ok((text == self.text.len()).then_some(text));
                }
                Some(b'%') if next == Some(b'b') => match self.balanced(text, pattern + 2)? {
                    Some(end) => (text, pattern) = (end, pattern + 4),
                    None => return Ok(None),
                },
                Some(b'%') if next == Some(b'f') => match self.frontier(text, pattern + 2)? {
                    Some(end) => pattern = end,
                    None => return Ok(None),
                },
                Some(b'%') if next.is_some_and(|byte| byte.is_ascii_digit()) => {
                    let digit = next.unwrap_or_default();
                    match self.again(text, digit)? {
                        Some(end) => (text, pattern) = (end, pattern + 2),
                        None => return Ok(None),
                    }
                }
                Some(_) => {
                    let item = Item::at(self.pattern, pattern)?;
                    let suffix = self.pattern.get(item.end).copied();
                    match suffix {
                        Some(b'?') => {
                            if self.fits(text, item)
                                && let Some(end) = self.matches(text + 1, item.end + 1)?
                            {
                                return Ok(Some(end));
                            }
                            pattern = item.end + 1;
                        }
                        Some(b'*') => return self.greedy(text, item, 0),
                        Some(b'+') => return self.greedy(text, item, 1),
                        Some(b'-') => return self.lazy(text, item),
                        _ if self.fits(text, item) => (text, pattern) = (text + 1, item.end),
                        _ => return Ok(None),
                    }
                }
            }
        }
    }

    fn fits(&self, text: usize, item: Item) -> bool {
        self.text.get(text).is_some_and(|byte| single(self.pattern, item, *byte))
    }

    /// As many as there are, but at least so many; then fewer.
    fn greedy(&mut self, text: usize, item: Item, least: usize) -> Found {
        let mut times = 0;
        while self.fits(text + times, item) {
            self.step()?;
            times += 1;
        }
        for times in (least..=times).rev() {
            if let Some(end) = self.matches(text + times, item.end + 1)? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    /// As few as there need be.
    fn lazy(&mut self, mut text: usize, item: Item) -> Found {
        loop {
            if let Some(end) = self.matches(text, item.end + 1)? {
                return Ok(Some(end));
            }
            if !self.fits(text, item) {
                return Ok(None);
            }
            text += 1;
        }
    }

    fn begin_capture(&mut self, text: usize, pattern: usize, length: Length) -> Found {
        if self.captures.len() >= CAPTURES {
            return Err(Fault::Pattern("too many captures"));
        }
        self.captures.push((text, length));
        let level = self.captures.len();
        let found = self.matches(text, pattern)?;
        if found.is_none() {
            self.captures.truncate(level - 1);
        }
        Ok(found)
    }

    fn end_capture(&mut self, text: usize, pattern: usize) -> Found {
        let open = |(_, length): &(usize, Length)| matches!(length, Length::Unfinished);
        let index = self.captures.iter().rposition(open);
        let index = index.ok_or(Fault::Pattern("invalid pattern capture"))?;
        self.captures[index].1 = Length::Known(text - self.captures[index].0);
        let found = self.matches(text, pattern)?;
        if found.is_none() {
            self.captures[index].1 = Length::Unfinished;
        }
        Ok(found)
    }

    /// `%1`: the text of a capture once more.
    fn again(&self, text: usize, digit: u8) -> Found {
        let index = usize::from(digit).checked_sub(usize::from(b'1'));
        let captured = match index.and_then(|index| self.captures.get(index)) {
            Some((place, Length::Known(length))) => &self.text[*place..place + length],
            // As in C, where the length of `()` is larger than any text.
            Some((_, Length::Place)) => return Ok(None),
            _ => return Err(Fault::Pattern("invalid capture index")),
        };
        Ok(self.text[text..].starts_with(captured).then(|| text + captured.len()))
    }

    /// `%bxy`: from an x to the y that closes it.
    fn balanced(&mut self, text: usize, pattern: usize) -> Found {
        let (Some(open), Some(close)) = (self.pattern.get(pattern), self.pattern.get(pattern + 1))
        else {
            return Err(Fault::Pattern("unbalanced pattern"));
        };
        if self.text.get(text) != Some(open) {
            return Ok(None);
        }
        let mut depth = 1_usize;
        for (place, byte) in self.text.iter().enumerate().skip(text + 1) {
            self.step()?;
            if byte == close {
                depth -= 1;
                if depth == 0 {
                    return Ok(Some(place + 1));
                }
            } else if byte == open {
                depth += 1;
            }
        }
        Ok(None)
    }

    /// `%f[set]`: where a set begins. Gives the place behind it in the pattern.
    fn frontier(&self, text: usize, pattern: usize) -> Found {
        if self.pattern.get(pattern) != Some(&b'[') {
            return Err(Fault::Pattern("missing '[' after '%f' in pattern"));
        }
        let item = Item::at(self.pattern, pattern)?;
        let before = text.checked_sub(1).map_or(0, |place| self.text[place]);
        let here = self.text.get(text).copied().unwrap_or(0);
        let begins = !single(self.pattern, item, before) && single(self.pattern, item, here);
        Ok(begins.then_some(item.end))
    }
}
