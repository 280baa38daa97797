//! The model does what real processes did; `tests/recorded/README.md` says what a replay must reproduce.

mod cadence;
mod closings;
mod transitions;

use crate::dice::Dice;
use binlogsh::sim::{DrainerSpec, Phases, PumpSpec, Scenario};

/// So many Pumps and two Drainers with phases from `dice`; the Pumps' fake binlog within `together_ms`.
fn quiet_cluster(dice: &mut Dice, pumps: usize, together_ms: u64) -> Scenario {
    let mut below = |ms: u64| i64::try_from(dice.from(0, ms - 1)).unwrap();
    let started = below(3_000);
    let mut scenario = Scenario::default();
    for at in 0..pumps {
        let phases = Phases {
            heartbeat_ms: Some(below(2_000)),
            fake_binlog_ms: Some(started + below(together_ms)),
            ..Phases::default()
        };
        scenario.pumps.push(PumpSpec { phases, ..PumpSpec::new(format!("pump-{at}"), format!("h{at}:8250")) });
    }
    for at in 0..2 {
        let phases = Phases {
            heartbeat_ms: Some(below(1_000)),
            look_ms: Some(below(5_000)),
            checkpoint_ms: Some(below(3_000)),
            ..Phases::default()
        };
        let spec = DrainerSpec { phases, ..DrainerSpec::new(format!("drainer-{at}"), format!("h{at}:8249")) };
        scenario.drainers.push(spec);
    }
    scenario
}
