//! From a pass over a server to its status. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::Servers;
use super::classify::presence;
use super::managed;
use super::observe::{Answer, ServerSeen};
use super::verdict::{verdict, withheld};
use crate::api::{Binding, Operation, Phase, PinnedServer, PostgreSQLServer, ServerStatus};
use crate::backend::{
    Change, DesiredServer, Difference, FIREWALL_RULE, Health, PARAMETER, Stage, asked_parameters,
};
use crate::controller::conditions::{self, Inputs, Verdict};
use crate::controller::context::Context;
use crate::controller::subject::Pass;
use crate::fsm::server::{Presence, ServerTrigger};

pub(super) fn describe(context: &Context, pass: &Pass<'_, Servers>) -> ServerStatus {
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
    if pass.trigger == ServerTrigger::Absent && pass.acts && pass.failure.is_none() {
        status.create_attempted_at = Some(Time(pass.now));
    }
    let begins =
        pass.acts && matches!(pass.trigger, ServerTrigger::Absent | ServerTrigger::RecreateRequested);
    // What we make ourselves was not taken over.
    status.adopted_generation = seen.adopted.filter(|_| !begins);
    pin(&mut status, pass, begins);
    if seen.present().is_some() || begins {
        status.managed_parameters = managed(&status.managed_parameters, PARAMETER, pass);
        status.managed_firewall_rules = managed(&status.managed_firewall_rules, FIREWALL_RULE, pass);
    }
    keep_notes(&mut status, seen, pass.now);
    let refused = refused(seen);
    let throttled = conditions::throttled(seen.reset_due);
    let taken_over = taken_over(seen);
    let waiting = seen.waiting.sentence();
    let withheld = withheld(seen, pass.phase).filter(|_| seen.paused);
    let one_by_one = [&*taken_over, &*refused].concat().into_iter();
    status.differences = one_by_one.chain(waiting.clone()).chain(withheld).chain(throttled.clone()).collect();
    status.binding = seen.credentials.bound_name().map(|name| Binding { name });
    status.conditions = conditions::of(Inputs {
        old: &status.conditions,
        generation: pass.object.metadata.generation,
        verdict: &verdict,
        usable: usable(seen, &cause),
        refused: &refused,
        taken_over: &taken_over,
        throttled,
        waiting,
        limited: limited(seen),
        surplus: surplus(pass),
        login: conditions::login(&seen.credentials),
        // In the pass that only notes a deletion, too.
        paused: seen.paused.then(|| conditions::why_paused(seen.observes_only)),
        failure: pass.failure,
        again: pass.again,
        deadline: context.deadline(),
        now: pass.now,
    });
    // What the original left is evidence until it is pinned.
    if status.backend.is_none() || status.server.is_some() {
        let old = status.deployment.as_ref();
        status.deployment =
            Some(conditions::deployment(old, pass.phase, &verdict, "Database server created", pass.now));
    }
    status
}

/// Pins where the server lives, before the first effect or when it is first seen; fills in what the backend reports.
///
/// Its id is the evidence that it existed. One that we asked for and that never took a connection is none: nobody has
/// anything in it, and when its creation fails it is removed and begun anew, not lost.
fn pin(status: &mut ServerStatus, pass: &Pass<'_, Servers>, begins: bool) {
    let seen = pass.seen;
    let (Ok(backend), Some(identity)) = (&seen.backend, &seen.identity) else { return };
    let present = seen.present().filter(|_| presence(seen) != Presence::Replaced);
    if status.server.is_none() && present.is_none() && !begins {
        return;
    }
    status.backend = Some(backend.name().to_owned());
    let old = status.server.take().unwrap_or_default();
    let mut server = PinnedServer {
        name: Some(identity.name.clone()),
        account: identity.account.clone(),
        region: identity.region.clone(),
        group: identity.group.clone(),
        ..old
    };
    if pass.trigger == ServerTrigger::RecreateRequested {
        server = PinnedServer { uid: None, ..server };
        status.create_attempted_at = None;
    }
    if let Some(present) = present {
        let facts = &present.facts;
        let counts = status.create_attempted_at.is_none() || present.was_used();
        let endpoint = facts.endpoint.as_ref();
        server = PinnedServer {
            account: server.account.or(facts.account.clone()),
            uid: server.uid.or(present.uid.clone().filter(|_| counts)),
            host: endpoint.map(|endpoint| endpoint.host.clone()).or(server.host),
            port: endpoint.map(|endpoint| endpoint.port).or(server.port),
            endpoint: endpoint.map(ToString::to_string).or(server.endpoint),
            version: facts.version.clone().or(server.version),
            size: facts.size.clone().or(server.size),
            storage_gb: facts.storage_gb.or(server.storage_gb),
            storage_used_gb: facts.storage_used_gb.or(server.storage_used_gb),
            ..server
        };
    }
    status.server = Some(server);
}

/// The parameters or firewall rules that are ours, as far as this pass tells.
fn managed(recorded: &[String], prefix: &str, pass: &Pass<'_, Servers>) -> Vec<String> {
    let seen = pass.seen;
    let desired = DesiredServer::new(&seen.owner, &pass.object.spec);
    let (asked, stage, trigger): (BTreeSet<String>, _, _) = match prefix {
        PARAMETER => {
            let asked = asked_parameters(desired.spec).into_keys().collect();
            (asked, Stage::Configure, ServerTrigger::Unconfigured)
        }
        _ => {
            let asked = seen.backend.as_ref().map(|backend| backend.firewall_rules(&desired));
            (asked.unwrap_or_default(), Stage::Update, ServerTrigger::Differs)
        }
    };
    if seen.present().is_none() {
        // A new server is made with all of the parameters, and an empty one has none of the old ones.
        let made = if prefix == PARAMETER { asked } else { BTreeSet::new() };
        return managed::names(prefix, &[], &made, &[], &[]);
    }
    // Of a server that is not at rest not everything is read: what is not seen to differ may differ all the same.
    if !seen.present().is_some_and(|server| server.accepts_writes && server.health == Health::Usable) {
        return recorded.to_vec();
    }
    let begun = if pass.acts && pass.trigger == trigger { seen.due(stage) } else { Vec::new() };
    let all: Vec<&Difference> = seen.differences.iter().chain(&seen.waiting.differences).collect();
    managed::names(prefix, recorded, &asked, &all, &begun)
}

/// What the spec asks for and the backend does not do, in one sentence.
fn limited(seen: &ServerSeen) -> Option<String> {
    let sentences: Vec<String> =
        seen.unsupported.iter().map(|one| format!("{}: {}", one.field, one.message)).collect();
    (!sentences.is_empty()).then(|| sentences.join("; "))
}

/// That there is more storage than asked for, whether the service has grown it or somebody asks for less than before:
/// either way it stays.
fn surplus(pass: &Pass<'_, Servers>) -> Option<String> {
    let found = pass.seen.present()?.facts.storage_gb?;
    let asked = pass.object.spec.size.as_ref()?.storage_gb.and_then(|asked| u64::try_from(asked).ok())?;
    (found > asked).then(|| {
        format!(
            "storage: {found} GB, and {asked} GB asked for; it stays as it is, since storage never shrinks"
        )
    })
}

/// Keeps what the backend knows; what was kept stays where there is no backend to ask.
fn keep_notes(status: &mut ServerStatus, seen: &ServerSeen, now: Timestamp) {
    let Some(notes) = &seen.notes else { return };
    let seen_by_all = || {
        let kind = seen.present()?.operation.clone()?;
        Some(Operation { id: String::new(), kind, since: Time(now), about: None, form: None })
    };
    let operation = notes.operation.clone().or_else(seen_by_all);
    status.operation = operation.map(|new| match status.operation.take() {
        Some(old) if old.kind == new.kind && old.id == new.id => old,
        _ => new,
    });
    status.attempts.clone_from(&notes.attempts);
}

/// The status after the actions of a pass: with what they have begun, before anything else happens.
pub(super) fn afterwards(
    object: &PostgreSQLServer,
    seen: &ServerSeen,
    now: Timestamp,
) -> Option<ServerStatus> {
    let mut status = object.status.clone()?;
    let notes = seen.notes.as_ref()?;
    let begun = notes.operation.is_some() || notes.attempts != status.attempts;
    begun.then(|| {
        keep_notes(&mut status, seen, now);
        status
    })
}

/// What is not changed because it was taken over, one sentence each.
fn taken_over(seen: &ServerSeen) -> Vec<String> {
    if seen.holds_back() { applicable(seen) } else { Vec::new() }
}

/// What could be changed, one sentence each.
fn applicable(seen: &ServerSeen) -> Vec<String> {
    let applicable =
        seen.differences.iter().filter(|difference| matches!(difference.change, Change::Apply { .. }));
    applicable.map(|difference| difference.sentence()).collect()
}

/// What is asked for and was refused, one sentence each.
fn refused(seen: &ServerSeen) -> Vec<String> {
    let kept =
        seen.differences.iter().filter(|difference| matches!(difference.change, Change::Refused { .. }));
    let mut sentences: Vec<String> = kept.map(|difference| difference.sentence()).collect();
    if seen.present().is_some() {
        sentences.extend(seen.rejections.iter().map(|one| format!("{}: {}", one.field, one.message)));
    }
    sentences.extend(seen.refused.iter().map(|(_, message)| message.clone()));
    sentences.extend(conditions::unreadable_request(&seen.requests));
    sentences
}

/// Whether the credentials can be used; none when the backend did not say where the server is.
fn usable(seen: &ServerSeen, verdict: &Verdict) -> Option<conditions::Answer> {
    match seen.answer {
        Answer::Unreadable { .. } => None,
        Answer::Absent | Answer::NotOurs(_) if seen.credentials.foreign.is_none() => {
            Some(conditions::Answer::new(false, verdict.reason, verdict.message.clone()))
        }
        _ => Some(conditions::usable(&seen.credentials, verdict)),
    }
}
