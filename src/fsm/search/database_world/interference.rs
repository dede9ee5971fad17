//! What users, other people and bad luck do in the world of a database.

use super::{Database, DatabaseState, Host, PublishedSecret, Role};

type Change = (&'static str, DatabaseState);

/// Collects the changes that apply.
struct Changes<'a> {
    state: &'a DatabaseState,
    all: Vec<Change>,
}

impl Changes<'_> {
    fn add(&mut self, label: &'static str, applies: bool, change: impl Fn(&mut DatabaseState)) {
        if applies {
            let mut next = self.state.clone();
            change(&mut next);
            self.all.push((label, next));
        }
    }
}

/// Everything that can go wrong or be done by people; each costs one of the budget.
pub(super) fn all(state: &DatabaseState) -> Vec<Change> {
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
        unconfigure(s);
    });
    changes.add("user wants the database to stay", !state.retain, |s| s.retain = true);
    changes.add("user pauses", !state.paused, |s| s.paused = true);
    changes.add("user deletes the Secret", state.published.is_some(), |s| s.published = None);
    changes.add("user deletes the pending Secret", state.pending.is_some(), |s| s.pending = None);
    changes.add("a foreign Secret takes the name", no_secret, |s| s.foreign_secret = true);
    changes.add("the endpoint moves", state.published.is_some_and(|secret| secret.current), |s| {
        s.published = s.published.map(|secret| PublishedSecret { current: false, ..secret });
    });
    if state.host == Host::Usable {
        in_postgresql(&mut changes);
        changes.add("the server goes down", true, |s| s.host = Host::Waiting);
        changes.add("the server's object goes, PostgreSQL stays", true, |s| s.host = Host::Going);
        changes.add("the server is replaced by an empty one", true, lose_everything);
    }
    changes.add("the server vanishes", state.host != Host::Gone, |s| {
        lose_everything(s);
        s.host = Host::Gone;
    });
    for (_, next) in &mut changes.all {
        next.budget -= 1;
    }
    changes.all
}

/// What somebody with rights on the server can do there.
fn in_postgresql(changes: &mut Changes<'_>) {
    let state = changes.state;
    let (role, database) = (state.our_role(), state.our_database());
    changes.add("somebody changes the password", role.is_some(), |s| {
        s.role = Some(Role { foreign: false, password: 0 });
    });
    changes.add("somebody drops the role", role.is_some(), |s| {
        s.role = None;
        // It owned the database, so that was given to somebody else first.
        unconfigure(s);
    });
    changes.add("somebody drops the database", database.is_some(), lose_database);
    changes.add("somebody takes a grant or an extension away", database.is_some(), unconfigure);
    changes.add("the database passes to somebody else", database.is_some(), |s| {
        s.database = s.database.map(|database| Database { foreign: true, ..database });
    });
    changes.add("the role passes to somebody else", role.is_some(), |s| {
        s.role = Some(Role { foreign: true, password: 0 });
    });
    changes.add("somebody else creates a database of that name", state.database.is_none(), |s| {
        s.database = Some(Database { foreign: true, unconfigured: true, used: false });
    });
    changes.add("somebody else creates a role of that name", state.role.is_none(), |s| {
        s.role = Some(Role { foreign: true, password: 0 });
    });
}

/// What ends a wait; free, as it cannot do harm.
pub(super) fn remedies(state: &DatabaseState) -> Vec<Change> {
    let mut changes = Changes { state, all: Vec::new() };
    changes.all.extend(progress(state));
    changes.add("user ends the pause", state.paused, |s| s.paused = false);
    changes.add("the foreign Secret is removed", state.foreign_secret, |s| s.foreign_secret = false);
    changes.add("the server's object is back", state.host == Host::Going, |s| s.host = Host::Usable);
    changes.add("a new server is there", state.host == Host::Gone, |s| s.host = Host::Usable);
    let foreign_database = state.database.is_some_and(|database| database.foreign);
    changes.add("the foreign database goes", foreign_database, lose_database);
    changes.add("the foreign role goes", state.role.is_some_and(|role| role.foreign), |s| {
        s.role = None;
        unconfigure(s);
    });
    changes.all
}

/// What happens by itself.
pub(super) fn progress(state: &DatabaseState) -> Option<Change> {
    (state.host == Host::Waiting).then(|| {
        let mut next = state.clone();
        next.host = Host::Usable;
        ("the server gets usable", next)
    })
}

fn unconfigure(state: &mut DatabaseState) {
    state.database = state.database.map(|database| Database { unconfigured: true, ..database });
}

fn lose_database(state: &mut DatabaseState) {
    state.lost |= state.database.is_some_and(|database| database.used);
    state.database = None;
}

fn lose_everything(state: &mut DatabaseState) {
    lose_database(state);
    state.role = None;
}
