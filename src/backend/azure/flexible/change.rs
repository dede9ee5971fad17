//! The effects that only flexible servers have: their parameters. Each call makes one change at most.

use super::super::super::{BackendError, Difference, PARAMETER, ServerIdentity, Stage, Urgency};
use super::super::fields;
use super::super::identity::escaped;
use super::super::model::{Configuration, ParameterWrite};
use super::Service;

/// Parameters that take effect at once come first, then those that need a restart, then one restart for all of them.
pub(super) async fn configure(
    service: &Service,
    identity: &ServerIdentity,
    differences: &[Difference],
) -> Result<(), BackendError> {
    let mut due: Vec<&Difference> =
        differences.iter().filter(|difference| difference.is_applied_by(Stage::Configure)).collect();
    due.sort_by_key(|difference| (difference.field == fields::RESTART, difference.restarts()));
    let mut refused = None;
    for difference in due {
        // One that is refused does not stand in the way of the others.
        match configure_one(service, identity, difference).await {
            Err(error) if error.is_refusal() => refused = refused.or(Some(error)),
            Ok(false) => {}
            answer => return answer.map(drop),
        }
    }
    refused.map_or(Ok(()), Err)
}

/// Whether something was changed.
async fn configure_one(
    service: &Service,
    identity: &ServerIdentity,
    difference: &Difference,
) -> Result<bool, BackendError> {
    match difference.field.as_str() {
        fields::RESTART => service.restart(identity).await.map(|()| true),
        fields::LOCK => service.lock(identity).await.map(|()| true),
        field => match field.strip_prefix(PARAMETER) {
            Some(parameter) => write_parameter(service, identity, parameter, difference).await,
            None => Ok(false),
        },
    }
}

async fn write_parameter(
    service: &Service,
    identity: &ServerIdentity,
    parameter: &str,
    difference: &Difference,
) -> Result<bool, BackendError> {
    let (value, source) = match &difference.wanted {
        Some(value) => (value.clone(), "user-override"),
        // The default of this server, which is read: it depends on the size.
        None => match default_of(service, identity, parameter).await? {
            Some(default) => (default, "system-default"),
            // It is set already, and waits for the restart.
            None => return Ok(false),
        },
    };
    let properties = ParameterWrite { value, source };
    service.set_parameter(identity, parameter, &difference.field, properties).await.map(|()| true)
}

/// The default of a parameter; none where that is its value.
async fn default_of(
    service: &Service,
    identity: &ServerIdentity,
    parameter: &str,
) -> Result<Option<String>, BackendError> {
    let path = format!("{}/configurations/{}", service.path(identity), escaped(parameter));
    let found: Option<Configuration> = service.get("reading a parameter", &path, Urgency::User).await?;
    let known = found.map(|found| found.properties);
    let default = known.as_ref().and_then(|known| known.default_value.clone());
    let no_default = || BackendError::rejected(format!("Azure names no default of {parameter}"));
    let default = default.ok_or_else(no_default)?;
    let is_set = known.is_some_and(|known| known.value.as_deref() == Some(default.as_str()));
    Ok((!is_set).then_some(default))
}
