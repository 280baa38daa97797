//! Where Drainers stand in a Pump.

use crate::error::Result;
use crate::node::{Kind, State};
use crate::operations::nodes::find;
use crate::operations::{Arguments, Example, Function, Group, Operation, Param, Returns, Type};
use crate::value::{Fields, Value};
use crate::world::{Gate, StatusReport, read};

pub(super) const TABLE: &[Operation] = &[Operation {
    function: Function {
        name: "read_positions",
        group: Group::Look,
        params: &[Param::new("pump", Type::Node(Some(Kind::Pump)))],
        returns: Returns::MapOf(&Returns::Maybe(&Returns::Integer)),
        about: "Up to where each Drainer whose record says online has read a Pump, as the Drainers say themselves: a \
                map from Drainer to timestamp, `()` for one that does not read from it.\n\nAll Drainers are asked at \
                the same time. Errors: those of the first that does not answer, which it names.",
        example: Example::new("read_positions(\"pump-1\")[\"drainer-0\"] > 0"),
        ..Function::BASE
    },
    call: read_positions,
}];

fn read_positions(gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    let listing = gate.listing()?;
    let name = args.node("pump").ok_or_else(|| crate::error::Error::internal("`pump` is not required by its row"))?;
    let pump = find(&listing, &name, Some(Kind::Pump))?.node.id.clone();
    let online = listing.of(Kind::Drainer).filter(|drainer| drainer.state == State::Online);
    let nodes: Vec<_> = online.map(|drainer| drainer.node.clone()).collect();
    let ids: Vec<String> = nodes.iter().map(|node| node.id.as_str().to_owned()).collect();
    let reports = gate.ask(read::Status { nodes })?;
    let mut positions = Fields::new();
    for (id, report) in ids.into_iter().zip(reports) {
        let position = match report? {
            StatusReport::Drainer(drainer) => drainer.pump_positions.get(&*pump).copied().map(Value::from),
            StatusReport::Pump(_) => None,
        };
        positions.insert(id, position.unwrap_or(Value::Unit));
    }
    Ok(Value::Map(positions))
}
