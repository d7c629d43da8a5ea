//! Makes the page of a story: `cargo run -p leasehold-story --example page STORY.json > PAGE.html`.

use std::{env, error::Error, fs};

use leasehold_story::{Story, html};

fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args().nth(1).ok_or("which story?")?;
    let story = Story::from_json(&fs::read_to_string(path)?)?;
    println!("{}", html::story(&story));
    Ok(())
}
