//! Where tokens come from: environment, workload identity, managed identity, Azure's command line, in this order; the
//! original's order, with workload identities where it had them.
//!
//! A source that is set up and fails is told; the next one would log in as somebody else.

mod certificate;
mod transport;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{Secret, TokenCredential};
use azure_core::http::{ClientOptions, RetryOptions, Transport};
use azure_identity::{
    AzureCliCredential, ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions, ManagedIdentityCredential, ManagedIdentityCredentialOptions,
    UserAssignedId, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use http::HeaderValue;
use tokio::sync::Mutex;

use self::certificate::Certificate;
use self::transport::ByHttp;
use super::super::BackendError;
use super::Variables;
use super::arm::Http;

/// The public cloud's place for tokens.
const AUTHORITY: &str = "https://login.microsoftonline.com";
/// An identity of the machine answers at once, or there is none.
const MACHINE: Duration = Duration::from_secs(5);
/// Longest part of a sentence of others.
const LONGEST: usize = 300;
/// How long a failure answers for those who wait beside each other.
const FAILURE: Duration = Duration::from_secs(2);

const TENANT: &str = "AZURE_TENANT_ID";
const CLIENT: &str = "AZURE_CLIENT_ID";
const SECRET: &str = "AZURE_CLIENT_SECRET";
const CERTIFICATE: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
const FEDERATED: &str = "AZURE_FEDERATED_TOKEN_FILE";
const AUTHORITY_HOST: &str = "AZURE_AUTHORITY_HOST";

/// What lets a call in.
#[async_trait]
pub(super) trait Token: Send + Sync + fmt::Debug {
    /// A token that is still good for a while; `renew`: another one than before, which was refused.
    ///
    /// # Errors
    /// When none can be had.
    async fn get(&self, renew: bool) -> Result<Bearer, BackendError>;
}

/// A token, shown nowhere.
#[derive(Clone)]
pub(super) struct Bearer(HeaderValue);

impl Bearer {
    /// # Errors
    /// When it is no token.
    pub(super) fn new(token: &str) -> Result<Self, BackendError> {
        let unreadable = |_| BackendError::transient("the token cannot be sent");
        let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(unreadable)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    /// The value of the header.
    pub(super) fn bearer(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// The sources, and the one that gave a token.
pub(super) struct Credentials {
    variables: Variables,
    authority: String,
    scope: String,
    http: Http,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    chosen: Option<Arc<dyn TokenCredential>>,
    failed: Option<(Instant, BackendError)>,
}

/// Why a source gave no token.
enum NoToken {
    /// It is not set up; the next one is tried.
    NotSetUp(String),
    /// It is, and failed.
    Failed(String),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl Credentials {
    pub(super) fn new(variables: Variables, authority: Option<String>, audience: String, http: Http) -> Self {
        let authority = authority.or_else(|| variables.get(AUTHORITY_HOST).map(str::to_owned));
        Self {
            authority: authority.unwrap_or_else(|| AUTHORITY.to_owned()),
            scope: format!("{audience}/.default"),
            variables,
            http,
            state: Mutex::default(),
        }
    }

    /// The first source that is set up.
    async fn choose(&self) -> Result<(Arc<dyn TokenCredential>, Bearer), BackendError> {
        let mut tried = Vec::new();
        for (name, source) in [
            ("environment", self.environment().await),
            ("workload identity", self.workload_identity()),
            ("managed identity", self.managed_identity()),
            ("Azure CLI", command_line()),
        ] {
            let credential = match source {
                Ok(credential) => credential,
                Err(NoToken::NotSetUp(why)) => {
                    tried.push(format!("{name} ({why})"));
                    continue;
                }
                Err(NoToken::Failed(why)) => return Err(BackendError::rejected(format!("{name}: {why}"))),
            };
            // Whether the last two are there is only told by asking them.
            let certain = name == "environment" || name == "workload identity";
            match self.ask(credential.as_ref(), certain).await {
                Ok(bearer) => return Ok((credential, bearer)),
                Err(why) if certain => return Err(BackendError::transient(format!("{name}: {why}"))),
                Err(why) => tried.push(format!("{name} ({why})")),
            }
        }
        Err(BackendError::rejected(format!("no credentials for Azure; tried {}", tried.join(", "))))
    }

    async fn ask(&self, credential: &dyn TokenCredential, certain: bool) -> Result<Bearer, String> {
        let scopes = [self.scope.as_str()];
        let token = credential.get_token(&scopes, None);
        let token = match certain {
            true => token.await,
            false => match tokio::time::timeout(MACHINE, token).await {
                Ok(token) => token,
                Err(_) => return Err(format!("no answer within {} seconds", MACHINE.as_secs())),
            },
        };
        let token = token.map_err(|error| line(&error.to_string()))?;
        Bearer::new(token.token.secret()).map_err(|error| error.to_string())
    }

    async fn environment(&self) -> Result<Arc<dyn TokenCredential>, NoToken> {
        let variables = &self.variables;
        let (Some(tenant), Some(client)) = (variables.get(TENANT), variables.get(CLIENT)) else {
            return Err(NoToken::NotSetUp(format!("{TENANT} and {CLIENT} are not set")));
        };
        let failed = |error: azure_core::Error| NoToken::Failed(line(&error.to_string()));
        if let Some(secret) = variables.get(SECRET) {
            let options = ClientSecretCredentialOptions { client_options: self.options() };
            let secret = Secret::new(secret.to_owned());
            let credential = ClientSecretCredential::new(tenant, client.to_owned(), secret, Some(options));
            return Ok(credential.map_err(failed)?);
        }
        let Some(path) = variables.get(CERTIFICATE) else {
            return Err(NoToken::NotSetUp(format!("neither {SECRET} nor {CERTIFICATE} is set")));
        };
        let audience = format!("{}/{tenant}/oauth2/v2.0/token", self.authority.trim_end_matches('/'));
        let certificate = Certificate::read(path.into(), client.to_owned(), audience);
        let options = ClientAssertionCredentialOptions { client_options: self.options() };
        let credential =
            ClientAssertionCredential::new(tenant.to_owned(), client.to_owned(), certificate, Some(options));
        Ok(credential.map_err(failed)?)
    }

    /// The file with its token is read anew each time: it is replaced by the hour.
    fn workload_identity(&self) -> Result<Arc<dyn TokenCredential>, NoToken> {
        let get = |name| self.variables.get(name).map(str::to_owned);
        let (Some(tenant), Some(client), Some(file)) = (get(TENANT), get(CLIENT), get(FEDERATED)) else {
            return Err(NoToken::NotSetUp(format!("{FEDERATED} is not set")));
        };
        let options = WorkloadIdentityCredentialOptions {
            credential_options: ClientAssertionCredentialOptions { client_options: self.options() },
            client_id: Some(client),
            tenant_id: Some(tenant),
            token_file_path: Some(file.into()),
        };
        let credential = WorkloadIdentityCredential::new(Some(options));
        Ok(credential.map_err(|error| NoToken::Failed(line(&error.to_string())))?)
    }

    fn managed_identity(&self) -> Result<Arc<dyn TokenCredential>, NoToken> {
        let client = self.variables.get(CLIENT).map(|client| UserAssignedId::ClientId(client.to_owned()));
        let options =
            ManagedIdentityCredentialOptions { user_assigned_id: client, client_options: self.options() };
        let credential = ManagedIdentityCredential::new(Some(options));
        Ok(credential.map_err(|error| NoToken::NotSetUp(line(&error.to_string())))?)
    }

    /// One attempt each: the operator's own pauses are enough, and what is wrong shall be told at once.
    fn options(&self) -> ClientOptions {
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host = self.authority.clone();
        ClientOptions {
            retry: RetryOptions::none(),
            transport: Some(Transport::new(Arc::new(ByHttp(self.http.clone())))),
            cloud: Some(Arc::new(CloudConfiguration::Custom(cloud))),
            ..ClientOptions::default()
        }
    }
}

fn command_line() -> Result<Arc<dyn TokenCredential>, NoToken> {
    let credential = AzureCliCredential::new(None);
    Ok(credential.map_err(|error| NoToken::NotSetUp(line(&error.to_string())))?)
}

#[async_trait]
impl Token for Credentials {
    async fn get(&self, renew: bool) -> Result<Bearer, BackendError> {
        let mut state = self.state.lock().await;
        if let Some((_, error)) = state.failed.as_ref().filter(|(at, _)| at.elapsed() < FAILURE) {
            return Err(error.clone());
        }
        // It keeps its tokens.
        let chosen = state.chosen.take().filter(|_| !renew);
        let answer = match chosen {
            Some(credential) => {
                let bearer = self.ask(credential.as_ref(), true).await;
                bearer.map(|bearer| (credential, bearer)).map_err(BackendError::transient)
            }
            None => self.choose().await,
        };
        match answer {
            Ok((credential, bearer)) => {
                *state = State { chosen: Some(credential), failed: None };
                Ok(bearer)
            }
            Err(error) => {
                *state = State { chosen: None, failed: Some((Instant::now(), error.clone())) };
                Err(error)
            }
        }
    }
}

/// On one line and not too long.
fn line(message: &str) -> String {
    let line: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
    line.trim().trim_end_matches('.').to_owned()
}
