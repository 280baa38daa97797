//! Changes of the cluster: where they stand, and whether anybody looks what became of them.

mod follow;
mod repeats;

use crate::check::finding::RuleFinding;
use crate::check::flow::Flows;
use crate::check::rule::{Family, Rule, Severity};
use crate::check::script::Script;
use crate::check::vocabulary::ScriptVocabulary;
use std::rc::Rc;

pub(super) const FAMILY: Family = Family { rules: RULES, check };

const RULES: &[Rule] = &[ACT_OUTSIDE_STEP, ACT_WITHOUT_WAIT, LOOP_WITHOUT_CHECK, UPDATE_FOR_PAUSE];

const ACT_OUTSIDE_STEP: Rule = Rule {
    name: "act_outside_step",
    severity: Severity::Warning,
    about: "A script changes something outside a `step`.",
    why: "Steps are what people follow: they are shown while the script runs, named when it fails, and stand in the story \
          of a rehearsal. A function that acts is right if everybody who calls it does so in a step; functions of modules \
          and tests are for others to call.",
    caught: "//! Stops a Drainer.\npause_drainer(\"drainer-0\", #{ wait: \"1m\" });\n",
    left_alone: "//! Stops a Drainer.\nfn stop(id) {\n    pause_drainer(id, #{ wait: \"1m\" })\n}\nstep(\"pause\", || stop(\"drainer-0\"));\n",
};

const ACT_WITHOUT_WAIT: Rule = Rule {
    name: "act_without_wait",
    severity: Severity::Warning,
    about: "A node is told to stop or to close, nobody looks at the answer, and the script goes on without waiting for it.",
    why: "The call returns when the node has taken the order; it stops later, or not at all. What comes next may meet it \
          still running. Say `wait` in the call, or wait with `wait_for`, `wait_until` or `ensure` before anything else is \
          changed.",
    caught: "//! Replaces a Pump.\nstep(\"pause\", || pause_pump(\"pump-1\"));\nstep(\"replace\", || manual(\"Replace pump-1\", #{ starts: [\"pump-1\"] }));\nstep(\"wait\", || wait_for(\"pump-1\", \"online\"));\n",
    left_alone: "//! Replaces a Pump.\nstep(\"pause\", || pause_pump(\"pump-1\"));\nstep(\"wait until it stands\", || wait_for(\"pump-1\", \"paused\"));\nstep(\"replace\", || manual(\"Replace pump-1\", #{ starts: [\"pump-1\"] }));\nstep(\"wait\", || wait_for(\"pump-1\", \"online\"));\n",
};

const LOOP_WITHOUT_CHECK: Rule = Rule {
    name: "loop_without_check",
    severity: Severity::Warning,
    about: "A loop stops, closes or replaces one node after the other, and looks at nothing in between.",
    why: "If the first does not come back, the loop takes the next one down all the same: that is how a cluster loses all \
          of its Pumps. Wait in the loop (`wait_for`, `wait_until` and the option `wait` count as a look), or `ensure` that \
          the last one is well; a `break`, `return`, `fail` or `confirm` is a check, too.",
    caught: "//! Stops all Drainers.\nfor drainer in drainers() {\n    step(`pause ${drainer}`, || pause_drainer(drainer));\n}\nfor drainer in drainers() {\n    wait_for(drainer, \"paused\");\n}\n",
    left_alone: "//! Stops all Drainers.\nfor drainer in drainers() {\n    step(`pause ${drainer}`, || pause_drainer(drainer));\n    wait_for(drainer, \"paused\");\n}\n",
};

const UPDATE_FOR_PAUSE: Rule = Rule {
    name: "update_for_pause",
    severity: Severity::Warning,
    about: "A state is written into a record where a node shall be stopped, closed or started.",
    why: "`update_pump` and `update_drainer` write what others read; the process does not notice, and writes its own state \
          over it within seconds. `paused` and `offline` by hand are a repair of the record of a process that is dead: \
          `probe` it first. Use `pause_*` to stop, `offline_*` to close; nothing but its process starts a node.",
    caught: "//! Stops a Pump.\nstep(\"pause\", || update_pump(\"pump-1\", \"paused\"));\n",
    left_alone: "//! Fixes the record of a dead Pump.\nensure(probe(\"pump-1\") == \"refused\", \"pump-1 is alive: pause it\");\nstep(\"fix\", || update_pump(\"pump-1\", \"paused\"));\n",
};

fn check(script: &Rc<Script>, words: &ScriptVocabulary, found: &mut Vec<RuleFinding>) {
    let flows = Flows::of(script, words);
    follow::check(&flows, found);
    repeats::check(&flows, found);
}
