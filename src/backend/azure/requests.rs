//! From a wish to requests, as far as both services take the same ones. Pure.

use super::super::cloud::{UID, required};
use super::super::{DesiredServer, Difference, ServerIdentity, Stage};
use super::fields;
use super::model::{Hidden, Server, ServerWrite};
use crate::config::AzureConfig;
use crate::secrets::Password;

/// A new server: `own` says what each service says in its own way.
pub(super) fn create<P>(
    own: ServerWrite<P>,
    identity: &ServerIdentity,
    desired: &DesiredServer<'_>,
    azure: &AzureConfig,
    password: &Password,
) -> ServerWrite<P> {
    let mut write = own;
    let mut tags = required(desired.owner, &azure.tags);
    tags.insert(UID.to_owned(), desired.owner.uid.clone());
    tags.extend(write.tags.take().unwrap_or_default());
    write.tags = Some(tags);
    write.location = Some(identity.region.clone().unwrap_or_else(|| azure.location.clone()));
    write.properties.administrator_login = Some(azure.admin_username.clone());
    write.properties.administrator_login_password = Some(Hidden(password.clone()));
    write
}

/// The change of a server that carries out the differences; none when nothing is left. `put` writes down the value of a
/// field that each service takes in its own way.
pub(super) fn change<P, W: Default + PartialEq>(
    desired: &DesiredServer<'_>,
    azure: &AzureConfig,
    server: &Server<P>,
    differences: &[Difference],
    mut put: impl FnMut(&mut ServerWrite<W>, &str, &str),
) -> Option<ServerWrite<W>> {
    let mut write = ServerWrite::default();
    for difference in differences.iter().filter(|difference| difference.is_applied_by(Stage::Update)) {
        let Some(wanted) = difference.wanted.as_deref() else { continue };
        if difference.field.starts_with(fields::TAG) {
            let required = required(desired.owner, &azure.tags);
            write.tags = Some(fields::tags(server.tags.as_ref(), &required, None));
        } else {
            put(&mut write, &difference.field, wanted);
        }
    }
    (write != ServerWrite::default()).then_some(write)
}
