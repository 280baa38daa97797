//! The alarms that etcd raises and keeps until somebody ends them.

use super::{Etcd, client};
use crate::error::Result;
use crate::live::clock::Deadline;
use crate::world::AlarmKind;
use etcd_client::{AlarmAction, AlarmType};

/// An alarm, and the id of the member that raised it.
pub(in crate::live) struct Raised {
    pub(in crate::live) kind: AlarmKind,
    pub(in crate::live) member_id: u64,
}

/// Every alarm of every member.
///
/// # Errors
/// `unreachable` or `timeout`, naming every endpoint that was tried; `rejected` with etcd's words.
pub(in crate::live) async fn alarms(etcd: &Etcd, deadline: Deadline) -> Result<Vec<Raised>> {
    let ask = |channel| async move {
        let answer = client(channel).await?.maintenance_client().alarm(AlarmAction::Get, AlarmType::None, None).await?;
        let raised = |alarm: &etcd_client::AlarmMember| {
            let kind = match alarm.alarm() {
                AlarmType::Nospace => AlarmKind::NoSpace,
                AlarmType::Corrupt => AlarmKind::Corrupt,
                AlarmType::None => return None,
            };
            Some(Raised { kind, member_id: alarm.member_id() })
        };
        Ok(answer.alarms().iter().filter_map(raised).collect())
    };
    Ok(etcd.ask("look at etcd's alarms", deadline, ask).await?.1)
}
