//! What the actions do in the world of a database.

use super::promises::{
    DROPPED, EMPTY_FOR_LOST, FOREIGN_SECRET_TOUCHED, FOREIGN_TOUCHED, IDLE_CONFIGURATION, IDLE_PASSWORD,
    LEFT_BEHIND, OUT_OF_REACH, REFUSED_PUBLISHED, ROLE_DROPPED, SECRET_LOST, TAKEN_OVER_CHANGED,
};
use super::{Database, DatabaseState, Host, PendingSecret, PublishedSecret, Role};
use crate::fsm::CredentialsAction;
use crate::fsm::database::{DatabaseAction, DatabasePresence};
use crate::fsm::search::{Broken, unused};

impl DatabaseState {
    /// The effect of one action; `Err` when it is refused without effect.
    pub(super) fn act(&mut self, action: DatabaseAction, broken: &mut Vec<Broken>) -> Result<(), ()> {
        match action {
            DatabaseAction::Credentials(action) => self.act_on_credentials(action, broken)?,
            _ if self.host != Host::Usable => {
                broken.push(OUT_OF_REACH);
                return Err(());
            }
            _ => self.act_in_sql(action, broken)?,
        }
        // From the moment in which the published password logs in, there may be data.
        let open =
            self.our_role().is_some_and(|role| self.published.is_some_and(|s| s.password == role.password));
        if let Some(database) = self.database.as_mut().filter(|database| !database.foreign && open) {
            database.used = true;
        }
        Ok(())
    }

    fn act_in_sql(&mut self, action: DatabaseAction, broken: &mut Vec<Broken>) -> Result<(), ()> {
        match action {
            DatabaseAction::CreateRole => {
                let pending = self.pending.ok_or(())?;
                if self.role.is_some_and(|role| role.foreign) {
                    return Err(());
                }
                // A role of ours that is there already gets the pending password.
                self.role = Some(Role { foreign: false, password: pending.password });
                Ok(())
            }
            DatabaseAction::CreateDatabase => {
                self.our_role().ok_or(())?;
                match self.database {
                    Some(database) if database.foreign => return Err(()),
                    Some(_) => return Ok(()),
                    None => {}
                }
                if self.lost {
                    broken.push(EMPTY_FOR_LOST);
                }
                self.database = Some(Database { foreign: false, unconfigured: true, used: false });
                Ok(())
            }
            DatabaseAction::ConfigureDatabase => {
                let database = self.database.as_mut().ok_or(())?;
                if database.foreign {
                    broken.push(FOREIGN_TOUCHED);
                } else if !database.unconfigured {
                    broken.push(IDLE_CONFIGURATION);
                }
                if self.taken_over {
                    broken.push(TAKEN_OVER_CHANGED);
                }
                database.unconfigured = false;
                Ok(())
            }
            DatabaseAction::ApplyPassword => self.set_password(self.pending.map(|p| p.password), broken),
            DatabaseAction::RestorePassword => self.set_password(self.published.map(|p| p.password), broken),
            DatabaseAction::DropDatabase => {
                if self.database.is_some_and(|database| database.foreign) {
                    broken.push(FOREIGN_TOUCHED);
                } else if self.database.is_some() && (!self.deleting || self.retain) {
                    broken.push(DROPPED);
                }
                self.database = None;
                Ok(())
            }
            DatabaseAction::DropRole => {
                if self.role.is_some_and(|role| role.foreign) {
                    broken.push(FOREIGN_TOUCHED);
                } else if self.role.is_some() && self.database.is_some() {
                    broken.push(ROLE_DROPPED);
                }
                self.role = None;
                Ok(())
            }
            DatabaseAction::Credentials(_) => Ok(()),
        }
    }

    fn set_password(&mut self, password: Option<u8>, broken: &mut Vec<Broken>) -> Result<(), ()> {
        let password = password.ok_or(())?;
        let role = self.role.as_mut().ok_or(())?;
        if role.foreign {
            broken.push(FOREIGN_TOUCHED);
        } else if role.password == password {
            broken.push(IDLE_PASSWORD);
        }
        role.password = password;
        Ok(())
    }

    fn act_on_credentials(&mut self, action: CredentialsAction, broken: &mut Vec<Broken>) -> Result<(), ()> {
        let newest = self.pending.map(|p| p.password).or(self.published.map(|p| p.password));
        match action {
            CredentialsAction::StorePassword => {
                if self.pending.is_none() {
                    let drawn = unused(&[
                        self.role.map(|role| role.password),
                        self.published.map(|secret| secret.password),
                    ]);
                    // What the original drew settles nothing that is asked of us.
                    let left = self.left.filter(|_| self.published.is_none());
                    let settles_reset = self.reset_asked && left.is_none();
                    self.pending = Some(PendingSecret { password: left.unwrap_or(drawn), settles_reset });
                }
            }
            CredentialsAction::VerifyLogin => {
                newest.filter(|password| self.accepts(*password)).ok_or(())?;
            }
            CredentialsAction::PublishCredentials => {
                let password = newest.ok_or(())?;
                if self.foreign_secret {
                    broken.push(FOREIGN_SECRET_TOUCHED);
                } else if !self.accepts(password) {
                    broken.push(REFUSED_PUBLISHED);
                }
                self.published = Some(PublishedSecret { password, current: true });
            }
            CredentialsAction::ClearRequest => {
                self.recreate_asked = false;
                self.apply_asked = false;
                if self.pending.is_some_and(|pending| pending.settles_reset) {
                    self.reset_asked = false;
                }
            }
            CredentialsAction::DropPending => self.pending = None,
            CredentialsAction::RemoveFormerSecret => {}
            CredentialsAction::RemoveSecret => {
                if self.published.is_some() && self.our_database().is_some() && self.retain {
                    broken.push(SECRET_LOST);
                }
                self.published = None;
            }
            CredentialsAction::ReleaseFinalizer => {
                let ours = self.our_role().is_some() || self.our_database().is_some();
                // Beside something foreign nothing is dropped at all: it may depend on what is ours.
                let in_reach = self.host == Host::Usable && self.presence() != DatabasePresence::NotOurs;
                if ours && in_reach && !self.retain {
                    broken.push(LEFT_BEHIND);
                }
                self.released = true;
            }
        }
        Ok(())
    }
}
