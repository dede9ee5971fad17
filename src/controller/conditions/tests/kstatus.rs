//! What tools that wait for objects make of ours: the real kstatus (`sigs.k8s.io/cli-utils/pkg/kstatus`), which helm and
//! Flux ask, judges every status there can be.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::*;

/// What kstatus makes of each of these objects.
fn judge(objects: &[Value]) -> Vec<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/integration-tests/control-plane/build.sh");
    let found = Command::new(script).arg("kstatus").stderr(Stdio::inherit()).output().unwrap();
    let found = String::from_utf8(found.stdout).unwrap();
    let path = found.trim().strip_prefix("kstatus=").expect("build.sh provides kstatus");
    let mut process = Command::new(path).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = process.stdin.take().unwrap();
    let text: String = objects.iter().map(|object| format!("{object}\n")).collect();
    let writer = std::thread::spawn(move || lines.write_all(text.as_bytes()).unwrap());
    let output = process.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn object(conditions: &[Condition], generation: i64, observed: Option<i64>, deleting: bool) -> Value {
    let mut object = json!({
        "apiVersion": "hybridcloud.maibornwolff.de/v1alpha1",
        "kind": "PostgreSQLServer",
        "metadata": {"name": "team", "namespace": "default", "generation": generation},
        "status": {"conditions": conditions},
    });
    if let Some(observed) = observed {
        object["status"]["observedGeneration"] = json!(observed);
    }
    if deleting {
        object["metadata"]["deletionTimestamp"] = json!("2026-01-31T12:00:00Z");
    }
    object
}

/// Objects and what is to be made of them.
#[derive(Default)]
struct Corpus {
    objects: Vec<Value>,
    expected: Vec<&'static str>,
}

impl Corpus {
    fn add(&mut self, conditions: &[Condition], expected: &'static str) {
        for (observed, deleting, expected) in
            [(Some(2), false, expected), (Some(1), false, "InProgress"), (Some(2), true, "Terminating")]
        {
            self.objects.push(object(conditions, 2, observed, deleting));
            self.expected.push(expected);
        }
    }

    fn check(self) {
        let judged = judge(&self.objects);
        assert_eq!(judged.len(), self.objects.len());
        for ((object, expected), judged) in self.objects.iter().zip(self.expected).zip(judged) {
            assert_eq!(judged, expected, "{object:#}");
        }
    }
}

/// What was told before: nothing, success, work, a failure, work for too long.
fn befores() -> Vec<Vec<Condition>> {
    let begin = Told { generation: 2, ..Told::nothing() };
    let moving = verdict(Reason::Busy, Course::Moving);
    vec![
        Vec::new(),
        begin.clone().pass(&settled(), None, false, &[]).conditions,
        begin.clone().pass(&moving, None, false, &[]).conditions,
        begin.clone().pass(&moving, Some(&refusal()), false, &[]).conditions,
        begin.pass(&moving, None, false, &[]).later(7200).pass(&moving, None, false, &[]).conditions,
    ]
}

fn failures() -> [Option<Failure>; 4] {
    let failure = |retry| Some(Failure::new(Reason::Transient, "it failed", retry));
    [None, failure(Retry::Backoff(None)), failure(Retry::Poll), failure(Retry::Slowly)]
}

fn is_true(conditions: &[Condition], type_: ConditionType) -> bool {
    conditions.iter().any(|condition| condition.type_ == type_ && condition.status == True)
}

#[test]
fn every_status_of_a_pass_is_read_as_it_is_meant() {
    let mut corpus = Corpus::default();
    let refused = [vec![], vec!["size: refused".to_owned()]];
    let answers = [Some(True), Some(False), Some(Unknown), None];
    for old in befores() {
        for course in [Course::Done, Course::Moving, Course::Held, Course::Stuck] {
            for failure in failures() {
                for refused in &refused {
                    for usable in answers {
                        for (throttled, again, later) in
                            [(false, false, 1), (true, false, 1), (false, true, 1), (false, false, 9000)]
                        {
                            let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(later);
                            let told = of(Inputs {
                                old: &old,
                                generation: Some(2),
                                verdict: &verdict(Reason::Busy, course),
                                usable: usable.map(|status| Answer {
                                    status,
                                    reason: Reason::Available,
                                    message: String::new(),
                                }),
                                refused,
                                taken_over: &[],
                                throttled: throttled.then(|| "later".to_owned()),
                                waiting: None,
                                limited: None,
                                surplus: None,
                                login: Answer::new(true, Reason::LoginSucceeded, ""),
                                paused: None,
                                failure: failure.as_ref(),
                                again,
                                deadline: DEADLINE,
                                now,
                            });
                            corpus.add(
                                &told,
                                meant(
                                    &old,
                                    course,
                                    &failure,
                                    refused,
                                    again,
                                    later > DEADLINE.as_secs(),
                                    &told,
                                ),
                            );
                        }
                    }
                }
            }
        }
    }
    assert!(corpus.objects.len() > 5000);
    corpus.check();
}

/// What is to be made of a pass, from what happened in it.
fn meant(
    old: &[Condition],
    course: Course,
    failure: &Option<Failure>,
    refused: &[String],
    again: bool,
    late: bool,
    told: &[Condition],
) -> &'static str {
    let was_late = is_late(old) || (is_true(old, Reconciling) && late);
    match (failure.as_ref().map(|failure| failure.retry), course) {
        (None, _) if again && is_true(old, Stalled) => "Failed",
        (None, _) if again && is_true(old, Reconciling) => "InProgress",
        (Some(Retry::Slowly), _) | (_, Course::Stuck) => "Failed",
        (Some(_), _) | (None, Course::Moving) if was_late => "Failed",
        (Some(_), _) | (None, Course::Moving) => "InProgress",
        (None, Course::Done) if !refused.is_empty() => "Failed",
        (None, Course::Done | Course::Held) if is_true(told, Ready) => "Current",
        (None, Course::Done | Course::Held) => "InProgress",
    }
}

fn is_late(told: &[Condition]) -> bool {
    told.iter().any(|one| one.type_ == Stalled && one.reason == Reason::DeadlineExceeded)
}

#[test]
fn every_status_of_a_pass_that_saw_nothing_is_read_as_it_is_meant() {
    let mut corpus = Corpus::default();
    for old in befores() {
        for failure in failures().into_iter().flatten() {
            for later in [1, 9000] {
                let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(later);
                let told = unobserved(&old, &failure, Some(2), DEADLINE, now);
                let late = is_true(&old, Reconciling) && later > DEADLINE.as_secs();
                let fails = failure.retry == Retry::Slowly || is_true(&old, Stalled) || late;
                corpus.add(&told, if fails { "Failed" } else { "InProgress" });
            }
        }
    }
    corpus.check();
}

/// As kstatus documents itself, so that what is asked above is known to be the judge it is taken for.
#[test]
fn an_object_that_nobody_has_looked_at_is_in_progress() {
    let condition = |type_: ConditionType, status: ConditionStatus| Condition {
        type_,
        status,
        reason: Reason::Busy,
        message: String::new(),
        last_transition_time: Time(Timestamp::UNIX_EPOCH),
        observed_generation: None,
    };
    let cases = [
        // As the API server fills it in where there is no status.
        (object(&[], 1, Some(-1), false), "InProgress"),
        // As it would be without that: a lie.
        (object(&[], 1, None, false), "Current"),
        (object(&[condition(Reconciling, True)], 1, Some(1), false), "InProgress"),
        (object(&[condition(Stalled, True)], 1, Some(1), false), "Failed"),
        (object(&[condition(Reconciling, False), condition(Stalled, False)], 1, Some(1), false), "Current"),
        (object(&[condition(Ready, False)], 1, Some(1), false), "InProgress"),
        (object(&[condition(Ready, Unknown)], 1, Some(1), false), "InProgress"),
        (object(&[condition(Ready, True)], 1, Some(1), false), "Current"),
        (object(&[condition(Ready, True)], 2, Some(1), false), "InProgress"),
        (object(&[condition(Ready, True)], 1, Some(1), true), "Terminating"),
    ];
    let (objects, expected): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    assert_eq!(judge(&objects), expected);
}
