//! What is waited for.

use std::time::Duration;

use hcpg::api::{Condition, ConditionStatus, ConditionType, Phase, PostgreSQLDatabase, PostgreSQLServer};

/// Pause before the next look at something that was waited for so long already: a tenth of that. Looking all the time
/// takes more of the machine than the operator does.
pub fn pause_after(waited: Duration) -> Duration {
    (waited / 10).clamp(Duration::from_millis(100), Duration::from_millis(500))
}

/// Phase and condition `Ready`, for the generation that is there now.
pub fn is_ready(
    generation: Option<i64>,
    observed: Option<i64>,
    phase: Option<Phase>,
    all: &[Condition],
) -> bool {
    let ready = all.iter().find(|condition| condition.type_ == ConditionType::Ready);
    observed == generation
        && phase == Some(Phase::Ready)
        && ready.is_some_and(|ready| ready.status == ConditionStatus::True)
}

/// A server's condition.
pub fn server_condition(server: &PostgreSQLServer, wanted: ConditionType) -> Option<&Condition> {
    server.status.as_ref()?.conditions.iter().find(|condition| condition.type_ == wanted)
}

/// A database's condition.
pub fn database_condition(database: &PostgreSQLDatabase, wanted: ConditionType) -> Option<&Condition> {
    database.status.as_ref()?.conditions.iter().find(|condition| condition.type_ == wanted)
}
