//! What both backends on AWS have, and do in the same way: the way to the service, names, whose a server is, tags.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_rds::Client;
use aws_sdk_rds::config::http::HttpResponse;
use aws_sdk_rds::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_rds::types::Tag;

use super::super::cloud::Whose;
use super::super::{BackendError, Owner, Rejection, ServerIdentity, Urgency};
use super::client::Service;
use super::engine::Engine;
use super::error::Failed;
use super::groups::Groups;
use super::memory::Memory;
use super::servers::Shown;
use super::trust::{self, AwsConfigError};
use super::{identity, tags};
use crate::api::DeletionPolicy;
use crate::config::AwsConfig;
use crate::postgres::{Endpoint, TlsMode};

/// How long the service may not show a server after it has accepted its creation. A second request for it is harmless,
/// since its name tells it from others.
pub(super) const SETTLING: Duration = Duration::from_secs(5);

/// What both backends have.
#[derive(Debug)]
pub(super) struct Base {
    pub(super) engine: Engine,
    pub(super) aws: AwsConfig,
    pub(super) service: Arc<Service>,
    pub(super) memory: Memory,
    pub(super) groups: Groups,
}

impl Base {
    /// Shares the way to the service, and so the budget of calls and the listing of instances, with the one `beside` it
    /// where both go the same way.
    ///
    /// # Errors
    /// When the configuration names a file that cannot be used.
    pub(super) fn new(
        engine: Engine,
        aws: &AwsConfig,
        beside: Option<&Self>,
    ) -> Result<Self, AwsConfigError> {
        let shared = beside.map(|beside| &beside.service).filter(|service| service.serves(aws));
        let service = match shared {
            Some(service) => service.clone(),
            None => Arc::new(Service::new(aws, trust::read(aws.extra_ca_file.as_deref())?)),
        };
        let (memory, groups) = (Memory::default(), Groups::of(engine));
        Ok(Self { engine, aws: aws.clone(), service, memory, groups })
    }

    /// The identifier that the administrator has given to the object's server.
    fn overridden(&self, owner: &Owner) -> Option<&str> {
        let all = &self.aws.name_overrides;
        let found = all.iter().find(|one| one.namespace == owner.namespace && one.name == owner.name);
        found.map(|found| found.aws_identifier.as_str())
    }

    /// Where a new server will live.
    ///
    /// # Errors
    /// When no name can be made that is at most so long.
    pub(super) fn identity(&self, owner: &Owner, longest: usize) -> Result<ServerIdentity, Rejection> {
        let name = match self.overridden(owner) {
            Some(name) => name.to_lowercase(),
            None => identity::from_pattern(&self.aws.name_pattern, owner, longest)?,
        };
        Ok(ServerIdentity { name, account: None, region: Some(self.aws.region.clone()), group: None })
    }

    /// What happens to a server whose object does not say so.
    pub(super) fn default_deletion(&self, of_original: bool) -> DeletionPolicy {
        let kept = self.aws.taken_over_deletion_policy.filter(|_| of_original);
        kept.unwrap_or(self.aws.deletion_policy)
    }

    /// A server stays in its region, wherever new ones are made.
    ///
    /// # Errors
    /// When that is not the configured one.
    pub(super) fn must_be_here(&self, identity: &ServerIdentity) -> Result<(), BackendError> {
        let here = self.service.region();
        match identity.region.as_deref() {
            Some(region) if region != here => Err(BackendError::rejected(format!(
                "the server is in the region {region}, and the operator is configured for {here}; configure the \
                 server's region again"
            ))),
            _ => Ok(()),
        }
    }

    /// In another account there is no such server, which says nothing about the server.
    ///
    /// # Errors
    /// When the credentials are of another account, or nobody says of which.
    pub(super) async fn must_be_its_account(&self, identity: &ServerIdentity) -> Result<(), BackendError> {
        let Some(pinned) = &identity.account else { return Ok(()) };
        let ours = self.service.account().await?;
        if ours == *pinned {
            return Ok(());
        }
        Err(BackendError::rejected(format!(
            "the server is in the AWS account {pinned}, and the operator's credentials are of {ours}; give it \
             credentials of the server's account again"
        )))
    }

    /// Whose a server is, if not the object's.
    pub(super) fn whose(&self, server: &impl Shown, owner: &Owner) -> Option<String> {
        if let Some(stranger) = server.stranger() {
            return Some(stranger);
        }
        let (what, name) = (self.engine.server(), server.identifier());
        match tags::whose(server.tags(), owner) {
            Whose::Ours => None,
            // The administrator says that this one is the object's.
            Whose::Untagged if self.overridden(owner).is_some() => None,
            Whose::Untagged => Some(format!(
                "the {what} {name} has no tags that say whose it is; use another name, or let the administrator \
                 name it in name_overrides"
            )),
            Whose::Another(whose) => {
                Some(format!("the {what} {name} belongs to the PostgreSQLServer {whose}"))
            }
        }
    }

    /// Where a server takes connections.
    pub(super) fn endpoint(&self, host: &str, port: Option<i32>) -> Option<Endpoint> {
        let tls = match self.service.trust() {
            Some(ca_pem) => TlsMode::Verify { ca_pem: ca_pem.to_owned() },
            None => TlsMode::Require,
        };
        Some(Endpoint { host: host.to_owned(), port: u16::try_from(port.unwrap_or(5432)).ok()?, tls })
    }

    /// A call that changes the server. What was listed before no longer counts for it, whatever comes of the call.
    pub(super) async fn write<T, E: ProvideErrorMetadata>(
        &self,
        server: &str,
        call: &'static str,
        secret: Option<&str>,
        send: impl AsyncFnOnce(&Client) -> Result<T, SdkError<E, HttpResponse>>,
    ) -> Result<T, Failed> {
        let answer = self.service.call(call, Urgency::User, secret, send).await;
        self.memory.note_write(server);
        answer
    }

    /// Sets or takes off the mark of a server that stays without its object: a tag, which can be set in every state.
    pub(super) async fn mark(&self, server: &impl Shown, left: bool) -> Result<(), BackendError> {
        if left {
            return self.add_tags(server, vec![tags::tag(tags::RETAINED, "yes")]).await;
        }
        let arn = server.arn().map(str::to_owned);
        self.write(&server.name(), "RemoveTagsFromResource", None, async |client| {
            let request = client.remove_tags_from_resource().set_resource_name(arn);
            request.tag_keys(tags::RETAINED).send().await
        })
        .await?;
        Ok(())
    }

    /// Adds the tags of the object that the server lacks; others stay.
    pub(super) async fn complete_tags(&self, server: &impl Shown, owner: &Owner) -> Result<(), BackendError> {
        let missing = tags::missing(server.tags(), owner, &self.aws.tags);
        if missing.is_empty() { Ok(()) } else { self.add_tags(server, missing).await }
    }

    async fn add_tags(&self, server: &impl Shown, tags: Vec<Tag>) -> Result<(), BackendError> {
        let arn = server.arn().map(str::to_owned);
        self.write(&server.name(), "AddTagsToResource", None, async |client| {
            client.add_tags_to_resource().set_resource_name(arn).set_tags(Some(tags)).send().await
        })
        .await?;
        Ok(())
    }
}

/// The account in an ARN: `arn:aws:rds:region:account:db:name`.
pub(super) fn account_in(arn: Option<&str>) -> Option<String> {
    arn.and_then(|arn| arn.split(':').nth(4)).map(str::to_owned)
}
