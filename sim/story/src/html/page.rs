//! What the template is given.

use std::sync::LazyLock;

use askama::Template;
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::{Digest, Sha256};

use super::{pack, visible};
use crate::{Report, Run, Story};

/// A file of HTML.
#[derive(Template)]
#[template(path = "page.html")]
pub(super) struct Page {
    title: String,
    /// What to look for in the matrix.
    lead: String,
    style: &'static str,
    script: &'static str,
    /// Of the script: no other runs.
    hash: &'static str,
    /// The matrix, packed.
    matrix: Option<String>,
    subjects: Vec<Subject>,
    stories: Vec<Told>,
}

/// Who was tested.
struct Subject {
    name: String,
    promise: String,
    breaks: String,
}

/// A story: packed for the script, and in words for everybody.
struct Told {
    title: String,
    headline: String,
    claim: Option<String>,
    command: Option<String>,
    verdict: String,
    fenced: Option<String>,
    text: Vec<String>,
    packed: String,
}

impl Page {
    pub(super) fn of_story(story: &Story) -> Self {
        Self::new(&story.title, vec![Told::new(story)])
    }

    pub(super) fn of_report(report: &Report) -> Self {
        let mut without_stories = report.clone();
        without_stories.stories.clear();
        let json = serde_json::to_value(&without_stories);
        let subjects = report.subjects.iter().map(|subject| Subject {
            name: visible(&subject.name),
            promise: visible(&subject.promise),
            breaks: visible(&subject.breaks),
        });
        Self {
            lead: visible(&report.lead),
            matrix: Some(pack::json(&json.expect("a report has only texts, numbers and lists"))),
            subjects: subjects.collect(),
            ..Self::new(&report.title, report.stories.iter().map(Told::new).collect())
        }
    }

    fn new(title: &str, stories: Vec<Told>) -> Self {
        let title = visible(title);
        Self {
            title,
            lead: String::new(),
            style: &STYLE,
            script: &SCRIPT,
            hash: &HASH,
            matrix: None,
            subjects: Vec::new(),
            stories,
        }
    }
}

impl Told {
    fn new(story: &Story) -> Self {
        let run = story.told().ok();
        let verdict = |of: fn(&Run) -> Option<&String>| run.and_then(of).map(|text| visible(text));
        Self {
            title: visible(&story.title),
            headline: visible(&story.headline),
            claim: story.claim.as_deref().map(visible),
            command: story.command.as_deref().map(visible),
            verdict: verdict(|run| Some(&run.verdict.text)).unwrap_or_default(),
            fenced: verdict(|run| run.verdict.fenced.as_ref()),
            text: run.iter().flat_map(|run| &run.text).map(|line| visible(line)).collect(),
            packed: pack::story(story),
        }
    }
}

static STYLE: LazyLock<String> = LazyLock::new(|| {
    concat!(include_str!("../../page/draw.css"), include_str!("../../page/page.css")).to_owned()
});

/// The modules of the page in the order in which they need each other.
const MODULES: [&str; 9] = [
    include_str!("../../page/text.js"),
    include_str!("../../page/cause.js"),
    include_str!("../../page/layout.js"),
    include_str!("../../page/marks.js"),
    include_str!("../../page/draw.js"),
    include_str!("../../page/parts.js"),
    include_str!("../../page/view.js"),
    include_str!("../../page/matrix.js"),
    include_str!("../../page/page.js"),
];

/// All modules as one script: a page without a server has nowhere to import from.
static SCRIPT: LazyLock<String> = LazyLock::new(|| {
    let lines = MODULES.iter().flat_map(|module| module.lines());
    let lines = lines.filter(|line| !line.starts_with("import "));
    let lines: Vec<_> = lines.map(|line| line.strip_prefix("export ").unwrap_or(line)).collect();
    format!("\n\"use strict\";\n{{\n{}\n}}\n", lines.join("\n"))
});

static HASH: LazyLock<String> =
    LazyLock::new(|| BASE64_STANDARD.encode(Sha256::digest(SCRIPT.as_bytes())));
