//! Stories and reports as pages: one file each, which needs no network and no server.
//!
//! What others have written (names, texts, ids) is shown as text, whatever is in it: the template
//! escapes it, the script is the only one that its page lets run, and marks that cannot be seen are
//! named.

mod pack;
mod page;

use askama::Template;

use crate::{Report, Story};

/// The story as a page: a file of HTML with all that it needs.
#[must_use]
pub fn story(story: &Story) -> String {
    render(&page::Page::of_story(story))
}

/// The matrix and its stories as a page: a file of HTML with all that it needs.
#[must_use]
pub fn report(report: &Report) -> String {
    render(&page::Page::of_report(report))
}

fn render(page: &page::Page) -> String {
    page.render().expect("a template that writes texts into memory does not fail")
}

/// The text with every mark that cannot be seen named: `⟨202E⟩`.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_invisible(letter) {
            shown.push_str(&format!("⟨{:04X}⟩", u32::from(letter)));
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// A control, or what changes the direction of text or takes no room.
fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
