//! What stands in the Lease.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use crate::fence::Moment;

/// Who holds it; nobody if it was given back.
pub(super) fn holder(lease: &Lease) -> Option<&String> {
    lease.spec.as_ref()?.holder_identity.as_ref().filter(|holder| !holder.is_empty())
}

/// Makes it ours.
pub(super) fn take(lease: &mut Lease, us: &str, duration: Duration) {
    let before = lease.spec.take().unwrap_or_default();
    let is_new = before.holder_identity.as_deref() != Some(us);
    let transitions = before.lease_transitions.unwrap_or_default().saturating_add(i32::from(is_new));
    lease.spec = Some(LeaseSpec {
        holder_identity: Some(us.to_owned()),
        acquire_time: Some(MicroTime(Timestamp::now())),
        lease_transitions: Some(transitions),
        ..LeaseSpec::default()
    });
    renew(lease, duration);
}

/// Keeps it ours. The time is for people: nobody's clock is compared with it.
pub(super) fn renew(lease: &mut Lease, duration: Duration) {
    let spec = lease.spec.get_or_insert_default();
    spec.renew_time = Some(MicroTime(Timestamp::now()));
    spec.lease_duration_seconds = i32::try_from(duration.as_secs()).ok();
}

/// Gives it back. It says no longer for how long it is valid, which tells it from one that somebody else has emptied.
pub(super) fn free(lease: &mut Lease) {
    let spec = lease.spec.get_or_insert_default();
    spec.holder_identity = None;
    spec.lease_duration_seconds = None;
    spec.renew_time = Some(MicroTime(Timestamp::now()));
}

/// Whether nobody acts by it: it was given back, or never taken. One that was emptied by hand had a holder, who does
/// not know it yet.
pub(super) fn is_free(lease: &Lease) -> bool {
    let valid = lease.spec.as_ref().and_then(|spec| spec.lease_duration_seconds);
    holder(lease).is_none() && valid.is_none()
}

/// Since when another holder's lease has not changed.
#[derive(Debug, Default)]
pub(super) struct Rival {
    seen: Option<Seen>,
}

#[derive(Debug)]
struct Seen {
    /// None since it is gone.
    version: Option<String>,
    valid: Duration,
    over: Moment,
}

impl Rival {
    /// Whether it has not changed for as long as it is valid. `ours` is taken where it does not say how long that is.
    pub(super) fn is_over(&mut self, lease: &Lease, ours: Duration, now: Moment) -> bool {
        let version = Some(lease.metadata.resource_version.clone().unwrap_or_default());
        if let Some(seen) = self.seen.as_ref().filter(|seen| seen.version == version) {
            return seen.over <= now;
        }
        let seconds = lease.spec.as_ref().and_then(|spec| spec.lease_duration_seconds);
        let valid = seconds.and_then(|seconds| u64::try_from(seconds).ok()).map_or(ours, Duration::from_secs);
        self.seen = Some(Seen { version, valid, over: now.after(valid) });
        false
    }

    /// Whether a lease that is gone would be over by now: who held it acts until he notices. Counted from when it was
    /// first found gone, since it may have been renewed after it was last seen.
    pub(super) fn would_be_over(&mut self, now: Moment) -> bool {
        let Some(seen) = &mut self.seen else { return true };
        if seen.version.take().is_some() {
            seen.over = now.after(seen.valid);
        }
        seen.over <= now
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const TEN: Duration = Duration::from_secs(10);

    fn held(by: &str, version: &str) -> Lease {
        let mut lease = Lease::default();
        take(&mut lease, by, TEN);
        lease.metadata.resource_version = Some(version.to_owned());
        lease
    }

    #[test]
    fn a_rivals_lease_is_over_when_it_has_not_changed_for_its_duration_on_our_clock() {
        let (mut rival, begin) = (Rival::default(), Moment::now());
        let seconds = |seconds| begin.after(Duration::from_secs(seconds));
        // Its own times are long past, as with a clock that is wrong; they do not matter.
        let mut old = held("a", "1");
        old.spec.as_mut().unwrap().renew_time = Some(MicroTime(Timestamp::UNIX_EPOCH));
        assert!(!rival.is_over(&old, TEN, seconds(0)));
        assert!(!rival.is_over(&old, TEN, seconds(9)));
        let renewed = held("a", "2");
        assert!(!rival.is_over(&renewed, TEN, seconds(11)), "it was renewed meanwhile");
        assert!(!rival.is_over(&renewed, TEN, seconds(20)));
        assert!(rival.is_over(&renewed, TEN, seconds(21)));
    }

    #[test]
    fn the_holders_duration_counts_not_ours() {
        let (mut rival, begin) = (Rival::default(), Moment::now());
        let lease = held("a", "1");
        rival.is_over(&lease, Duration::from_secs(1), begin);
        assert!(!rival.is_over(&lease, Duration::from_secs(1), begin.after(Duration::from_secs(5))));
    }

    #[test]
    fn a_change_of_holder_is_counted_and_a_return_is_not() {
        let mut lease = held("a", "1");
        assert_eq!(holder(&lease).unwrap(), "a");
        assert_eq!(lease.spec.as_ref().unwrap().lease_transitions, Some(1));
        take(&mut lease, "a", TEN);
        assert_eq!(lease.spec.as_ref().unwrap().lease_transitions, Some(1));
        take(&mut lease, "b", TEN);
        assert_eq!(lease.spec.as_ref().unwrap().lease_transitions, Some(2));
        free(&mut lease);
        assert_eq!(holder(&lease), None);
    }

    #[test]
    fn a_lease_that_was_given_back_is_free_and_one_that_was_emptied_is_not() {
        let mut lease = held("a", "1");
        assert!(!is_free(&lease));
        lease.spec.as_mut().unwrap().holder_identity = None;
        assert!(!is_free(&lease), "by hand: the holder does not know");
        free(&mut lease);
        assert!(is_free(&lease));
        take(&mut lease, "b", TEN);
        assert!(!is_free(&lease));
        assert!(is_free(&Lease::default()), "made by hand, and never taken");
    }

    #[test]
    fn a_lease_that_is_gone_is_waited_for_as_if_it_had_been_renewed_just_before() {
        let (mut rival, begin) = (Rival::default(), Moment::now());
        let seconds = |seconds| begin.after(Duration::from_secs(seconds));
        assert!(rival.would_be_over(begin), "nobody was ever seen");
        rival.is_over(&held("a", "1"), Duration::from_secs(1), begin);
        for now in [9, 10, 18] {
            assert!(!rival.would_be_over(seconds(now)), "found gone after 9 s, and valid for 10: {now}");
        }
        assert!(rival.would_be_over(seconds(19)));
        assert!(!rival.is_over(&held("a", "1"), TEN, seconds(20)), "there again, it is counted anew");
        assert!(rival.is_over(&held("a", "1"), TEN, seconds(30)));
    }
}
