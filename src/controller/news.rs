//! What an event tells: what is new, and only once. Pure.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::conditions::cut;
use super::failure::Failure;
use super::subject::Note;
use crate::api::{Condition, ConditionStatus, ConditionType, Phase};

/// What the conditions say now and did not say before: that somebody is needed, that the credentials stopped working,
/// that they work again.
pub fn between(old: &[Condition], new: &[Condition]) -> Vec<Note> {
    let mut notes = Vec::new();
    let ready = (find(old, ConditionType::Ready), find(new, ConditionType::Ready));
    if let (Some(before), Some(now)) = ready
        && is_true(before) != is_true(now)
    {
        notes.push(note(now, !is_true(now)));
    }
    if let Some(now) = find(new, ConditionType::Stalled).filter(|stalled| is_true(stalled))
        && find(old, ConditionType::Stalled).is_none_or(|before| !is_true(before) || !says_the_same(before, now))
        // The same word and sentence may say why the credentials do not work.
        && notes.iter().all(|note| (note.reason, &note.message) != (now.reason, &now.message))
    {
        notes.push(note(now, true));
    }
    notes
}

/// The failure, unless the conditions tell of it already.
pub fn failure(told: &[Condition], failure: &Failure) -> Option<Note> {
    let message = cut(failure.message.clone());
    let is_told = told.iter().any(|condition| condition.message.contains(&message));
    (!is_told).then_some(Note { reason: failure.reason, message, warning: true })
}

/// Whether a transition is worth an event: work begins, ends, or takes another direction. The steps in between are in
/// the log and in the metrics.
pub fn is_turning_point(from: Phase, to: Phase) -> bool {
    let is_step = |phase| matches!(phase, Phase::Provisioning | Phase::Configuring);
    !(is_step(from) && is_step(to))
}

/// What events are counted by. The recorder makes one of all that have reason and action in common, with the first
/// one's text, so that another sentence is another action.
pub fn action(note: &Note) -> String {
    let mut hasher = DefaultHasher::new();
    note.message.hash(&mut hasher);
    format!("{}-{:08x}", note.reason, hasher.finish() as u32)
}

fn find(conditions: &[Condition], type_: ConditionType) -> Option<&Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

fn is_true(condition: &Condition) -> bool {
    condition.status == ConditionStatus::True
}

fn says_the_same(one: &Condition, other: &Condition) -> bool {
    one.reason == other.reason && one.message == other.message
}

fn note(condition: &Condition, warning: bool) -> Note {
    Note { reason: condition.reason, message: condition.message.clone(), warning }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;
    use crate::api::Reason;
    use crate::backend::Retry;

    fn one(type_: ConditionType, status: bool, reason: Reason, message: &str) -> Condition {
        Condition {
            type_,
            status: status.into(),
            reason,
            message: message.to_owned(),
            last_transition_time: Time(Timestamp::UNIX_EPOCH),
            observed_generation: None,
        }
    }

    #[test]
    fn the_beginning_and_the_end_of_work_are_told_and_not_the_steps_between() {
        use Phase::{Configuring, Deleting, Pending, Provisioning, Ready, ResettingPassword};
        let all = [Pending, Provisioning, Configuring, Ready, ResettingPassword, Deleting];
        let quiet = |from, to| !is_turning_point(from, to);
        for from in all {
            for to in all.into_iter().filter(|to| *to != from) {
                let between =
                    [(Provisioning, Configuring), (Configuring, Provisioning)].contains(&(from, to));
                assert_eq!(quiet(from, to), between, "{from} -> {to}");
            }
        }
    }

    fn reasons(notes: &[Note]) -> Vec<Reason> {
        notes.iter().map(|note| note.reason).collect()
    }

    #[test]
    fn what_is_stalled_is_told_once_per_reason_and_sentence() {
        let free = [one(ConditionType::Stalled, false, Reason::NotStalled, "")];
        let lost = [one(ConditionType::Stalled, true, Reason::ServerLost, "gone")];
        let exist = [one(ConditionType::Stalled, true, Reason::DatabasesExist, "a, b")];
        let fewer = [one(ConditionType::Stalled, true, Reason::DatabasesExist, "a")];
        assert_eq!(reasons(&between(&[], &lost)), [Reason::ServerLost]);
        assert_eq!(reasons(&between(&free, &lost)), [Reason::ServerLost]);
        assert_eq!(between(&lost, &lost), []);
        assert_eq!(reasons(&between(&lost, &exist)), [Reason::DatabasesExist]);
        assert_eq!(reasons(&between(&exist, &fewer)), [Reason::DatabasesExist]);
        assert_eq!(between(&lost, &free), []);
    }

    #[test]
    fn credentials_that_stop_working_and_work_again_are_told() {
        let works = [one(ConditionType::Ready, true, Reason::Available, "log in")];
        let fails = [one(ConditionType::Ready, false, Reason::Unusable, "no")];
        assert_eq!(between(&[], &fails), [], "a new object is not ready, and nobody expects it to be");
        let lost = between(&works, &fails);
        assert_eq!((reasons(&lost), lost[0].warning), (vec![Reason::Unusable], true));
        let back = between(&fails, &works);
        assert_eq!((reasons(&back), back[0].warning), (vec![Reason::Available], false));
        assert_eq!(between(&fails, &fails), []);
    }

    #[test]
    fn a_failure_is_told_until_a_condition_tells_it() {
        let failed = Failure::new(Reason::Rejected, "no such size", Retry::Slowly);
        let told = [one(ConditionType::Synced, false, Reason::NotApplied, "no such size; no such version")];
        assert_eq!(failure(&[], &failed).map(|note| note.reason), Some(Reason::Rejected));
        assert_eq!(failure(&told, &failed), None);
    }

    #[test]
    fn another_sentence_is_another_event() {
        let note =
            |message: &str| Note { reason: Reason::Rejected, message: message.to_owned(), warning: true };
        assert_eq!(action(&note("a")), action(&note("a")));
        assert_ne!(action(&note("a")), action(&note("b")));
    }
}
