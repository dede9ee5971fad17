//! What both kinds share about passwords: where they stand, and whether PostgreSQL accepts them.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;

use super::context::Context;
use super::failure::Failure;
use super::logins::LoginAnswer;
use super::settled::{Login, Mark};
use super::whereabouts::{Whereabouts, recognised};
use crate::api::Reason;
use crate::backend::Retry;
use crate::fsm::{Pending, Published};
use crate::postgres::Endpoint;
use crate::secrets::{
    ConnectionFacts, ISSUED_AT, Issue, Password, PendingPassword, RESET_AT, SecretError, SecretOwner, field,
    generate, is_unmarked_and_complete, marked_name, password_in, time_in,
};

/// The passwords of an object, as observed. Not `Debug`: a Secret prints its data.
pub struct CredentialsSeen {
    /// Whose they are.
    pub owner: SecretOwner,
    /// The name of the credentials Secret in the spec.
    pub secret_name: String,
    /// The Secret of that name.
    pub secret: Option<Secret>,
    /// Whose that Secret is, if it is foreign.
    pub foreign: Option<String>,
    /// The Secret's former name, if the spec names another one now and the former is still there and ours.
    pub former: Option<Secret>,
    /// The password in the Secret, or in the former one.
    pub published: Option<Password>,
    /// What PostgreSQL says to it.
    pub published_login: LoginAnswer,
    /// Whether the Secret says what it should.
    pub current: bool,
    /// The pending password.
    pub pending: Option<PendingPassword>,
    /// What PostgreSQL says to it.
    pub pending_login: LoginAnswer,
    /// The password that the original operator left on its way, if neither Secret is there.
    pub left: Option<Password>,
    /// What PostgreSQL says to it.
    pub left_login: LoginAnswer,
    /// What an application needs besides the password; none while the server is not there.
    pub facts: Option<ConnectionFacts>,
    /// Where logins are tried; none while the server takes no connections.
    pub endpoint: Option<Endpoint>,
    /// A mark of everything that a login with the published password depends on.
    pub(super) login_mark: Mark,
    /// Not everything was looked at, since nothing was the matter lately.
    pub remembered: bool,
}

impl CredentialsSeen {
    /// Reads the Secrets, and asks PostgreSQL about the passwords in them if an endpoint is given, unless the login is
    /// the one that is remembered.
    ///
    /// # Errors
    /// When a Secret could not be read. "Does not exist" is not an error.
    pub async fn observe(
        context: &Context,
        owner: SecretOwner,
        whereabouts: Whereabouts<'_>,
    ) -> Result<Self, Failure> {
        let Whereabouts {
            secret_name,
            former_name,
            temporary,
            remembered,
            taken_over,
            last_address,
            facts,
            endpoint,
        } = whereabouts;
        let mut facts = facts;
        // Only we write it, and we last saw that there was none.
        let pending = match &remembered {
            Some(_) => None,
            None => context.secrets.pending(&owner).await?,
        };
        let secret = context.secrets.get(&owner.namespace, secret_name).await?;
        let mut former = None;
        if let Some(name) = former_name.filter(|name| *name != secret_name) {
            former = context.secrets.get(&owner.namespace, name).await?.filter(|secret| owner.owns(secret));
        }
        let mut left = None;
        if let Some(name) = temporary.filter(|_| secret.is_none() && former.is_none()) {
            left = context.secrets.left_by_original(&name).await?;
        }
        let is_ours = |secret: &&Secret| recognised(&owner, facts.as_ref(), last_address.as_ref(), secret);
        let foreign =
            secret.as_ref().filter(|secret| !is_ours(secret)).map(|secret| match marked_name(secret) {
                Some(name) if owner.succeeds_in(secret) => format!("an earlier {name}"),
                Some(name) => name,
                None => "nobody the operator knows".to_owned(),
            });
        if let (true, Some(facts), Some(secret)) = (taken_over && foreign.is_none(), &mut facts, &secret) {
            facts.sslmode = field(secret, "sslmode").unwrap_or_else(|| facts.sslmode.clone());
        }
        let published = match &foreign {
            Some(_) => None,
            None => secret.as_ref().or(former.as_ref()).and_then(password_in),
        };
        let current = foreign.is_none()
            && former.is_none()
            && match (&secret, &published, &facts) {
                (Some(secret), Some(password), Some(facts)) => {
                    facts.is_published_in(&owner, secret, password)
                }
                _ => false,
            };
        let mut seen = Self {
            owner,
            secret_name: secret_name.to_owned(),
            foreign,
            former,
            published_login: LoginAnswer::NotTried,
            current,
            pending,
            pending_login: LoginAnswer::NotTried,
            left,
            left_login: LoginAnswer::NotTried,
            login_mark: Mark::default(),
            // Nothing may follow from it but that there is nothing to do.
            remembered: remembered.is_some(),
            secret,
            published,
            facts,
            endpoint,
        };
        seen.login_mark = seen.mark_login(context);
        match remembered {
            Some(login) if login == Login::Worked(seen.login_mark) && seen.takes_connections().await => {
                seen.published_login = LoginAnswer::Accepted;
            }
            _ => seen.try_logins().await,
        }
        Ok(seen)
    }

    /// The sentence about a Secret of somebody else under the name in the spec; none when there is no such Secret.
    pub fn conflict(&self) -> Option<String> {
        let owner = self.foreign.clone()?;
        Some(SecretError::Foreign { name: self.secret_name.clone(), owner }.to_string())
    }

    /// Whether a password that was kept for this object, by us or by the original, logs in.
    pub fn is_any_accepted(&self) -> bool {
        [&self.published_login, &self.pending_login, &self.left_login]
            .iter()
            .any(|answer| answer.is_accepted())
    }

    /// Whether the original operator may have written the Secret.
    pub fn is_left_by_original(&self) -> bool {
        self.secret.as_ref().is_some_and(is_unmarked_and_complete)
    }

    /// What happens to the password that the original left.
    pub fn left_sentence(&self) -> String {
        format!(
            "the password that the original operator left on its way goes into the Secret {}",
            self.secret_name
        )
    }

    /// The pending password, for the decision.
    pub fn pending_view(&self) -> Pending {
        match (&self.pending, &self.pending_login) {
            (None, _) => Pending::None,
            (Some(_), answer) if answer.is_accepted() => Pending::Accepted,
            (Some(_), _) => Pending::Unapplied,
        }
    }

    /// The credentials Secret, for the decision.
    pub fn published_view(&self) -> Published {
        if self.foreign.is_some() {
            Published::Foreign
        } else if self.published.is_none() {
            Published::Absent
        } else if !self.published_login.is_accepted() {
            Published::Refused
        } else if self.current {
            Published::Current
        } else {
            Published::Stale
        }
    }

    /// The Secret that holds the published password: the one of the name in the spec, or the former one.
    fn ours(&self) -> Option<&Secret> {
        self.secret.as_ref().filter(|_| self.foreign.is_none()).or(self.former.as_ref())
    }

    /// When the published password was drawn, as far as it is known.
    pub fn issued_at(&self) -> Option<Timestamp> {
        let secret = self.ours()?;
        time_in(secret, ISSUED_AT).or(secret.metadata.creation_timestamp.as_ref().map(|at| at.0))
    }

    /// When a request last caused a reset.
    pub fn last_reset(&self) -> Option<Timestamp> {
        let secret = self.ours()?;
        time_in(secret, RESET_AT)
    }

    /// The name under which our credentials stand now; the former one, as long as there is one to be removed.
    pub fn bound_name(&self) -> Option<String> {
        match &self.former {
            Some(former) => former.metadata.name.clone(),
            None => self.ours().map(|_| self.secret_name.clone()),
        }
    }

    /// Draws a password, or takes the one that the original left on its way, and stores it, unless one is stored.
    ///
    /// # Errors
    /// When the Secret could not be written or read back.
    pub async fn store_pending(&mut self, context: &Context, settles: &[String]) -> Result<(), Failure> {
        // What the original drew is older than what is asked of us.
        let (password, settles) = match &self.left {
            Some(left) => (left.clone(), &[][..]),
            None => (generate(&context.password_rules()), settles),
        };
        let stored = context.secrets.store_pending(&self.owner, &password, settles, Timestamp::now()).await?;
        self.pending = Some(stored);
        self.pending_login = LoginAnswer::NotTried;
        Ok(())
    }

    /// The password to be set or created with.
    ///
    /// # Errors
    /// When none is pending any more.
    pub fn pending_password(&self) -> Result<&Password, Failure> {
        let pending =
            self.pending.as_ref().ok_or_else(|| Failure::conflict("the pending password is gone"))?;
        Ok(&pending.password)
    }

    /// Logs in with the password that was just set.
    ///
    /// # Errors
    /// When it is not accepted (yet).
    pub async fn verify(&mut self) -> Result<(), Failure> {
        let password = match (&self.pending, &self.published) {
            (Some(pending), _) => pending.password.clone(),
            (None, Some(published)) => published.clone(),
            (None, None) => return Err(Failure::conflict("the password to verify is gone")),
        };
        match self.login(&password).await {
            accepted @ (LoginAnswer::Accepted | LoginAnswer::Barred(_)) => {
                let verified =
                    if self.pending.is_some() { &mut self.pending_login } else { &mut self.published_login };
                *verified = accepted;
                Ok(())
            }
            LoginAnswer::Refused | LoginAnswer::NotTried => Err(Failure::new(
                Reason::CredentialsRefused,
                "the password that was just set is not accepted yet",
                Retry::Backoff(None),
            )),
            LoginAnswer::Unreachable(message) => {
                Err(Failure::new(Reason::Unreachable, message, Retry::Backoff(None)))
            }
        }
    }

    /// Whether the Secret holds the accepted password already: the operator died, or is only cleaning up.
    fn is_published(&self) -> bool {
        let newest =
            self.pending.as_ref().is_none_or(|pending| self.published.as_ref() == Some(&pending.password));
        newest && self.current
    }

    /// Publishes the accepted password with the facts, unless it stands there already.
    ///
    /// # Errors
    /// When no password is accepted, or the Secret could not be written.
    pub async fn publish(&mut self, context: &Context) -> Result<(), Failure> {
        let facts = self.facts.as_ref().ok_or_else(|| Failure::conflict("the server is gone"))?;
        if let Some(message) = self.conflict() {
            return Err(Failure::new(Reason::SecretConflict, message, Retry::Slowly));
        }
        if self.is_published() {
            return Ok(());
        }
        let kept = self.last_reset();
        let issue = match (&self.pending, &self.published) {
            (Some(pending), _) if self.pending_login.is_accepted() => Issue {
                password: &pending.password,
                issued_at: pending.issued_at,
                reset_at: if pending.settles.is_empty() { kept } else { Some(pending.issued_at) },
            },
            (None, Some(password)) if self.published_login.is_accepted() => {
                Issue { password, issued_at: self.issued_at().unwrap_or_else(Timestamp::now), reset_at: kept }
            }
            _ => return Err(Failure::conflict("no password is accepted by the server")),
        };
        let found = self.secret.as_ref();
        let secret = context.secrets.publish(&self.owner, &self.secret_name, found, facts, &issue).await?;
        if self.pending.is_some() {
            self.published_login = self.pending_login.clone();
        }
        self.published = password_in(&secret);
        self.secret = Some(secret);
        self.login_mark = self.mark_login(context);
        Ok(())
    }

    /// A mark of everything that a login with the published password depends on.
    fn mark_login(&self, context: &Context) -> Mark {
        context.settled.mark((
            self.published.as_ref().map(Password::expose),
            self.secret.as_ref().map(|secret| (&secret.metadata.uid, &secret.metadata.resource_version)),
            self.endpoint.as_ref().map(|endpoint| (&endpoint.host, endpoint.port)),
            self.facts.as_ref().map(|facts| (&facts.username, &facts.dbname, &facts.ca_pem)),
        ))
    }

    /// Deletes the pending password.
    ///
    /// # Errors
    /// When the API server could not be asked.
    pub async fn drop_pending(&mut self, context: &Context) -> Result<(), Failure> {
        if let Some(pending) = self.pending.take() {
            context.secrets.drop_pending(&self.owner, &pending).await?;
        }
        Ok(())
    }

    /// Deletes the Secret of the former name.
    ///
    /// # Errors
    /// When the API server could not be asked.
    pub async fn remove_former(&self, context: &Context) -> Result<(), Failure> {
        if let Some(name) = self.former.as_ref().and_then(|secret| secret.metadata.name.as_deref()) {
            context.secrets.remove(&self.owner, name).await?;
        }
        Ok(())
    }

    /// Deletes the credentials Secret, under its name and a former one, where it is ours.
    ///
    /// # Errors
    /// When the API server could not be asked.
    pub async fn remove(&self, context: &Context) -> Result<(), Failure> {
        match self.secret.as_ref().filter(|_| self.foreign.is_none()) {
            Some(secret) => context.secrets.remove_seen(secret).await?,
            None => context.secrets.remove(&self.owner, &self.secret_name).await?,
        }
        self.remove_former(context).await
    }
}
