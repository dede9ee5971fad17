//! Whether PostgreSQL accepts the passwords of an object.

use std::time::Duration;

use super::credentials::CredentialsSeen;
use super::settled::Login as Remembered;
use crate::postgres::{Login, SqlErrorKind, takes_connections, verify_login};
use crate::secrets::Password;

/// A refused login is tried once more after this, before anything follows from it.
const SECOND_LOOK: Duration = Duration::from_secs(1);

/// The answer to a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginAnswer {
    /// None was tried.
    NotTried,
    /// The password is accepted.
    Accepted,
    /// The password is accepted, and yet nobody gets into the database with it.
    Barred(String),
    /// The password is refused.
    Refused,
    /// There was no answer, or none about the password.
    Unreachable(String),
}

impl LoginAnswer {
    /// Whether the password is the right one.
    pub fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted | Self::Barred(_))
    }
}

impl CredentialsSeen {
    pub(super) async fn takes_connections(&self) -> bool {
        match &self.endpoint {
            Some(endpoint) => takes_connections(endpoint).await,
            None => false,
        }
    }

    /// The login that may be remembered: the published password's, if nothing is the matter with it.
    pub fn login_that_worked(&self) -> Option<Remembered> {
        (self.pending.is_none() && self.published_login == LoginAnswer::Accepted)
            .then_some(Remembered::Worked(self.login_mark))
    }

    /// The password that is to be in force and is not: the pending one, or, if none is pending, the published one.
    pub fn refused(&self) -> Option<&Password> {
        match &self.pending {
            Some(pending) => Some(&pending.password).filter(|_| !self.pending_login.is_accepted()),
            None => self.published.as_ref().filter(|_| !self.published_login.is_accepted()),
        }
    }

    /// Asks PostgreSQL about every password there is.
    pub(super) async fn try_logins(&mut self) {
        if let Some(password) = self.published.clone() {
            self.published_login = self.login(&password).await;
        }
        if let Some(pending) = self.pending.clone() {
            self.pending_login = match &self.published {
                Some(published) if *published == pending.password => self.published_login.clone(),
                _ => self.login(&pending.password).await,
            };
        }
        if let Some(left) = self.left.clone().filter(|_| self.pending.is_none()) {
            self.left_login = self.login(&left).await;
        }
        // A server that is just coming up may refuse a password it accepts a moment later; a change of passwords must
        // not follow from one refusal.
        if self.published_login == LoginAnswer::Refused && self.pending.is_none() && !self.remembered {
            tokio::time::sleep(SECOND_LOOK).await;
            if let Some(password) = self.published.clone() {
                self.published_login = self.login(&password).await;
            }
        }
    }

    /// What PostgreSQL says to this password.
    pub async fn login(&self, password: &Password) -> LoginAnswer {
        let (Some(endpoint), Some(facts)) = (&self.endpoint, &self.facts) else {
            return LoginAnswer::NotTried;
        };
        let login = Login { user: &facts.username, password: Some(password), dbname: &facts.dbname };
        match verify_login(endpoint, &login).await {
            Ok(()) => LoginAnswer::Accepted,
            Err(error) => match error.kind() {
                SqlErrorKind::PasswordRefused => LoginAnswer::Refused,
                // The role may not enter the database, nobody may, or it is not there: the password itself was right.
                SqlErrorKind::DatabaseMissing | SqlErrorKind::DatabaseClosed | SqlErrorKind::NotPermitted => {
                    LoginAnswer::Barred(error.to_string())
                }
                _ => LoginAnswer::Unreachable(error.to_string()),
            },
        }
    }

    /// Why no login got an answer, if one was tried and none did.
    pub fn unreachable(&self) -> Option<&str> {
        [&self.published_login, &self.pending_login].into_iter().find_map(|answer| match answer {
            LoginAnswer::Unreachable(message) => Some(message.as_str()),
            _ => None,
        })
    }
}
