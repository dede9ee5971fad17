//! The end of a server: whether it may go, how it goes, and what is left.

use aws_sdk_rds::Client;
use aws_sdk_rds::config::http::HttpResponse;
use aws_sdk_rds::error::{ProvideErrorMetadata, SdkError};

use super::super::{BackendError, Owner, Removal, ServerIdentity};
use super::base::Base;
use super::error::PROTECTED;
use super::servers::{Servers, Shown};
use super::{look, snapshots};

/// The state of an instance or a cluster that goes.
pub(super) const DELETING: &str = "deleting";

/// Takes the server away, if it is ours and, where `uid` is given, still the same one.
pub(super) async fn begin<S: Servers>(
    servers: &S,
    identity: &ServerIdentity,
    owner: &Owner,
    uid: Option<&str>,
    removal: Removal,
) -> Result<(), BackendError> {
    let server = look::ours(servers, identity, owner).await?;
    if uid.is_some() && server.uid() != uid {
        let noun = servers.base().engine.noun();
        let message = format!("another {noun} stands under the name {}", identity.name);
        return Err(BackendError::Conflict { message });
    }
    if server.status() == Some(DELETING) {
        return Ok(());
    }
    servers.remove(&server, owner, removal).await
}

/// Whether the service would delete it.
pub(super) fn must_not_be_protected(server: &impl Shown) -> Result<(), BackendError> {
    match server.is_protected() {
        true => Err(BackendError::Protected { message: PROTECTED.to_owned() }),
        false => Ok(()),
    }
}

impl Base {
    /// Asks for the deletion of a server, and remembers whether with a snapshot.
    pub(super) async fn delete<T, E: ProvideErrorMetadata>(
        &self,
        server: &str,
        call: &'static str,
        with_snapshot: bool,
        send: impl AsyncFnOnce(&Client) -> Result<T, SdkError<E, HttpResponse>>,
    ) -> Result<(), BackendError> {
        // Before the call: one whose answer does not come may have been carried out.
        self.memory.of(server, |known| known.goes_with_snapshot = Some(with_snapshot));
        let refused = self.write(server, call, None, send).await.map(drop).map_err(BackendError::from);
        if matches!(&refused, Err(error) if !matches!(error, BackendError::Transient { .. })) {
            self.memory.of(server, |known| known.goes_with_snapshot = None);
        }
        refused
    }

    /// The server is gone: the snapshot has to be there, and its parameter groups are of no use any more.
    pub(super) async fn conclude_deletion(
        &self,
        server: &str,
        owner: &Owner,
        removal: Removal,
        last_seen: Option<&str>,
    ) -> Result<(), BackendError> {
        let known = self.memory.of(server, |known| known.goes_with_snapshot);
        if removal != Removal::Delete && known.unwrap_or(last_seen == Some(DELETING)) {
            let snapshot = snapshots::name(server, owner);
            let status = self.service.snapshot_status(self.engine, &snapshot).await?;
            snapshots::is_there(&snapshot, status.as_deref())?;
        }
        self.groups.remove_all(&self.service, server).await?;
        self.memory.forget(server);
        Ok(())
    }
}
