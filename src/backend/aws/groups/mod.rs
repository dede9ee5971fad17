//! Parameter groups: reading, writing and removing them.

mod calls;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_rds::types::{ApplyMethod, Parameter, Tag};

use super::super::{BackendError, Owner, PARAMETER, Settings, Urgency};
use super::client::Service;
use super::engine::Engine;
use super::error::{GROUP_EXISTS, GROUP_NOT_FOUND};
use super::parameters;
use crate::config::meant;

/// So many parameters may be changed by one call (API reference of `ModifyDBParameterGroup` and of
/// `ModifyDBClusterParameterGroup`).
const AT_ONCE: usize = 20;

/// The groups of instances or of clusters, and what was read of them, so that not every look has to read it again.
#[derive(Debug)]
pub(super) struct Groups {
    engine: Engine,
    /// By group: what is set in it.
    values: Mutex<HashMap<String, Arc<Settings>>>,
    /// By family: what there is.
    catalogues: Mutex<HashMap<String, Arc<Catalogue>>>,
}

/// Every parameter of a family.
type Catalogue = BTreeMap<String, Known>;

/// What the service says of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    modifiable: bool,
    /// In force without a restart.
    dynamic: bool,
    /// 1 and 0 instead of on and off.
    boolean: bool,
}

/// A parameter and what becomes of it; nothing: its default.
pub(super) type Wishes = BTreeMap<String, Option<String>>;

impl Groups {
    /// Of the instances of RDS, or of Aurora's clusters.
    pub(super) fn of(engine: Engine) -> Self {
        Self { engine, values: Mutex::default(), catalogues: Mutex::default() }
    }

    fn forget(&self, group: &str) {
        self.values.lock().unwrap_or_else(PoisonError::into_inner).remove(group);
    }

    /// What is set in a group, by the fields of the rules. Unless it has to be `fresh`, what was read before will do.
    pub(super) async fn values(
        &self,
        service: &Service,
        group: &str,
        fresh: bool,
        urgency: Urgency,
    ) -> Result<Arc<Settings>, BackendError> {
        let known = || self.values.lock().unwrap_or_else(PoisonError::into_inner).get(group).cloned();
        if let Some(known) = known().filter(|_| !fresh) {
            return Ok(known);
        }
        let set = self.all_parameters(service, group, Some("user"), urgency).await?;
        let values = set.into_iter().filter_map(|one| {
            let (name, value) = (one.parameter_name?, one.parameter_value?);
            Some((format!("{PARAMETER}{}", name.to_ascii_lowercase()), parameters::normal(&value)))
        });
        let values: Arc<Settings> = Arc::new(values.collect());
        let mut all = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(group.to_owned(), values.clone());
        Ok(values)
    }

    async fn all_parameters(
        &self,
        service: &Service,
        group: &str,
        source: Option<&str>,
        urgency: Urgency,
    ) -> Result<Vec<Parameter>, BackendError> {
        let (mut all, mut marker) = (Vec::new(), None);
        loop {
            let (page, next) = self.parameters(service, group, source, marker, urgency).await?;
            all.extend(page);
            marker = next.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(all);
            }
        }
    }

    /// The name of the server's own group for that major version, which is there then, with these parameters set in it.
    pub(super) async fn prepare(
        &self,
        service: &Service,
        (server, major): (&str, u32),
        (owner, tags): (&Owner, Vec<Tag>),
        wishes: &Wishes,
    ) -> Result<String, BackendError> {
        let (group, family) = (parameters::group_name(server, major), self.engine.family(major));
        let whose = format!("of the PostgreSQLServer {}/{}", owner.namespace, owner.name);
        match self.create(service, &group, &family, whose, tags).await {
            Ok(()) => {}
            // It belongs to the server of that name alone.
            Err(failed) if failed.is(GROUP_EXISTS) => {}
            Err(failed) => return Err(failed.error),
        }
        let catalogue = self.catalogue(service, &group, family).await?;
        let (set, reset) = changes(self.engine, &catalogue, wishes)?;
        for some in set.chunks(AT_ONCE) {
            self.forget(&group);
            self.set(service, &group, some.to_vec()).await?;
        }
        for some in reset.chunks(AT_ONCE) {
            self.forget(&group);
            self.reset(service, &group, some.to_vec()).await?;
        }
        self.forget(&group);
        Ok(group)
    }

    /// What parameters a family has; read in one of its groups, once.
    async fn catalogue(
        &self,
        service: &Service,
        group: &str,
        family: String,
    ) -> Result<Arc<Catalogue>, BackendError> {
        let all = || self.catalogues.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all().get(&family).cloned() {
            return Ok(known);
        }
        let found = self.all_parameters(service, group, None, Urgency::User).await?;
        let catalogue = Arc::new(found.iter().filter_map(known).collect::<Catalogue>());
        if !catalogue.is_empty() {
            all().insert(family, catalogue.clone());
        }
        Ok(catalogue)
    }

    /// Removes every group of a server that is gone.
    pub(super) async fn remove_all(&self, service: &Service, server: &str) -> Result<(), BackendError> {
        let (mut own, mut marker) = (Vec::new(), None);
        loop {
            let (names, next) = self.names(service, marker).await?;
            own.extend(names.into_iter().filter(|name| parameters::is_own(name, server)));
            marker = next.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                break;
            }
        }
        for group in own {
            match self.delete(service, &group).await {
                Err(failed) if !failed.is(GROUP_NOT_FOUND) => return Err(failed.error),
                _ => self.forget(&group),
            }
        }
        Ok(())
    }
}

fn known(parameter: &Parameter) -> Option<(String, Known)> {
    let is = |found: Option<&str>, word: &str| found.is_some_and(|found| found.eq_ignore_ascii_case(word));
    let known = Known {
        modifiable: parameter.is_modifiable().unwrap_or(true),
        dynamic: is(parameter.apply_type(), "dynamic"),
        boolean: is(parameter.data_type(), "boolean"),
    };
    Some((parameter.parameter_name()?.to_ascii_lowercase(), known))
}

/// What is sent to be set, and to be reset.
///
/// # Errors
/// All that there is not, with what may be meant, and all that the service keeps to itself.
fn changes(
    engine: Engine,
    catalogue: &Catalogue,
    wishes: &Wishes,
) -> Result<(Vec<Parameter>, Vec<Parameter>), BackendError> {
    let product = engine.product();
    let (mut set, mut reset, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for (name, value) in wishes {
        let Some(known) = catalogue.get(name) else {
            let meant = meant(name, catalogue.keys().map(String::as_str));
            let meant = meant.map(|meant| format!(", did you mean {meant}?")).unwrap_or_default();
            refused.push(format!("serverParameters.{name}: {product} has no such parameter{meant}"));
            continue;
        };
        if !known.modifiable {
            refused.push(format!("serverParameters.{name}: {product} lets nobody change it"));
            continue;
        }
        let method = if known.dynamic { ApplyMethod::Immediate } else { ApplyMethod::PendingReboot };
        let parameter = Parameter::builder().parameter_name(name).apply_method(method);
        match value {
            Some(value) => {
                let value = if known.boolean { parameters::normal(value) } else { value.clone() };
                set.push(parameter.parameter_value(value).build());
            }
            None => reset.push(parameter.build()),
        }
    }
    if refused.is_empty() { Ok((set, reset)) } else { Err(BackendError::rejected(refused.join("; "))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Catalogue {
        let known = |dynamic, modifiable, boolean| Known { modifiable, dynamic, boolean };
        Catalogue::from([
            ("work_mem".to_owned(), known(true, true, false)),
            ("max_connections".to_owned(), known(false, true, false)),
            ("log_connections".to_owned(), known(true, true, true)),
            ("data_directory".to_owned(), known(false, false, false)),
        ])
    }

    fn wishes(pairs: &[(&str, Option<&str>)]) -> Wishes {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect()
    }

    #[test]
    fn each_parameter_is_sent_in_the_way_that_it_can_come_into_force() {
        let asked =
            wishes(&[("work_mem", Some("4096")), ("max_connections", None), ("log_connections", Some("on"))]);
        let (set, reset) = changes(Engine::Rds, &catalogue(), &asked).unwrap();
        let sent: Vec<_> =
            set.iter().map(|one| (one.parameter_name().unwrap(), one.parameter_value())).collect();
        assert_eq!(sent, [("log_connections", Some("1")), ("work_mem", Some("4096"))]);
        assert!(set.iter().all(|one| one.apply_method() == Some(&ApplyMethod::Immediate)));
        assert_eq!(reset[0].parameter_name(), Some("max_connections"));
        assert_eq!(reset[0].apply_method(), Some(&ApplyMethod::PendingReboot));
    }

    #[test]
    fn unknown_and_fixed_parameters_are_refused_together_with_what_may_be_meant() {
        let asked =
            wishes(&[("work_men", Some("1")), ("data_directory", Some("/")), ("work_mem", Some("1"))]);
        let message = changes(Engine::Rds, &catalogue(), &asked).unwrap_err().to_string();
        assert!(message.contains("work_men: RDS has no such parameter, did you mean work_mem?"), "{message}");
        assert!(message.contains("data_directory: RDS lets nobody change it"), "{message}");
    }
}
