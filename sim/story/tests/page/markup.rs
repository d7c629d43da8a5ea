//! Pages as text, without a browser.

use leasehold_story::html;

use crate::samples::{self, HOSTILE};

#[test]
fn a_page_has_all_that_it_needs() {
    for page in [
        html::story(&samples::failover()),
        html::report(&samples::report(vec![samples::failover()])),
    ] {
        for address in ["http://", "https://", "src=", "@import", "url(//", "import("] {
            let found = page.matches(address).count();
            // The name of SVG is no address.
            let names = if address == "http://" {
                page.matches("http://www.w3.org/2000/svg").count()
            } else {
                0
            };
            assert_eq!(found, names, "{address} is in the page");
        }
        assert!(page.contains("default-src 'none'"));
    }
}

#[test]
fn the_script_is_one_without_modules() {
    let page = html::story(&samples::failover());
    let (_, script) = page.rsplit_once("<script>").expect("it has a script");
    let (script, rest) = script.split_once("</script>").expect("which ends");
    assert_eq!(rest.trim(), "</body>\n</html>");
    assert!(!script.contains("<!--"));
    for line in script.lines() {
        assert!(!line.starts_with("import ") && !line.starts_with("export "), "{line}");
    }
}

#[test]
fn the_story_is_in_the_page_in_words() {
    let story = samples::failover();
    let page = html::story(&story);
    let told = story.told().unwrap();
    for words in
        [&story.headline, &told.verdict.text, &told.text[3], story.command.as_ref().unwrap()]
    {
        assert!(page.contains(&words.replace('\'', "&#39;")), "{words}");
    }
}

#[test]
fn what_others_wrote_is_text() {
    let mut report = samples::report(vec![samples::hostile()]);
    report.title = HOSTILE.to_owned();
    report.lead = HOSTILE.to_owned();
    report.subjects[0].name = HOSTILE.to_owned();
    report.subjects[0].promise = HOSTILE.to_owned();
    report.faults[0].group = HOSTILE.to_owned();
    for page in [html::report(&report), html::story(&samples::hostile())] {
        assert!(!page.contains("<script>document"));
        assert_eq!(page.matches("<script>").count(), 1);
        assert_eq!(page.matches("</style>").count(), 1);
        assert!(!page.contains(['\u{202e}', '\u{2066}', '\0', '\u{7}']));
        assert!(page.contains("⟨202E⟩"));
    }
}

#[test]
fn pages_are_small() {
    let story = html::story(&samples::failover()).len();
    println!("the page of a story: {story} bytes");
    assert!(story < 300_000);
    let story = html::story(&samples::long(400)).len();
    println!("the page of a story of 400 events: {story} bytes");
    assert!(story < 300_000);
    let report = html::report(&samples::report(vec![samples::failover(); 233])).len();
    println!("the page of a report with 233 stories: {report} bytes");
    assert!(report < 2_000_000);
}
