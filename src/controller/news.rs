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

/// The failure, unless the conditions tell of it already; `generation` is that of the spec under which it happened.
pub fn failure(told: &[Condition], failure: &Failure, generation: Option<i64>) -> Option<Note> {
    let message = cut(failure.message.clone());
    let same = matter(&message);
    let is_told = told.iter().any(|condition| {
        condition.message.contains(&message)
            || condition.observed_generation == generation && matter(&condition.message).contains(&same)
    });
    (!is_told).then_some(Note { reason: failure.reason, message, warning: true })
}

/// Whether a transition is worth an event: work begins, ends, or takes another direction. The steps in between are in
/// the log and in the metrics.
pub fn is_turning_point(from: Phase, to: Phase) -> bool {
    let is_step = |phase| matches!(phase, Phase::Provisioning | Phase::Configuring);
    !(is_step(from) && is_step(to))
}

/// What events are counted by. The recorder makes one of all that have reason and action in common.
///
/// The API server admits no other text for an event that is there, so that the first one's stays: another sentence has to
/// be another action, or nobody would read it. A sentence that differs in the id of a request or in how long something
/// took is no news. Under another spec it is: its numbers are what was asked for.
pub fn action(note: &Note, generation: Option<i64>) -> String {
    let mut hasher = DefaultHasher::new();
    (matter(&note.message), generation).hash(&mut hasher);
    format!("{}-{:08x}", note.reason, hasher.finish() as u32)
}

/// The sentence without what is another one each time while the matter stays the same: numbers, times, ids.
fn matter(message: &str) -> String {
    let is_of_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '+');
    let mut matter = String::with_capacity(message.len());
    for part in message.split_inclusive(|c| !is_of_word(c)) {
        let word = part.trim_end_matches(|c| !is_of_word(c));
        if passes(word) {
            matter.push('#');
            matter.push_str(&part[word.len()..]);
        } else {
            matter.push_str(part);
        }
    }
    matter
}

/// The shortest hexadecimal word that is taken for an id.
const ID: usize = 8;

/// Whether a word is a number, a time, an address or an id. Names begin with a letter.
fn passes(word: &str) -> bool {
    let has_digit = word.chars().any(|c| c.is_ascii_digit());
    let is_hex = word.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    word.starts_with(|c: char| c.is_ascii_digit()) || has_digit && is_hex && word.len() >= ID
}

fn find(conditions: &[Condition], type_: ConditionType) -> Option<&Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

fn is_true(condition: &Condition) -> bool {
    condition.status == ConditionStatus::True
}

fn says_the_same(one: &Condition, other: &Condition) -> bool {
    one.reason == other.reason
        && (one.message == other.message
            || one.observed_generation == other.observed_generation
                && matter(&one.message) == matter(&other.message))
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
        assert_eq!(failure(&[], &failed, Some(1)).map(|note| note.reason), Some(Reason::Rejected));
        assert_eq!(failure(&told, &failed, Some(1)), None);
    }

    fn rejected(message: &str) -> Note {
        Note { reason: Reason::Rejected, message: message.to_owned(), warning: true }
    }

    #[test]
    fn another_sentence_is_another_event() {
        let action = |message| action(&rejected(message), Some(1));
        assert_eq!(action("a"), action("a"));
        assert_ne!(action("a"), action("b"));
        assert_ne!(action("no extension pg_one"), action("no extension pg_two"));
        assert_ne!(action("database app1 exists"), action("database app2 exists"));
    }

    #[test]
    fn a_sentence_that_differs_in_ids_and_times_only_is_the_same_event() {
        for (one, other) in [
            ("no answer: timed out after 5.0 s", "no answer: timed out after 7.3 s"),
            (
                "refused (tracking id 3f0c9a6e-52d1-4c1b-9a53-0d8e4f6f2a11).",
                "refused (tracking id a9b8c7d6-0000-4c1b-9a53-0d8e4f6f2a12).",
            ),
            (
                "request f00dfeed12 at 2026-01-31T12:00:00Z failed",
                "request 12f00dfeed at 2026-02-01T00:00:09Z failed",
            ),
            ("no answer from 10.0.0.7:5432", "no answer from 10.0.0.8:5432"),
        ] {
            assert_eq!(action(&rejected(one), Some(1)), action(&rejected(other), Some(1)), "{one}");
            let told = Condition { observed_generation: Some(1), ..one_told(&format!("first; {one}")) };
            let failed = Failure::new(Reason::Rejected, other, Retry::Slowly);
            assert_eq!(failure(std::slice::from_ref(&told), &failed, Some(1)), None, "{one}");
            let before = Condition { message: one.to_owned(), ..told.clone() };
            let now = Condition { message: other.to_owned(), ..told };
            assert_eq!(between(&[before], &[now]), [], "{one}");
        }
    }

    #[test]
    fn under_another_spec_a_number_is_news() {
        let (before, after) = ("storageGB 30 is more than 20", "storageGB 40 is more than 20");
        assert_ne!(action(&rejected(before), Some(1)), action(&rejected(after), Some(2)));
        let told = Condition { observed_generation: Some(1), ..one_told(before) };
        let failed = Failure::new(Reason::Rejected, after, Retry::Slowly);
        assert!(failure(std::slice::from_ref(&told), &failed, Some(2)).is_some());
        let now = Condition { observed_generation: Some(2), message: after.to_owned(), ..told.clone() };
        assert_eq!(reasons(&between(&[told], &[now])), [Reason::Rejected]);
    }

    fn one_told(message: &str) -> Condition {
        one(ConditionType::Stalled, true, Reason::Rejected, message)
    }
}
