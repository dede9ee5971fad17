//! What may become of published passwords: each stays as it is, unless it was to be replaced.

use super::{Credentials, done};

/// Whose password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The administrator of the server.
    Server,
    /// The role of the database.
    Database,
}

impl Holder {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Server, Self::Database];
}

/// The published logins of a server and of a database on it; none where nothing is published.
#[derive(Clone, Debug, Default)]
pub struct Passwords {
    /// The server's.
    pub server: Option<Credentials>,
    /// The database's.
    pub database: Option<Credentials>,
}

impl Passwords {
    /// What is published for that holder.
    pub fn of(&self, holder: Holder) -> Option<&Credentials> {
        match holder {
            Holder::Server => self.server.as_ref(),
            Holder::Database => self.database.as_ref(),
        }
    }

    /// Each is the one from before, unless it was `replaced`: then it is another one, and the one from before is refused.
    /// Where nothing was published before, or is any more, there is nothing to compare. `told`: for people.
    pub async fn follow(&self, before: &Self, replaced: &[Holder], told: &str) {
        for holder in Holder::ALL {
            let (Some(before), Some(now)) = (before.of(holder), self.of(holder)) else { continue };
            if replaced.contains(&holder) {
                now.replaces(before, &format!("{told}: {holder:?}")).await;
            } else {
                assert!(now.password == before.password, "{told}: {holder:?}: the password is what it was");
            }
        }
    }
}

impl Credentials {
    /// These have another password than those before, and it is the only one that is accepted.
    pub async fn replaces(&self, before: &Self, told: &str) {
        assert!(self.password != before.password, "{told}: another password is published");
        let old = Self { password: before.password.clone(), ..self.clone() };
        assert!(done(old.is_refused().await), "{told}: the password from before is refused");
    }
}
