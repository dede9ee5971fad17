//! When to look again.

use std::time::Duration;

use jiff::Timestamp;

use super::backoff::jittered;
use super::context::Context;
use super::requests::ResetDue;

/// The pause before looking again at something that is settled, or would be but for a change that was refused: that one
/// is tried again when the refusal is forgotten.
pub fn settled(context: &Context, refused: bool) -> Duration {
    jittered(if refused { context.slowly() } else { context.resync() })
}

/// `wait`, or less where a reset is due earlier.
pub fn until_reset(wait: Duration, due: ResetDue) -> Duration {
    let at = match due {
        ResetDue::Throttled { until, earlier } => earlier.unwrap_or(until),
        ResetDue::At(at) => at,
        ResetDue::No | ResetDue::Now => return wait,
    };
    until(wait, Some(at))
}

/// `wait`, or less where something is due earlier.
pub fn until(wait: Duration, due: Option<Timestamp>) -> Duration {
    let Some(at) = due else { return wait };
    let left = Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default();
    wait.min(left + Duration::from_millis(100))
}
