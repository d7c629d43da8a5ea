//! Reads `grammar.txt`.

use std::{iter::Peekable, str::SplitWhitespace};

/// One form of a command.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Form {
    /// How often it is sent, compared with the others.
    pub(crate) weight: usize,
    /// What follows, beginning with the command's name.
    pub(crate) parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    /// As it stands.
    Literal(&'static str),
    /// Some word of this kind.
    Word(&'static str),
    /// A count, and so many words of this kind.
    Counted(&'static str),
    /// One of these or nothing.
    Optional(Vec<Vec<Self>>),
    /// One to three times.
    Repeated(Vec<Self>),
}

/// Every form of `text`.
pub(crate) fn parse(text: &'static str) -> Vec<Form> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(form).collect()
}

impl Form {
    /// The command's name in capitals, and that of its subcommand if it has some.
    pub(crate) fn name(&self) -> Vec<&'static str> {
        let literals = self.parts.iter().map_while(|part| match part {
            Part::Literal(name) => Some(*name),
            _ => None,
        });
        literals.take(2).collect()
    }
}

fn form(line: &'static str) -> Form {
    let (weight, rest) = match line.split_once(' ') {
        Some((digit, rest)) if digit.parse::<usize>().is_ok() => (digit, rest),
        _ => ("1", line),
    };
    // Brackets and bars stand alone, so that the rest is words.
    let spaced: String = rest
        .chars()
        .flat_map(|letter| match letter {
            '[' | ']' | '|' | '(' | ')' => vec![' ', letter, ' '],
            '+' => vec![],
            _ => vec![letter],
        })
        .collect();
    let mut words = String::leak(spaced).split_whitespace().peekable();
    let weight = weight.parse().expect("a weight is a number");
    let parts = sequence(&mut words);
    assert!(words.next().is_none(), "a bracket is closed twice: {line}");
    Form { weight, parts }
}

/// Up to a closing bracket or a bar.
fn sequence(words: &mut Peekable<SplitWhitespace<'static>>) -> Vec<Part> {
    let mut parts = Vec::new();
    while let Some(word) = words.next_if(|word| !matches!(*word, "]" | ")" | "|")) {
        parts.push(match word {
            "[" => Part::Optional(alternatives(words)),
            "(" => {
                let inner = sequence(words);
                assert_eq!(words.next(), Some(")"));
                Part::Repeated(inner)
            }
            _ => match word.strip_prefix("n:") {
                Some(kind) => Part::Counted(kind),
                None if word.bytes().any(|byte| byte.is_ascii_lowercase()) => Part::Word(word),
                None => Part::Literal(word),
            },
        });
    }
    parts
}

fn alternatives(words: &mut Peekable<SplitWhitespace<'static>>) -> Vec<Vec<Part>> {
    let mut all = vec![sequence(words)];
    while words.next_if_eq(&"|").is_some() {
        all.push(sequence(words));
    }
    assert_eq!(words.next(), Some("]"));
    all
}

#[test]
fn a_line_is_read_into_its_parts() {
    use Part::{Counted, Literal, Optional, Repeated, Word};
    let forms = parse("# a comment\n2 SET key [NX|EX ms] (f v)+ n:key\n");
    let parts = vec![
        Literal("SET"),
        Word("key"),
        Optional(vec![vec![Literal("NX")], vec![Literal("EX"), Word("ms")]]),
        Repeated(vec![Word("f"), Word("v")]),
        Counted("key"),
    ];
    assert_eq!(forms, [Form { weight: 2, parts }]);
}
