//! What users, other people and bad luck do in the world of a server.

use super::{PublishedSecret, Server, ServerState, Stage};
use crate::fsm::search::unused;

type Change = (&'static str, ServerState);

/// Collects the changes that apply.
struct Changes<'a> {
    state: &'a ServerState,
    all: Vec<Change>,
}

impl Changes<'_> {
    fn add(&mut self, label: &'static str, applies: bool, change: impl Fn(&mut ServerState)) {
        if applies {
            let mut next = self.state.clone();
            change(&mut next);
            self.all.push((label, next));
        }
    }
}

/// Everything that can go wrong or be done by people; each costs one of the budget.
pub(super) fn all(state: &ServerState) -> Vec<Change> {
    let mut changes = Changes { state, all: Vec::new() };
    let live = !state.deleting;
    let no_secret = state.published.is_none() && !state.foreign_secret;
    changes.add("user deletes the object", live, |s| s.deleting = true);
    changes.add("user asks for a reset", live && !state.reset_asked, |s| s.reset_asked = true);
    changes.add("user asks to recreate", live && !state.recreate_asked, |s| s.recreate_asked = true);
    changes.add("user asks to apply what waits", state.taken_over && !state.apply_asked, |s| {
        s.apply_asked = true
    });
    changes.add("user changes the spec of what was taken over", live && state.taken_over, |s| {
        s.taken_over = false;
        on(s, |server| server.differs = true);
    });
    changes.add("user pauses", !state.paused, |s| s.paused = true);
    changes.add("user deletes the Secret", state.published.is_some(), |s| s.published = None);
    changes.add("user deletes the pending Secret", state.pending.is_some(), |s| s.pending = None);
    changes.add("a foreign Secret takes the name", no_secret, |s| s.foreign_secret = true);
    if state.usable().is_some() {
        at_the_backend(&mut changes);
    }
    let creating = state.server.is_some_and(|server| server.stage == Stage::Creating);
    changes.add("creation fails", creating, |s| on(s, |server| server.stage = Stage::FailedNew));
    for (_, next) in &mut changes.all {
        next.budget -= 1;
    }
    changes.all
}

/// What befalls an available server of ours.
fn at_the_backend(changes: &mut Changes<'_>) {
    let published = changes.state.published.is_some_and(|secret| secret.current);
    changes.add("somebody changes the password", true, |s| on(s, |server| server.password = 0));
    changes.add("the server drifts", true, |s| on(s, |server| server.differs = true));
    changes.add("a setting drifts", true, |s| on(s, |server| server.unconfigured = true));
    changes.add("the endpoint moves", published, |s| {
        s.published = s.published.map(|secret| PublishedSecret { current: false, ..secret });
    });
    changes.add("the server goes down", true, |s| on(s, |server| server.stage = Stage::Down));
    changes.add("the server is stopped", true, |s| on(s, |server| server.stage = Stage::Stopped));
    changes.add("the server vanishes", true, |s| {
        s.lost |= s.handed_out();
        s.server = None;
    });
    changes.add("the server is replaced by another", true, |s| {
        s.lost |= s.handed_out();
        let uid = unused(&[s.recorded_uid, s.server.map(|server| server.uid)]);
        on(s, |server| {
            server.uid = uid;
            server.password = 0;
        });
    });
    changes.add("the server passes to somebody else", true, |s| on(s, |server| server.foreign = true));
}

/// What ends a wait; free, as it cannot do harm.
pub(super) fn remedies(state: &ServerState) -> Vec<Change> {
    let mut changes = Changes { state, all: Vec::new() };
    changes.all.extend(progress(state));
    changes.add("user ends the pause", state.paused, |s| s.paused = false);
    changes.add("the foreign Secret is removed", state.foreign_secret, |s| s.foreign_secret = false);
    changes.all
}

/// What happens by itself.
pub(super) fn progress(state: &ServerState) -> Option<Change> {
    let server = state.server?;
    matches!(server.stage, Stage::Creating | Stage::Down).then(|| {
        let mut next = state.clone();
        next.server = Some(Server { stage: Stage::Available, ..server });
        ("the server gets ready", next)
    })
}

fn on(state: &mut ServerState, change: impl Fn(&mut Server)) {
    if let Some(server) = state.server.as_mut() {
        change(server);
    }
}
