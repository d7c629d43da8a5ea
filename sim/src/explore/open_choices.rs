//! What may be chosen, and what was asked.

use crate::decide::{Address, DecisionKind, DecisionSource};

/// The choices of one kind that are searched.
#[derive(Clone, Debug)]
pub(super) struct OpenChoices {
    pub(super) times: u8,
    /// All if empty.
    choices: Vec<u32>,
}

impl OpenChoices {
    pub(super) const CLOSED: Self = Self { times: 0, choices: Vec::new() };

    pub(super) fn of(times: u8, choices: &[u32]) -> Self {
        let mut choices = choices.to_vec();
        choices.sort_unstable();
        choices.dedup();
        Self { times, choices }
    }

    /// Whether anything but the calmest of so many options may be chosen at all.
    #[inline]
    fn is_open(&self, options: u32) -> bool {
        self.times > 0 && options > 1 && self.choices.first().is_none_or(|&choice| choice < options)
    }

    /// All that may be chosen of so many options, but the calmest.
    pub(super) fn choices(&self, options: u32) -> impl Iterator<Item = u32> + '_ {
        let all = if self.choices.is_empty() { 1..options } else { 0..0 };
        self.choices.iter().copied().filter(move |&choice| choice < options).chain(all)
    }
}

/// All open choices, by kind.
pub(super) type OpenChoicesByKind = [OpenChoices; DecisionKind::ALL.len()];

/// Chooses by a script within one event, then calmly, and notes what was open.
pub(super) struct Scripted<'a> {
    pub(super) open_choices: &'a OpenChoicesByKind,
    /// Choices for the first open decisions.
    pub(super) script: &'a [u32],
    /// The open decisions, with the number of their options.
    pub(super) open: &'a mut Vec<(Address, u32)>,
}

impl DecisionSource for Scripted<'_> {
    #[inline]
    fn choose(&mut self, address: Address, options: u32) -> u32 {
        if !self.open_choices[address.kind as usize].is_open(options) {
            return 0;
        }
        let choice = self.script.get(self.open.len()).copied().unwrap_or(0);
        self.open.push((address, options));
        choice
    }
}
