//! Parameter groups: reading, writing and removing them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_rds::types::{ApplyMethod, Parameter};

use super::super::super::{BackendError, Owner, PARAMETER, Settings, Urgency};
use super::super::error::{Failed, GROUP_EXISTS, GROUP_NOT_FOUND};
use super::super::tags;
use super::{RdsBackend, parameters};
use crate::config::meant;

/// So many parameters may be changed by one call (API reference of `ModifyDBParameterGroup`).
const AT_ONCE: usize = 20;

/// What was read of parameter groups, so that not every look has to read it again.
#[derive(Debug, Default)]
pub(super) struct Groups {
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
    fn forget(&self, group: &str) {
        self.values.lock().unwrap_or_else(PoisonError::into_inner).remove(group);
    }
}

impl RdsBackend {
    /// What is set in a group, by the fields of the rules. Unless it has to be `fresh`, what was read before will do.
    pub(super) async fn group_values(
        &self,
        group: &str,
        fresh: bool,
        urgency: Urgency,
    ) -> Result<Arc<Settings>, BackendError> {
        let known = || self.groups.values.lock().unwrap_or_else(PoisonError::into_inner).get(group).cloned();
        if let Some(known) = known().filter(|_| !fresh) {
            return Ok(known);
        }
        let set = self.parameters_in(group, Some("user"), urgency).await?;
        let values = set.into_iter().filter_map(|one| {
            let (name, value) = (one.parameter_name?, one.parameter_value?);
            Some((format!("{PARAMETER}{}", name.to_ascii_lowercase()), parameters::normal(&value)))
        });
        let values: Arc<Settings> = Arc::new(values.collect());
        let mut all = self.groups.values.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(group.to_owned(), values.clone());
        Ok(values)
    }

    async fn parameters_in(
        &self,
        group: &str,
        source: Option<&str>,
        urgency: Urgency,
    ) -> Result<Vec<Parameter>, Failed> {
        let (mut all, mut marker) = (Vec::new(), None);
        loop {
            let page = self
                .service
                .call("DescribeDBParameters", urgency, None, async |client| {
                    let request = client.describe_db_parameters().db_parameter_group_name(group);
                    let request = request.set_source(source.map(str::to_owned)).max_records(100);
                    request.set_marker(marker.take()).send().await
                })
                .await?;
            all.extend(page.parameters.unwrap_or_default());
            marker = page.marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                return Ok(all);
            }
        }
    }

    /// Sees to it that a group of the object's server is there, and sets these parameters in it.
    pub(super) async fn write_group(
        &self,
        group: &str,
        family: &str,
        owner: &Owner,
        wishes: &Wishes,
    ) -> Result<(), BackendError> {
        let made = self
            .service
            .call("CreateDBParameterGroup", Urgency::User, None, async |client| {
                let request = client.create_db_parameter_group().db_parameter_group_name(group);
                let request = request.db_parameter_group_family(family);
                let whose = format!("of the PostgreSQLServer {}/{}", owner.namespace, owner.name);
                let tags = tags::written(owner, &self.config.aws.tags);
                request.description(whose).set_tags(Some(tags)).send().await
            })
            .await;
        match made {
            Ok(_) => {}
            // It belongs to the instance of that name alone.
            Err(failed) if failed.is(GROUP_EXISTS) => {}
            Err(failed) => return Err(failed.error),
        }
        let catalogue = self.catalogue(group, family).await?;
        let (set, reset) = changes(&catalogue, wishes)?;
        for some in set.chunks(AT_ONCE) {
            self.groups.forget(group);
            let answer = self.service.call("ModifyDBParameterGroup", Urgency::User, None, async |client| {
                let request = client.modify_db_parameter_group().db_parameter_group_name(group);
                request.set_parameters(Some(some.to_vec())).send().await
            });
            answer.await?;
        }
        for some in reset.chunks(AT_ONCE) {
            self.groups.forget(group);
            let answer = self.service.call("ResetDBParameterGroup", Urgency::User, None, async |client| {
                let request = client.reset_db_parameter_group().db_parameter_group_name(group);
                request.reset_all_parameters(false).set_parameters(Some(some.to_vec())).send().await
            });
            answer.await?;
        }
        self.groups.forget(group);
        Ok(())
    }

    /// What parameters a family has; read in one of its groups, once.
    async fn catalogue(&self, group: &str, family: &str) -> Result<Arc<Catalogue>, BackendError> {
        let all = || self.groups.catalogues.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all().get(family).cloned() {
            return Ok(known);
        }
        let found = self.parameters_in(group, None, Urgency::User).await?;
        let catalogue = Arc::new(found.iter().filter_map(known).collect::<Catalogue>());
        if !catalogue.is_empty() {
            all().insert(family.to_owned(), catalogue.clone());
        }
        Ok(catalogue)
    }

    /// Removes every group of an instance that is gone.
    pub(super) async fn remove_groups(&self, instance: &str) -> Result<(), BackendError> {
        let (mut own, mut marker) = (Vec::new(), None);
        loop {
            let page = self
                .service
                .call("DescribeDBParameterGroups", Urgency::User, None, async |client| {
                    let request = client.describe_db_parameter_groups().max_records(100);
                    request.set_marker(marker.take()).send().await
                })
                .await?;
            let names = page.db_parameter_groups.unwrap_or_default().into_iter();
            let names = names.filter_map(|group| group.db_parameter_group_name);
            own.extend(names.filter(|name| parameters::is_own(name, instance)));
            marker = page.marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                break;
            }
        }
        for group in own {
            let answer = self
                .service
                .call("DeleteDBParameterGroup", Urgency::User, None, async |client| {
                    client.delete_db_parameter_group().db_parameter_group_name(&group).send().await
                })
                .await;
            match answer {
                Err(failed) if !failed.is(GROUP_NOT_FOUND) => return Err(failed.error),
                _ => self.groups.forget(&group),
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
fn changes(catalogue: &Catalogue, wishes: &Wishes) -> Result<(Vec<Parameter>, Vec<Parameter>), BackendError> {
    let (mut set, mut reset, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for (name, value) in wishes {
        let Some(known) = catalogue.get(name) else {
            let meant = meant(name, catalogue.keys().map(String::as_str));
            let meant = meant.map(|meant| format!(", did you mean {meant}?")).unwrap_or_default();
            refused.push(format!("serverParameters.{name}: RDS has no such parameter{meant}"));
            continue;
        };
        if !known.modifiable {
            refused.push(format!("serverParameters.{name}: RDS lets nobody change it"));
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
        let (set, reset) = changes(&catalogue(), &asked).unwrap();
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
        let message = changes(&catalogue(), &asked).unwrap_err().to_string();
        assert!(message.contains("work_men: RDS has no such parameter, did you mean work_mem?"), "{message}");
        assert!(message.contains("data_directory: RDS lets nobody change it"), "{message}");
    }
}
