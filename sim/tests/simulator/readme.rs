//! The README and the guide say what the program says.

use leasehold_sim::{
    catalog::{CellName, Guarantee, Subject, Verdict},
    claims::Claims,
    faults::Fault,
};

const README: &str = include_str!("../../../README.md");
const GUIDE: &str = include_str!("../../src/guide/how_it_works.md");
const CHOOSE: &str = include_str!("../../../core/src/guide/choose.md");

#[test]
fn the_tables_of_claims_are_made_from_the_claims() {
    let claims = Claims::current();
    for (file, text, tables) in [
        ("README.md", README, claims.to_short_markdown()),
        ("sim/src/guide/how_it_works.md", GUIDE, claims.to_markdown()),
    ] {
        let (_, rest) = text.split_once("<!-- claims -->\n").expect("the mark before the table");
        let (shown, _) =
            rest.split_once("<!-- end of claims -->").expect("the mark after the table");
        assert!(shown.trim() == tables.trim(), "put this between the marks in {file}:\n\n{tables}");
    }
}

/// Each command `leasehold check` of a text that names one cell, whether it is said to hold, and that cell.
fn cells(text: &str) -> Vec<(String, bool, CellName)> {
    let commands = text.split('`').zip(text.split('`').skip(1)).enumerate();
    let commands = commands.filter(|(_, (_, code))| code.starts_with("leasehold check --subject"));
    let told = commands.map(|(place, (_, code))| {
        let value = |option: &str| {
            let (_, rest) = code.split_once(option).expect("the option is there");
            rest.split_whitespace().next().expect("it has a value")
        };
        let named = |name: &str| Fault::ALL.iter().copied().find(|fault| fault.name() == name);
        let subject = Subject::ALL.iter().find(|known| known.name() == value("--subject "));
        let guarantee = Guarantee::ALL.iter().find(|known| known.name() == value("--guarantee "));
        let cell = CellName {
            subject: *subject.unwrap_or_else(|| panic!("{code}")),
            guarantee: *guarantee.unwrap_or_else(|| panic!("{code}")),
            fault: Some(named(value("--fault ")).unwrap_or_else(|| panic!("{code}"))),
        };
        let after = text.split('`').nth(place + 2).unwrap_or_default();
        (code.to_owned(), after.starts_with(" holds"), cell)
    });
    told.collect()
}

#[test]
fn the_counterexamples_that_the_guide_leads_to_are_claimed() {
    let claims = Claims::current();
    let cells = cells(CHOOSE);
    assert!(cells.len() >= 6, "{cells:?}");
    for (command, holds, cell) in cells {
        let claimed = if holds { Verdict::Holds } else { Verdict::Broken };
        assert_eq!(claims.of(cell), claimed, "{command}");
    }
}
