//! Makes a page: `cargo run -p leasehold-story --example page STORY-OR-REPORT.json > PAGE.html`.

use std::{env, error::Error, fs};

use leasehold_story::{REPORT_FORMAT, Report, Story, html};

fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args().nth(1).ok_or("of which story or report?")?;
    let text = fs::read_to_string(path)?;
    let value: serde_json::Value = serde_json::from_str(&text)?;
    let page = if value["format"] == REPORT_FORMAT {
        html::report(&serde_json::from_value::<Report>(value)?)
    } else {
        html::story(&Story::from_json(&text)?)
    };
    println!("{page}");
    Ok(())
}
