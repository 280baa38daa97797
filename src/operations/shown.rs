//! Numbers as people see them.

use crate::operations::{Example, Function, Group, Operation, Param, Returns, Type};
use crate::text::sparkline;

pub(super) const TABLE: &[Operation] = &[Operation {
    function: Function {
        name: "sparkline",
        group: Group::Show,
        params: &[Param::new("numbers", Type::Numbers), Param::optional("full", Type::Duration)],
        returns: Returns::Text,
        about: "Numbers over time as a row of blocks, the oldest first: the lowest block for 0, the highest for the largest of \
                them, or for `full` if that is more. What is not known, `()`, is a blank.",
        example: Example::new("sparkline([0, 1, 2, 4, 8]) == \"▁▂▃▅█\""),
        ..Function::BASE
    },
    call: |_, args| {
        let full = args.duration("full").unwrap_or_default().as_secs_f64();
        Ok(sparkline(&args.numbers("numbers"), full).into())
    },
}];
