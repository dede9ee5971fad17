//! Whether a cluster takes connections and changes: what its own state and those of its members say together. Pure.

use super::super::super::Health;
use super::super::parameters;
use super::super::servers::Shown;
use super::super::states::{self, State};
use super::cluster::{Member, Seen};

/// The cluster answers as long as the member that writes does.
pub(super) fn of(seen: &Seen) -> State {
    let status = seen.status().unwrap_or("unknown");
    // What is in a cluster outlives its members, so that nothing tells that it is empty: it counts as used.
    let of_cluster = states::meaning(status, true);
    match of_cluster.health {
        Health::Usable => {
            let of_members = members(seen);
            State {
                health: of_members.health,
                accepts_writes: of_cluster.accepts_writes && of_members.accepts_writes,
                operation: of_cluster.operation.or(of_members.operation),
            }
        }
        _ => of_cluster,
    }
}

/// How far the parameters are in force in all members, in the service's words.
pub(super) fn applied(seen: &Seen) -> Option<&str> {
    let all = || seen.own().filter_map(|member| member.applied.as_deref());
    let with = |word: &str| all().find(|applied| *applied == word);
    with("applying").or_else(|| with(parameters::AFTER_RESTART)).or_else(|| all().next())
}

fn members(seen: &Seen) -> State {
    let Some(writer) = seen.writer() else {
        let message = "the cluster has no member, so that nothing answers".to_owned();
        return State { health: Health::Unusable { message }, accepts_writes: true, operation: None };
    };
    let mut state = of_member(writer);
    if let Health::Failed { message, was_available: false } = &state.health {
        // It goes, and another one takes its place: see the difference of the members.
        state.health = Health::Unusable { message: message.clone() };
        state.accepts_writes = true;
    }
    // While one is made, changed or on its way out, the next change waits. One that stands still is in nobody's way.
    let working =
        seen.members.iter().map(of_member).find(|one| !one.accepts_writes && one.operation.is_some());
    if let Some(operation) = working.and_then(|one| one.operation) {
        state.accepts_writes = false;
        state.operation = Some(format!("member {operation}"));
    }
    state
}

fn of_member(member: &Member) -> State {
    match &member.instance {
        Some(instance) => instance.state(),
        // Just made, or just gone.
        None => states::meaning("not shown", true),
    }
}
