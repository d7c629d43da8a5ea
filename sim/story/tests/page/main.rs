//! The page of a story and that of a report: as text, as it is drawn, and in a browser.

mod browser;
mod chromium;
mod drawing;
mod markup;
mod samples;

/// Says why tests are left out, which `LEASEHOLD_REQUIRE_REAL=1` does not allow.
fn skip(why: &str) {
    let required = std::env::var_os("LEASEHOLD_REQUIRE_REAL").is_some_and(|set| set == "1");
    assert!(!required, "LEASEHOLD_REQUIRE_REAL=1, but {why}");
    println!("skipped: {why}");
}
