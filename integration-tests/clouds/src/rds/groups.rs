//! Parameter groups, of instances and of clusters: what they hold, and what of it is in force where.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::postgres::{Error, Parameters, Server};

use super::instance::GroupUse;
use super::life::tell;
use super::realm::{Place, Realm, State};
use super::versions::{AURORA, POSTGRES};
use super::wire::{Refusal, combination};

/// Whose parameters they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum GroupKind {
    Instance,
    Cluster,
}

#[derive(Clone)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) family: String,
    pub(super) description: String,
    pub(super) arn: String,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) values: BTreeMap<String, Set>,
}

/// A value that somebody set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) value: String,
    pub(super) method: String,
}

impl GroupKind {
    /// `DBParameterGroup` or `DBClusterParameterGroup`.
    pub(super) fn element(self) -> &'static str {
        match self {
            Self::Instance => "DBParameterGroup",
            Self::Cluster => "DBClusterParameterGroup",
        }
    }

    pub(super) fn arn_kind(self) -> &'static str {
        match self {
            Self::Instance => "pg",
            Self::Cluster => "cluster-pg",
        }
    }
}

/// `default.postgres15` and the like; the service has them for every family.
pub(super) fn defaults(place: &Place) -> BTreeMap<(GroupKind, String), Group> {
    let families = (12..=18).map(|major| (GroupKind::Instance, POSTGRES, major)).chain(
        (12..=18)
            .flat_map(|major| [(GroupKind::Instance, AURORA, major), (GroupKind::Cluster, AURORA, major)]),
    );
    let group = |(kind, engine, major): (GroupKind, &str, u32)| {
        let family = format!("{engine}{major}");
        let name = default_name(&family);
        let group = Group {
            description: format!("Default parameter group for {family}"),
            arn: format!("arn:aws:rds:{}:{}:{}:{name}", place.region, place.account, kind.arn_kind()),
            tags: BTreeMap::new(),
            values: BTreeMap::new(),
            name: name.clone(),
            family,
        };
        ((kind, name), group)
    };
    families.map(group).collect()
}

pub(super) fn default_name(family: &str) -> String {
    format!("default.{family}")
}

pub(super) fn is_default(name: &str) -> bool {
    name.starts_with("default.")
}

impl Group {
    /// Its values as PostgreSQL has them.
    pub(super) fn effective(&self) -> Parameters {
        let mut parameters: Parameters =
            self.values.iter().map(|(name, set)| (name.clone(), set.value.clone())).collect();
        if parameters.get("rds.logical_replication").is_some_and(|value| value == "1") {
            parameters.insert("wal_level".to_owned(), "logical".to_owned());
        }
        parameters
    }
}

pub(super) fn group_not_found(kind: GroupKind, name: &str) -> Refusal {
    Refusal(404, "DBParameterGroupNotFound", format!("{} not found: {name}", kind.element()))
}

impl State {
    /// The group for something of this family: the asked one, or the default.
    pub(super) fn group_for(
        &self,
        kind: GroupKind,
        asked: Option<&str>,
        family: &str,
    ) -> Result<GroupUse, Refusal> {
        let default = default_name(family);
        let name = asked.unwrap_or(&default).to_lowercase();
        let Some(group) = self.groups.get(&(kind, name.clone())) else {
            return Err(match kind {
                GroupKind::Instance => group_not_found(kind, &name),
                // The actions of clusters have a code of their own for it, those of groups do not (botocore).
                GroupKind::Cluster => {
                    Refusal(404, "DBClusterParameterGroupNotFound", format!("Not found: {name}"))
                }
            });
        };
        if group.family != family {
            return Err(combination(format!(
                "The Parameter Group {name} with DBParameterGroupFamily {} can't be used for this instance. Please \
                 use a Parameter Group with DBParameterGroupFamily {family}",
                group.family
            )));
        }
        Ok(GroupUse::new(name))
    }

    pub(super) fn effective(&self, kind: GroupKind, name: &str) -> Parameters {
        self.groups.get(&(kind, name.to_owned())).map(Group::effective).unwrap_or_default()
    }

    /// What a restart puts in force for an instance; for a cluster's member, the cluster's parameters and, above them,
    /// those of the writer.
    pub(super) fn parameters_of(&self, id: &str) -> Parameters {
        let Some(instance) = self.instances.get(id) else { return Parameters::new() };
        let own = self.effective(GroupKind::Instance, &instance.group.name);
        match instance.cluster.as_ref().and_then(|cluster| self.clusters.get(cluster)) {
            None => own,
            Some(cluster) => {
                let mut all = self.effective(GroupKind::Cluster, &cluster.group.name);
                all.extend(own);
                all
            }
        }
    }
}

/// Restarts what stands behind an instance with all of its parameters, as a reboot does. Refused by PostgreSQL, the
/// parameters are `incompatible-parameters`, and nothing answers.
pub(super) async fn restart(realm: &Arc<Realm>, id: &str, uid: &str, server: &Server) -> bool {
    let parameters = realm.state().parameters_of(id);
    let reader = realm.state().instances.get(id).is_some_and(|it| it.cluster.is_some() && !it.writer);
    // A reader shares the server, and its restart is nothing to the writer.
    let started = if reader { Ok(()) } else { started_anew(server, &parameters).await };
    if let Err(error) = &started {
        tell(id, "did not restart", error);
    }
    let well = started.is_ok();
    realm.change(id, uid, |it| {
        it.group.written.clone_from(&parameters);
        "in-sync".clone_into(&mut it.group.status);
    });
    let cluster = realm.state().instances.get(id).filter(|it| it.writer).and_then(|it| it.cluster.clone());
    if let Some(cluster) = cluster
        && let Some(cluster) = realm.state().clusters.get_mut(&cluster)
    {
        cluster.group.written = parameters;
        "in-sync".clone_into(&mut cluster.group.status);
    }
    well
}

async fn started_anew(server: &Server, parameters: &Parameters) -> Result<(), Error> {
    server.stop().await?;
    server.write(parameters)?;
    server.start().await
}

/// Values of a group were set or reset: the dynamic ones that ask for it come into force where the group is used, the
/// others wait for a reboot. `now` and `later`: name → value, or none for the default.
pub(super) fn spread(
    realm: &Arc<Realm>,
    state: &mut State,
    (kind, group): (GroupKind, &str),
    now: &BTreeMap<String, Option<String>>,
    later: bool,
) {
    let mut write = Vec::new();
    let mut meet = |used: &mut GroupUse, id: &str, uid: &str, server: Option<&Arc<Server>>| {
        if used.name != group {
            return None;
        }
        for (name, value) in now {
            match value {
                Some(value) => used.written.insert(name.clone(), value.clone()),
                None => used.written.remove(name),
            };
        }
        // What waits for a reboot goes on waiting.
        let waits = later || used.status == "pending-reboot" || now.is_empty();
        let status = if waits { "pending-reboot" } else { "applying" };
        status.clone_into(&mut used.status);
        if let (Some(server), false) = (server, now.is_empty()) {
            write.push((id.to_owned(), uid.to_owned(), used.written.clone(), server.clone()));
        }
        Some(used.written.clone())
    };
    // A cluster and its writer have one server, whose files hold the parameters of both.
    match kind {
        GroupKind::Instance => {
            for it in state.instances.values_mut().filter(|it| it.cluster.is_none() || it.writer) {
                let written = meet(&mut it.group, &it.id, &it.resource_id, it.server.as_ref());
                let cluster = it.cluster.as_ref().and_then(|id| state.clusters.get_mut(id));
                if let (Some(cluster), Some(written)) = (cluster, written) {
                    cluster.group.written = written;
                }
            }
        }
        GroupKind::Cluster => {
            for cluster in state.clusters.values_mut() {
                let server = cluster.server.as_ref();
                let written = meet(&mut cluster.group, &cluster.id, &cluster.resource_id, server);
                let mut instances = state.instances.values_mut();
                let writer = instances.find(|it| it.writer && it.cluster.as_ref() == Some(&cluster.id));
                if let (Some(writer), Some(written)) = (writer, written) {
                    writer.group.written = written;
                }
            }
        }
    }
    for (id, uid, parameters, server) in write {
        let realm = realm.clone();
        tokio::spawn(async move {
            if server.write(&parameters).is_ok() {
                server.reload();
            }
            realm.state_lasts().await;
            let done = |used: &mut GroupUse| {
                if used.status == "applying" {
                    "in-sync".clone_into(&mut used.status);
                }
            };
            match kind {
                GroupKind::Instance => realm.change(&id, &uid, |it| done(&mut it.group)),
                GroupKind::Cluster => realm.change_cluster(&id, &uid, |it| done(&mut it.group)),
            }
        });
    }
}
