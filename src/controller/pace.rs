//! When to look again.

use std::time::Duration;

use jiff::Timestamp;

use super::requests::ResetDue;

/// `wait`, or less where a reset is due earlier.
pub fn until_reset(wait: Duration, due: ResetDue) -> Duration {
    let at = match due {
        ResetDue::Throttled { until, earlier } => earlier.unwrap_or(until),
        ResetDue::At(at) => at,
        ResetDue::No | ResetDue::Now => return wait,
    };
    let left = Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default();
    wait.min(left + Duration::from_millis(100))
}
