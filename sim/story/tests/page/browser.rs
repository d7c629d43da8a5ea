//! Pages in Chromium, used as people use them.

use leasehold_story::{Story, html};
use serde_json::{Value, json};

use crate::{chromium::Chromium, samples, skip};

const PHONE: (u32, u32) = (360, 740);
const LAPTOP: (u32, u32) = (1280, 800);
const WIDE: (u32, u32) = (2560, 1440);

/// The lines of text of a page with the place of each, as `lines()`.
const LINES: &str = include_str!("lines.js");

fn browser() -> Option<Chromium> {
    Chromium::start().map_err(|why| skip(&why)).ok()
}

fn opened(story: &Story, hash: &str, size: (u32, u32)) -> Option<Chromium> {
    let mut browser = browser()?;
    show(&mut browser, story, hash, size);
    Some(browser)
}

fn show(browser: &mut Chromium, story: &Story, hash: &str, size: (u32, u32)) {
    browser.open(&html::story(story), hash, size);
    browser.until("document.querySelector('.drawing [role=option]')");
}

#[test]
fn a_switch_changes_the_verdict() {
    let Some(mut browser) = opened(&samples::failover(), "", LAPTOP) else { return };
    let outcome = "document.querySelector('.outcome').innerText";
    let before = browser.evaluate(outcome).to_string();
    assert!(
        before.contains("The promise is broken.") && before.contains("The data are safe."),
        "{before}"
    );
    browser.click(".check .switch");
    let unchecked = browser.evaluate(outcome).to_string();
    assert!(unchecked.contains("The data are damaged."), "{unchecked}");
    browser.click("li .switch");
    let without = browser.evaluate(outcome).to_string();
    assert!(without.contains("The promise holds.") && !without.contains("damaged"), "{without}");
    assert_eq!(browser.evaluate("location.hash"), "#without=0&fences=off");
    assert_eq!(browser.evaluate("document.querySelectorAll('.told ins').length > 0"), true);
    assert_eq!(browser.evaluate("document.querySelectorAll('.callout').length"), 0);
    browser.check();
}

#[test]
fn keys_step_from_event_to_event() {
    let Some(mut browser) = opened(&samples::failover(), "", LAPTOP) else { return };
    let selected = "document.querySelector('[aria-selected=true]')?.id ?? 'none'";
    assert_eq!(browser.evaluate(selected), "none");
    for (key, expected) in [
        ("ArrowRight", "event-0"),
        ("ArrowRight", "event-1"),
        ("ArrowLeft", "event-0"),
        ("b", "event-13"),
        ("Escape", "none"),
    ] {
        browser.press(key);
        assert_eq!(browser.evaluate(selected), expected, "{key}");
    }
    let steps = browser.evaluate("document.querySelectorAll('[role=option]').length");
    browser.press("a");
    assert_eq!(browser.evaluate("document.querySelector('.detail').ariaPressed"), "true");
    assert_eq!(browser.evaluate("document.querySelectorAll('[role=option]').length"), steps);
    browser.evaluate("document.querySelector('.drawing').focus()");
    browser.press("End");
    assert_eq!(browser.evaluate(selected), "event-14");
    assert_eq!(
        browser
            .evaluate("document.querySelector('.drawing').getAttribute('aria-activedescendant')"),
        "event-14"
    );
    assert_eq!(browser.evaluate("location.hash"), "#t=153ms");
    assert_eq!(browser.evaluate("document.querySelectorAll('.event.dim').length > 0"), true);
    browser.check();
}

#[test]
fn a_story_is_unpacked_as_it_was() {
    let Some(mut browser) = browser() else { return };
    let mut story = samples::everything();
    // Greater than what a script can tell apart.
    story.runs[0].events[1].fence = Some((1 << 53) + 1);
    story.runs[0].events[4].causes = vec![0, 1];
    browser.open(&html::story(&story), "#t=4ms", LAPTOP);
    browser.until("document.querySelector('.details h2')");
    let shown = browser.evaluate("document.querySelector('.details').innerText").to_string();
    assert!(
        shown.contains("does what it does at 0") && shown.contains("fence …4740993"),
        "{shown}"
    );
    browser.press("ArrowLeft");
    let shown = browser.evaluate("document.querySelector('.details').innerText").to_string();
    assert!(shown.contains("fence 9007199254740993"), "{shown}");
    browser.check();
}

#[test]
fn a_link_opens_a_moment() {
    let Some(mut browser) = opened(&samples::failover(), "#t=152ms&without=1", LAPTOP) else {
        return;
    };
    assert_eq!(browser.evaluate("document.querySelector('[aria-selected=true]').id"), "event-13");
    assert_eq!(browser.evaluate("document.querySelectorAll('li .switch')[1].ariaChecked"), "false");
    let details = browser.evaluate("document.querySelector('.details').innerText").to_string();
    assert!(details.contains("It followed from") && details.contains("It led to"), "{details}");
    browser.check();
}

#[test]
fn each_event_has_a_link_of_its_own() {
    let mut story = samples::failover();
    // 1.005 ms are 1004.999… µs to who multiplies.
    story.runs.iter_mut().flat_map(|run| &mut run.events).for_each(|event| event.at += 5);
    let Some(mut browser) = opened(&story, "", LAPTOP) else { return };
    let selected = "document.querySelector('[aria-selected=true]').id";
    let steps = browser.evaluate("document.querySelectorAll('[role=option]').length");
    let mut links = Vec::new();
    for _ in 0..steps.as_u64().unwrap() {
        browser.press("ArrowRight");
        let link = browser.evaluate("location.hash");
        links.push((link.as_str().unwrap().to_owned(), browser.evaluate(selected)));
    }
    for (link, event) in &links {
        browser.press("Escape");
        browser.evaluate(&format!("void (location.hash = {link:?})"));
        browser.until("document.querySelector('[aria-selected=true]')");
        assert_eq!(&browser.evaluate(selected), event, "{link}");
    }
    assert!(links.iter().any(|(link, _)| link.contains("ms:2")), "{links:?}");
    browser.check();
}

#[test]
fn a_cell_opens_its_story_and_back() {
    let Some(mut browser) = browser() else { return };
    let report = samples::report(vec![samples::failover(), samples::everything()]);
    browser.open(&html::report(&report), "", LAPTOP);
    browser.until("document.querySelector('button.cell.broken')");
    browser.click("button.cell.proven");
    let said = browser.evaluate("document.querySelector('dialog').innerText").to_string();
    assert!(
        said.contains("1,000 schedules") && said.contains("two clients, four seconds"),
        "{said}"
    );
    browser.click("dialog button");
    browser.until("!document.querySelector('dialog')");
    browser.click("button.cell.broken");
    browser.until("document.querySelector('.drawing [role=option]')");
    assert_eq!(browser.evaluate("document.querySelector('#report').hidden"), true);
    assert_eq!(browser.evaluate("location.hash"), "#story=0");
    assert_eq!(browser.evaluate("document.activeElement.className"), "headline");
    browser.click("#back a");
    browser.until("!document.querySelector('#report').hidden");
    assert_eq!(browser.evaluate("document.activeElement.className"), "cell broken");
    assert_eq!(browser.evaluate("document.querySelector('#view').hidden"), true);
    browser.check();
}

#[test]
fn arrow_keys_go_through_the_matrix() {
    let Some(mut browser) = browser() else { return };
    browser.open(&html::report(&samples::report(Vec::new())), "", LAPTOP);
    browser.until("document.querySelector('button.cell')");
    browser.evaluate("document.querySelector('td [tabindex=\"0\"]').focus()");
    let focused = "document.activeElement.ariaLabel ?? document.activeElement.innerText";
    for (key, expected) in [
        ("ArrowDown", "fence-order without faults: holds, proven in a bounded model"),
        ("ArrowRight", "fence-order under latency: not exercised"),
        ("ArrowUp", "exclusion under latency: holds, proven in a bounded model"),
        ("ArrowUp", "latency"),
        ("ArrowDown", "exclusion under latency: holds, proven in a bounded model"),
    ] {
        browser.press(key);
        assert_eq!(browser.evaluate(focused), expected, "{key}");
    }
    let said = browser.evaluate("document.querySelector('.said').innerText").to_string();
    assert!(said.contains("exclusion under latency"), "{said}");
    browser.check();
}

#[test]
fn who_only_asks_is_shown_when_asked_for() {
    let Some(mut browser) = opened(&samples::client_pause(), "", LAPTOP) else { return };
    let lanes = "document.querySelectorAll('.head').length";
    let steps = "document.querySelectorAll('[role=option]').length";
    assert_eq!(browser.evaluate(lanes), 4);
    let brief = browser.evaluate(steps).as_u64().unwrap();
    let legend = browser.evaluate("document.querySelector('.legend').innerText").to_string();
    assert!(legend.contains("client C"), "{legend}");
    browser.press("a");
    assert_eq!(browser.evaluate(lanes), 5);
    assert!(browser.evaluate(steps).as_u64().unwrap() > brief);
    browser.check();
}

#[test]
fn what_lies_under_the_pointer_is_told() {
    let Some(mut browser) = opened(&samples::failover(), "", LAPTOP) else { return };
    for (selector, words) in [
        ("[data-message='2'] .cross", "copy of the key: server → replica\nlost"),
        ("[data-span='0'] rect", "client A believes that it holds the lock, fence 1"),
        ("#event-8 circle", "14.0 ms, client C: asks for the lock"),
    ] {
        browser.point(selector);
        let tip = browser.evaluate("document.querySelector('.tip').innerText");
        assert!(tip.as_str().unwrap().contains(words), "{selector}: {tip}");
    }
    browser.check();
}

#[test]
fn time_can_be_zoomed_and_the_command_copied() {
    let Some(mut browser) = opened(&samples::failover(), "", LAPTOP) else { return };
    let height = "document.querySelector('.drawing').clientHeight";
    let before = browser.evaluate(height).as_u64().unwrap();
    browser.press("+");
    assert!(browser.evaluate(height).as_u64().unwrap() > before);
    browser.press("-");
    assert_eq!(browser.evaluate(height), before);
    browser.click(".command button");
    // Where the page may not write to the clipboard, it selects the command.
    browser.until(
        "['copied', 'selected: copy it'].includes(document.querySelector('.command output').value)",
    );
    browser.check();
}

#[test]
fn all_of_a_long_story_is_printed() {
    let Some(mut browser) = opened(&samples::long(500), "", LAPTOP) else { return };
    let steps = "document.querySelectorAll('[role=option]').length";
    let shown = browser.evaluate(steps).as_u64().unwrap();
    browser.evaluate("void dispatchEvent(new Event('beforeprint'))");
    assert!(browser.evaluate(steps).as_u64().unwrap() > 2 * shown);
    browser.evaluate("void dispatchEvent(new Event('afterprint'))");
    assert_eq!(browser.evaluate(steps), shown);
    browser.check();
}

#[test]
fn cells_differ_in_shape() {
    let Some(mut browser) = browser() else { return };
    browser.open(&html::report(&samples::report(vec![samples::failover()])), "", LAPTOP);
    browser.until("document.querySelector('button.cell')");
    let shapes = browser.evaluate(
        "new Set([...document.querySelectorAll('button.cell svg')].map((svg) => svg.innerHTML)).size",
    );
    assert_eq!(shapes, 5);
    browser.check();
}

#[test]
fn nothing_is_cut_off() {
    let Some(mut browser) = browser() else { return };
    let report = html::report(&samples::report(vec![samples::failover()]));
    for size in [PHONE, LAPTOP, WIDE] {
        let stories = [
            samples::failover(),
            samples::client_pause(),
            samples::everything(),
            samples::hostile(),
        ];
        for story in stories {
            show(&mut browser, &story, "#t=152ms", size);
            fits(&mut browser, size);
        }
        browser.open(&report, "", size);
        browser.until("document.querySelector('button.cell')");
        fits(&mut browser, size);
    }
    browser.check();
}

fn fits(browser: &mut Chromium, (width, _): (u32, u32)) {
    assert_eq!(
        browser.evaluate("document.documentElement.scrollWidth <= innerWidth"),
        true,
        "at {width}"
    );
    assert_eq!(judged(browser, "outside()"), json!([]), "at {width}");
    assert_eq!(judged(browser, "overlapping()"), json!([]), "at {width}");
}

/// What `lines.js` finds in the page.
fn judged(browser: &mut Chromium, call: &str) -> Value {
    browser.evaluate(&format!("(() => {{ {LINES}; return {call}; }})()"))
}

#[test]
fn text_can_be_read_in_light_and_dark() {
    let Some(mut browser) = browser() else { return };
    let report = html::report(&samples::report(vec![samples::failover()]));
    for scheme in ["light", "dark"] {
        browser.prefer(scheme);
        for (story, hash) in [
            (samples::failover(), ""),
            (samples::failover(), "#fences=off"),
            (samples::failover(), "#without=0"),
            (samples::everything(), ""),
        ] {
            show(&mut browser, &story, hash, LAPTOP);
            assert_eq!(judged(&mut browser, "faint()"), json!([]), "in {scheme}");
        }
        browser.open(&report, "", LAPTOP);
        browser.until("document.querySelector('button.cell')");
        assert_eq!(judged(&mut browser, "faint()"), json!([]), "in {scheme}");
    }
    browser.check();
}

#[test]
fn lanes_and_events_have_names() {
    let story = samples::failover();
    let Some(mut browser) = opened(&story, "", LAPTOP) else { return };
    let tree = browser.accessible();
    let has = |role: &str, name: &str| tree.iter().any(|(r, n)| r == role && n.contains(name));
    for lane in &story.lanes {
        assert!(has("listitem", &lane.name), "{} in {tree:#?}", lane.name);
    }
    let events = &story.told().unwrap().events;
    for event in events {
        assert!(has("option", &event.text), "{}", event.text);
    }
    assert!(
        has("heading", &story.headline) && has("listbox", "Events") && has("switch", "failover")
    );
    browser.check();
}

#[test]
fn hostile_texts_are_shown_as_text() {
    let Some(mut browser) = opened(&samples::hostile(), "", LAPTOP) else { return };
    assert_eq!(browser.evaluate("document.title.startsWith('<script>')"), true);
    assert_eq!(browser.evaluate("document.querySelectorAll('main script').length"), 0);
    let shown = browser.evaluate("document.querySelector('.headline').innerText").to_string();
    assert!(shown.contains("<script>document.title") && shown.contains("⟨202E⟩"), "{shown}");
    browser.check();
}

#[test]
fn a_long_story_opens() {
    let Some(mut browser) = opened(&samples::long(5000), "", LAPTOP) else { return };
    // On a machine that does other things at the same time, it takes longer.
    println!("5,000 events were there after {}", browser.costs());
    let nodes = "document.querySelectorAll('.drawing *').length";
    let drawn = browser.evaluate(nodes).as_u64().unwrap();
    assert!((100..6000).contains(&drawn), "{drawn} elements are drawn");
    browser.press("b");
    browser.until("document.querySelector('#event-4999[aria-selected=true]')");
    assert!(browser.evaluate(nodes).as_u64().unwrap() < 6000);
    browser.check();
}
