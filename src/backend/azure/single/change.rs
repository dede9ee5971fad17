//! The effects that only single servers have. Each call makes one change at most.

use std::sync::PoisonError;

use super::super::super::{BackendError, Difference, PARAMETER, ServerIdentity, Stage};
use super::super::fields;
use super::super::model::{ParameterWrite, TagsWrite};
use super::model::Server;
use super::{RESTART_DUE, Service, Single};

impl Single {
    /// The service says of no parameter whether it waits for a restart. So that no crash forgets one, the server bears a
    /// tag from before the change until after the restart.
    pub(super) async fn configure_server(
        &self,
        service: &Service,
        identity: &ServerIdentity,
        server: &Server,
        differences: &[Difference],
    ) -> Result<(), BackendError> {
        let is_marked = server.tags.as_ref().is_some_and(|tags| tags.contains_key(RESTART_DUE));
        let due = |field: &str| {
            let mut due = differences.iter().filter(|one| one.is_applied_by(Stage::Configure));
            due.find(|one| one.field.starts_with(field))
        };
        if due(fields::LOCK).is_some() {
            return service.lock(identity).await;
        }
        if let Some(difference) = due(PARAMETER) {
            // A restart before this change is not the one that is due after it.
            self.forget_restart(identity);
            if !is_marked {
                return note_restart(service, identity, server, true).await;
            }
            let parameter = difference.field.strip_prefix(PARAMETER).unwrap_or_default();
            let value = difference.wanted.clone().unwrap_or_default();
            let properties = ParameterWrite { value, source: "user-override" };
            return service.set_parameter(identity, parameter, &difference.field, properties).await;
        }
        if due(fields::RESTART).is_none() || !is_marked {
            return Ok(());
        }
        if self.was_restarted(identity) {
            // One that was accepted and failed is made once more.
            if let Some(error) = service.memory.take_failure(&identity.name, fields::RESTART) {
                self.forget_restart(identity);
                return Err(error);
            }
            note_restart(service, identity, server, false).await?;
            self.forget_restart(identity);
            return Ok(());
        }
        service.restart(identity).await?;
        self.restarted.lock().unwrap_or_else(PoisonError::into_inner).insert(identity.name.clone());
        Ok(())
    }

    fn forget_restart(&self, identity: &ServerIdentity) {
        self.restarted.lock().unwrap_or_else(PoisonError::into_inner).remove(&identity.name);
    }
}

async fn note_restart(
    service: &Service,
    identity: &ServerIdentity,
    server: &Server,
    due: bool,
) -> Result<(), BackendError> {
    let mut tags = server.tags.clone().unwrap_or_default();
    match due {
        true => drop(tags.insert(RESTART_DUE.to_owned(), "yes".to_owned())),
        false => drop(tags.remove(RESTART_DUE)),
    }
    let name = if due { "noting a restart" } else { "noting that the server was restarted" };
    service.patch(identity, name, "restart-due", TagsWrite { tags }).await
}
