//! From a pass over a database to its status. Pure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::Databases;
use super::classify::presence;
use super::observe::DatabaseSeen;
use super::verdict::{differences, verdict, withheld};
use crate::api::{Binding, DatabaseStatus, Phase, PinnedDatabase};
use crate::controller::conditions::{self, Inputs, Verdict};
use crate::controller::context::Context;
use crate::controller::logins::LoginAnswer;
use crate::controller::subject::Pass;
use crate::fsm::database::{DatabasePresence, DatabaseTrigger, ServerSeen};

pub(super) fn describe(context: &Context, pass: &Pass<'_, Databases>) -> DatabaseStatus {
    let seen = pass.seen;
    let mut status = pass.object.status.clone().unwrap_or_default();
    let verdict = verdict(seen, pass.phase, pass.trigger);
    let cause = verdict.clone().or_failure(pass.failure);
    if status.phase != Some(pass.phase) {
        status.phase_since = Some(Time(pass.now));
    }
    status.phase = Some(pass.phase);
    status.observed_generation = pass.object.metadata.generation;
    if pass.phase == Phase::Ready && status.first_ready_at.is_none() {
        status.first_ready_at = Some(Time(pass.now));
    }
    if pass.trigger == DatabaseTrigger::Absent && pass.acts && pass.failure.is_none() {
        status.create_attempted_at = Some(Time(pass.now));
    }
    let begins =
        pass.acts && matches!(pass.trigger, DatabaseTrigger::Absent | DatabaseTrigger::RecreateRequested);
    // What we make ourselves was not taken over.
    status.adopted_generation = seen.adopted.filter(|_| !begins);
    pin(&mut status, pass, begins);
    let taken_over = if seen.holds_back() { differences(seen) } else { Vec::new() };
    let request = conditions::unreadable_request(&seen.requests);
    let refused: Vec<String> =
        seen.refused.iter().cloned().chain(fixed(seen)).chain(barred(pass)).chain(request).collect();
    let throttled = conditions::throttled(seen.reset_due);
    let withheld = withheld(seen, pass.phase).filter(|_| seen.paused);
    status.differences =
        [&*taken_over, &*refused].concat().into_iter().chain(withheld).chain(throttled.clone()).collect();
    status.binding = seen.credentials.bound_name().map(|name| Binding { name });
    status.conditions = conditions::of(Inputs {
        old: &status.conditions,
        generation: pass.object.metadata.generation,
        verdict: &verdict,
        usable: usable(seen, &cause),
        refused: &refused,
        taken_over: &taken_over,
        throttled,
        waiting: None,
        limited: None,
        surplus: None,
        login: conditions::login(&seen.credentials),
        // In the pass that only notes a deletion, too.
        paused: seen.paused.then(|| conditions::why_paused(seen.observes_only)),
        failure: pass.failure,
        again: pass.again,
        deadline: context.deadline(),
        now: pass.now,
    });
    // What the original left is evidence until it is pinned.
    if status.backend.is_none() || status.database.is_some() {
        let old = status.deployment.as_ref();
        status.deployment =
            Some(conditions::deployment(old, pass.phase, &verdict, "Database created", pass.now));
    }
    status
}

/// Pins the names before the first effect or when the database is first seen.
fn pin(status: &mut DatabaseStatus, pass: &Pass<'_, Databases>, begins: bool) {
    let seen = pass.seen;
    let Ok(names) = &seen.names else { return };
    let present = presence(seen).is_there();
    if status.database.is_none() && !present && !begins {
        return;
    }
    status.backend = seen.server.backend.clone().or(status.backend.take());
    let old = status.database.take().unwrap_or_default();
    let server_uid = match (pass.trigger, present) {
        (DatabaseTrigger::RecreateRequested, _) => None,
        (_, true) => old.server_uid.or(seen.server.uid.clone()),
        (_, false) => old.server_uid,
    };
    if pass.trigger == DatabaseTrigger::RecreateRequested {
        status.create_attempted_at = None;
    }
    status.database = Some(PinnedDatabase {
        name: Some(names.database.clone()),
        owner: Some(names.role.clone()),
        server_uid,
    });
}

/// Extensions that the server does not allow.
fn barred(pass: &Pass<'_, Databases>) -> Option<String> {
    let Some(Ok(state)) = &pass.seen.state else { return None };
    let server = &pass.object.spec.server_ref.name;
    (!state.extensions_barred.is_empty()).then(|| {
        format!(
            "spec.database.extensions: {} not in spec.extensions of the PostgreSQLServer {server}; add them there or \
             remove them here",
            state.extensions_barred.join(", ")
        )
    })
}

/// What is set when a database is created and cannot be changed afterwards.
fn fixed(seen: &DatabaseSeen) -> Vec<String> {
    let Some(Ok(state)) = &seen.state else { return Vec::new() };
    let pairs = [
        ("charset", &seen.settings.charset, &state.charset),
        ("collation", &seen.settings.collation, &state.collation),
    ];
    let differing = pairs.into_iter().filter_map(|(field, wanted, found)| match (wanted, found) {
        (Some(wanted), Some(found)) if !same_name(wanted, found) => Some(format!(
            "spec.database.{field}: {found}, asked for {wanted}: it is fixed when the database is created"
        )),
        _ => None,
    });
    differing.collect()
}

/// `en_US.UTF-8`, `en_US.utf8` and `EN_us.UTF8` are one collation to PostgreSQL, and `utf-8` one charset.
fn same_name(one: &str, other: &str) -> bool {
    let plain =
        |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    plain(one) == plain(other)
}

/// Whether the credentials can be used; none when PostgreSQL did not say.
fn usable(seen: &DatabaseSeen, verdict: &Verdict) -> Option<conditions::Answer> {
    let not_tried = seen.credentials.published_login == LoginAnswer::NotTried;
    let waits = seen.server.seen != ServerSeen::Usable || presence(seen) == DatabasePresence::Unreadable;
    match (waits && not_tried, &seen.credentials.published) {
        // What the administrator's password is tells nothing about ours: the last answer stands for a while.
        (true, Some(_)) if seen.server.passing => None,
        (true, Some(_)) if seen.server.seen == ServerSeen::Waiting => {
            Some(conditions::Answer::new(false, verdict.reason, verdict.message.clone()))
        }
        (true, Some(_)) if seen.server.seen == ServerSeen::Usable => None,
        _ => Some(conditions::usable(&seen.credentials, verdict)),
    }
}
