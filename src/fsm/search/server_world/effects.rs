//! What the actions do in the world of a server.

use super::promises::{
    DELETED, EMPTY_FOR_LOST, FOREIGN_SECRET_TOUCHED, FOREIGN_TOUCHED, IDLE_CONFIGURATION, IDLE_MARK,
    IDLE_PASSWORD, IDLE_UPDATE, LEFT_BEHIND, LEFT_UNMARKED, REFUSED_PUBLISHED, SECOND_SERVER,
    TAKEN_OVER_CHANGED,
};
use super::{PendingSecret, PublishedSecret, Server, ServerState, Stage};
use crate::fsm::CredentialsAction;
use crate::fsm::search::{Broken, unused};
use crate::fsm::server::{Presence, ServerAction};

impl ServerState {
    /// The effect of one action; `Err` when it is refused without effect.
    pub(super) fn act(&mut self, action: ServerAction, broken: &mut Vec<Broken>) -> Result<(), ()> {
        if let Some(server) = self.server {
            let touches = matches!(
                action,
                ServerAction::UpdateServer
                    | ServerAction::ConfigureServer
                    | ServerAction::ApplyPassword
                    | ServerAction::RestorePassword
                    | ServerAction::MarkServer
                    | ServerAction::DeleteServer
                    | ServerAction::RemoveShell
            );
            if touches && server.foreign {
                broken.push(FOREIGN_TOUCHED);
            }
            let changes = matches!(
                action,
                ServerAction::UpdateServer | ServerAction::ConfigureServer | ServerAction::RemoveShell
            );
            if changes && self.taken_over {
                broken.push(TAKEN_OVER_CHANGED);
            }
        }
        match action {
            ServerAction::CreateServer => {
                if self.server.is_some() {
                    broken.push(SECOND_SERVER);
                    return Err(());
                }
                if self.lost {
                    broken.push(EMPTY_FOR_LOST);
                }
                let pending = self.pending.ok_or(())?;
                self.server = Some(Server {
                    foreign: false,
                    uid: unused(&[self.recorded_uid]),
                    password: pending.password,
                    stage: Stage::Creating,
                    differs: false,
                    unconfigured: true,
                    marked: false,
                });
            }
            ServerAction::RemoveShell => {
                self.server.filter(|server| server.stage == Stage::FailedNew).ok_or(())?;
                self.server = None;
            }
            ServerAction::UpdateServer => {
                let server = self.server.as_mut().ok_or(())?;
                if !server.differs && server.stage == Stage::Available {
                    broken.push(IDLE_UPDATE);
                }
                server.differs = false;
                if server.stage == Stage::Stopped {
                    server.stage = Stage::Available;
                }
            }
            ServerAction::ConfigureServer => {
                let server = self.server.as_mut().ok_or(())?;
                if !server.unconfigured {
                    broken.push(IDLE_CONFIGURATION);
                }
                server.unconfigured = false;
            }
            ServerAction::ApplyPassword => {
                self.set_password(self.pending.map(|pending| pending.password), broken)?
            }
            ServerAction::RestorePassword => {
                self.set_password(self.published.map(|secret| secret.password), broken)?
            }
            ServerAction::MarkServer => {
                if !self.is_mismarked() {
                    broken.push(IDLE_MARK);
                }
                let left = self.deleting;
                self.server.as_mut().ok_or(())?.marked = left;
            }
            ServerAction::DeleteServer => {
                if !self.deleting || self.retain {
                    broken.push(DELETED);
                }
                self.server = None;
            }
            ServerAction::Credentials(action) => self.act_on_credentials(action, broken)?,
        }
        Ok(())
    }

    fn set_password(&mut self, password: Option<u8>, broken: &mut Vec<Broken>) -> Result<(), ()> {
        let password = password.ok_or(())?;
        let server = self.server.as_mut().filter(|server| server.stage == Stage::Available).ok_or(())?;
        if server.password == password {
            broken.push(IDLE_PASSWORD);
        }
        server.password = password;
        Ok(())
    }

    fn act_on_credentials(&mut self, action: CredentialsAction, broken: &mut Vec<Broken>) -> Result<(), ()> {
        match action {
            CredentialsAction::StorePassword => {
                if self.pending.is_none() {
                    let drawn = unused(&[
                        self.server.map(|server| server.password),
                        self.published.map(|secret| secret.password),
                    ]);
                    // What the original drew settles nothing that is asked of us.
                    let left = self.left.filter(|_| self.published.is_none());
                    let settles_reset = self.reset_asked && left.is_none();
                    self.pending = Some(PendingSecret { password: left.unwrap_or(drawn), settles_reset });
                }
            }
            CredentialsAction::VerifyLogin => {
                let password =
                    self.pending.map(|p| p.password).or(self.published.map(|p| p.password)).ok_or(())?;
                self.usable().filter(|server| server.password == password).ok_or(())?;
            }
            CredentialsAction::PublishCredentials => {
                if self.foreign_secret {
                    broken.push(FOREIGN_SECRET_TOUCHED);
                }
                let password =
                    self.pending.map(|p| p.password).or(self.published.map(|p| p.password)).ok_or(())?;
                if self.usable().is_none_or(|server| server.password != password) {
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
            CredentialsAction::RemoveSecret => self.published = None,
            CredentialsAction::ReleaseFinalizer => {
                if self.server.is_some_and(|server| !server.foreign)
                    && !self.retain
                    && self.presence() != Presence::Replaced
                {
                    broken.push(LEFT_BEHIND);
                }
                if self.retain && self.is_mismarked() && self.presence() != Presence::Replaced {
                    broken.push(LEFT_UNMARKED);
                }
                self.released = true;
            }
        }
        Ok(())
    }
}
