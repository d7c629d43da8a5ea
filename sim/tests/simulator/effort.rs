//! How much a slow test does: enough for each change, and more at night.

/// So many of what a slow test does, or the percentage of them that `LEASEHOLD_EFFORT` says.
pub(crate) fn effort(number: u32) -> u32 {
    let percent = std::env::var("LEASEHOLD_EFFORT")
        .map_or(100, |text| text.parse().expect("LEASEHOLD_EFFORT is a percentage"));
    (number * percent / 100).max(1)
}
