//! The README says what the program says.

use leasehold_sim::claims::Claims;

const README: &str = include_str!("../../../README.md");

#[test]
fn the_table_of_claims_is_made_from_the_claims() {
    let tables = Claims::current().to_markdown();
    let (_, rest) = README.split_once("<!-- claims -->\n").expect("the mark before the table");
    let (shown, _) = rest.split_once("<!-- end of claims -->").expect("the mark after the table");
    assert!(shown.trim() == tables.trim(), "put this between the marks in README.md:\n\n{tables}");
}
