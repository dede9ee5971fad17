//! What the original put around a server when it was asked for a private endpoint: the endpoint, and a name for it in a
//! private zone. Both go with the server; neither is made any more.

use http::Method;

use super::super::super::{BackendError, ServerIdentity, Urgency};
use super::super::arm::Call;
use super::super::identity::{escaped, group};
use super::super::memory::Course;
use super::Service;
use super::model::{Endpoint, Record};

/// The original's version, 2024-07-01, has the same fields.
const NETWORK_VERSION: &str = "2024-01-01";
/// As the original used it.
const DNS_VERSION: &str = "2024-06-01";
/// The original's zone, in the servers' resource group.
const ZONE: &str = "postgres.database.azure.com";
/// What a change is about.
const ENDPOINT: &str = "private endpoint";
const REMOVAL: &str = "deleting the private endpoint";

/// Takes away the endpoint that led to the server, and before it the name that leads to the endpoint. What bears such
/// a name and leads elsewhere is somebody else's.
pub(super) async fn remove(service: &Service, identity: &ServerIdentity) -> Result<(), BackendError> {
    let (arm, memory, name) = (&service.arm, &service.memory, &identity.name);
    let busy = || BackendError::Busy { message: format!("Azure is {REMOVAL}") };
    if let Some((task, Course::Running)) = memory.course(arm, name).await?
        && task.about == ENDPOINT
    {
        return Err(busy());
    }
    if let Some(error) = memory.take_failure(name, ENDPOINT) {
        return Err(error);
    }
    let network = format!("{}/providers/Microsoft.Network", group(&service.azure, identity));
    let path = format!("{network}/privateEndpoints/{}", escaped(name));
    let call = |name, path, version| Call { name, path, version, urgency: Urgency::User };
    let endpoint: Option<Endpoint> =
        arm.get(call("reading the private endpoint", &path, NETWORK_VERSION)).await?;
    let Some(endpoint) = endpoint.filter(|one| leads_to(one, name, &service.path(identity))) else {
        return Ok(());
    };
    let record = format!("{network}/privateDnsZones/{ZONE}/A/{}", escaped(name));
    let found: Option<Record> =
        arm.get(call("reading the name of the private endpoint", &record, DNS_VERSION)).await?;
    if found.is_some_and(|record| names(&record, &endpoint)) {
        let call = call("deleting the name of the private endpoint", &record, DNS_VERSION);
        gone(arm.write::<()>(call, Method::DELETE, None, None).await.map_err(BackendError::from))?;
    }
    let answer = arm.write::<()>(call(REMOVAL, &path, NETWORK_VERSION), Method::DELETE, None, None).await;
    memory.begin(name, REMOVAL, ENDPOINT, gone(answer.map_err(BackendError::from))?.flatten());
    Err(busy())
}

/// What is gone already is what was asked for.
fn gone<T>(answer: Result<T, BackendError>) -> Result<Option<T>, BackendError> {
    match answer {
        Ok(done) => Ok(Some(done)),
        Err(BackendError::Gone { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether an endpoint is the one that the original made for this server: one connection, of the original's name, to it.
pub(super) fn leads_to(endpoint: &Endpoint, name: &str, server: &str) -> bool {
    let properties = &endpoint.properties;
    let link = format!("link-{name}");
    match properties.private_link_service_connections.as_slice() {
        [connection] => {
            let to = connection.properties.private_link_service_id.as_deref();
            properties.manual_private_link_service_connections.is_empty()
                && connection.name.as_deref().is_some_and(|found| found.eq_ignore_ascii_case(&link))
                && to.is_some_and(|to| to.eq_ignore_ascii_case(server))
        }
        _ => false,
    }
}

/// Whether a name in the zone leads to the endpoint, and nowhere else.
pub(super) fn names(record: &Record, endpoint: &Endpoint) -> bool {
    let addresses: Vec<&String> =
        endpoint.properties.custom_dns_configs.iter().flat_map(|config| &config.ip_addresses).collect();
    let named = &record.properties.a_records;
    !named.is_empty() && named.iter().all(|one| addresses.contains(&&one.ipv4_address))
}
