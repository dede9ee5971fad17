//! A state of the database's world, in the words of a trace.

use super::{Database, DatabaseState, Role};

impl std::fmt::Debug for DatabaseState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.phase)?;
        for (name, holds) in [
            ("seen-before", self.evidence),
            ("was-ready", self.was_ready),
            ("deleting", self.deleting),
            ("released", self.released),
            ("paused", self.paused),
            ("retain", self.retain),
            ("reset-asked", self.reset_asked),
            ("recreate-asked", self.recreate_asked),
            ("foreign-secret", self.foreign_secret),
            ("taken-over", self.taken_over),
            ("apply-asked", self.apply_asked),
            ("lost", self.lost),
        ] {
            if holds {
                write!(f, " {name}")?;
            }
        }
        write!(f, " | server {:?}", self.host)?;
        match self.role {
            None => write!(f, " | no role")?,
            Some(Role { foreign: true, .. }) => write!(f, " | foreign role")?,
            Some(role) => write!(f, " | role password {}", role.password)?,
        }
        match self.database {
            None => write!(f, " | no database")?,
            Some(Database { foreign: true, .. }) => write!(f, " | foreign database")?,
            Some(database) => {
                write!(f, " | database")?;
                if database.used {
                    write!(f, " used")?;
                }
                if database.unconfigured {
                    write!(f, " unconfigured")?;
                }
            }
        }
        write!(f, " | pending {:?}", self.pending.map(|pending| pending.password))?;
        match self.published {
            None => write!(f, " | published None"),
            Some(secret) if secret.current => write!(f, " | published {}", secret.password),
            Some(secret) => write!(f, " | published {} out of date", secret.password),
        }
    }
}
