//! The `HELP` of every command that has subcommands, from the table.

use bytes::Bytes;

use super::{Answer, Body, Call};
use crate::Resp;

/// Lists the subcommands. In other words than Redis does, and without their arguments.
pub(crate) fn help(call: &mut Call<'_>, arguments: &[Bytes]) -> Answer {
    let mut lines = Vec::new();
    if let Some(container) = call.table.by_name(&arguments[0])
        && let Body::Subcommands(rows) = container.body
    {
        let name = container.name.to_uppercase();
        lines.push(format!("{name} <subcommand> [argument ...]. Subcommands are:"));
        for row in rows {
            lines.push(row.name.to_uppercase());
            lines.push(format!("    {}", row.about));
        }
    }
    Ok(Resp::Array(lines.into_iter().map(|line| Resp::Simple(line.into())).collect()))
}
