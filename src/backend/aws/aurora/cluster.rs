//! A cluster and its members, as one look saw them. Pure.
//!
//! Which members there are, the cluster says; their names are made up only when one is made.

use std::collections::BTreeSet;

use aws_sdk_rds::types::{DbCluster, DbInstance, Tag};

use super::super::engine::Engine;
use super::super::instances::was_available;
use super::super::servers::Shown;
use super::super::states::State;
use super::super::{identity, parameters};
use super::health;

/// The member that is made first, as in the original, and the one that stands by. Which of them writes may change.
const SUFFIXES: [&str; 2] = ["-primary", "-replica"];

/// Longest identifier of a cluster whose members' names are none too long.
pub(super) const LONGEST: usize = identity::LONGEST - SUFFIXES[0].len();

/// A cluster, with its members.
#[derive(Clone, Debug)]
pub(in super::super) struct Seen {
    pub(super) cluster: DbCluster,
    pub(super) members: Vec<Member>,
}

/// A member of a cluster.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// Its identifier.
    pub(super) id: String,
    /// Whether the service says that it writes.
    writer: bool,
    /// How far the cluster's parameters are in force in it, in the service's words.
    pub(super) applied: Option<String>,
    /// What it is like; none while the service does not show it.
    pub(super) instance: Option<DbInstance>,
    /// Whether it bears a name that the operator gives, or writes. Other readers are somebody else's, and left alone.
    pub(super) own: bool,
}

/// The name of a cluster, in lower case, as the service stores it.
pub(super) fn name(cluster: &DbCluster) -> String {
    cluster.db_cluster_identifier().unwrap_or_default().to_lowercase()
}

/// The names of the members, as the cluster says.
pub(super) fn named(cluster: &DbCluster) -> Vec<String> {
    let ids = cluster.db_cluster_members().iter().filter_map(|member| member.db_instance_identifier());
    ids.map(str::to_lowercase).collect()
}

/// The names that the operator gives to members.
fn given(cluster: &str) -> [String; 2] {
    SUFFIXES.map(|suffix| format!("{cluster}{suffix}"))
}

impl Seen {
    /// The cluster with those instances that are its members. One may be named by the cluster only, or show by itself
    /// only: a new one, or one that goes.
    pub(super) fn new(cluster: DbCluster, instances: Vec<DbInstance>) -> Self {
        let name = name(&cluster);
        let belongs = |instance: &&DbInstance| {
            instance.db_cluster_identifier().is_some_and(|other| other.eq_ignore_ascii_case(&name))
        };
        let mut ids: BTreeSet<String> = named(&cluster).into_iter().collect();
        ids.extend(instances.iter().filter(belongs).map(Shown::name));
        let given = given(&name);
        let member = |id: String| {
            let said = cluster.db_cluster_members().iter();
            let said = said.clone().find(|said| {
                said.db_instance_identifier().is_some_and(|other| other.eq_ignore_ascii_case(&id))
            });
            let writer = said.and_then(|said| said.is_cluster_writer()).unwrap_or(false);
            let instance = instances.iter().filter(belongs).find(|instance| instance.name() == id).cloned();
            Member {
                writer,
                applied: said.and_then(|said| said.db_cluster_parameter_group_status()).map(str::to_owned),
                own: writer || given.contains(&id),
                instance,
                id,
            }
        };
        let members = ids.into_iter().map(member).collect();
        Self { cluster, members }
    }

    /// Who writes; while the service names nobody, the first one.
    pub(super) fn writer(&self) -> Option<&Member> {
        self.members.iter().find(|member| member.writer).or(self.members.first())
    }

    /// The members that the operator looks after, the one that writes last: what is done to all is done to it last.
    pub(super) fn own(&self) -> impl Iterator<Item = &Member> {
        let readers = self.members.iter().filter(|member| member.own && !member.writer);
        readers.chain(self.members.iter().filter(|member| member.writer))
    }

    /// Those of them that only read.
    pub(super) fn own_readers(&self) -> impl Iterator<Item = &Member> {
        let writer = self.writer().map(|writer| writer.id.as_str());
        self.own().filter(move |member| writer != Some(&member.id))
    }

    /// Readers that somebody else has made.
    pub(super) fn has_foreign_readers(&self) -> bool {
        self.members.iter().any(|member| !member.own)
    }

    /// A member of the operator's that failed while it was made: it never took a connection.
    pub(super) fn stillborn(&self) -> Option<&Member> {
        self.members.iter().find(|member| {
            let instance = member.instance.as_ref().filter(|_| member.own);
            instance.is_some_and(|it| it.db_instance_status() == Some("failed") && !was_available(it))
        })
    }

    /// The members that wait for a restart to have their parameters in force.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Member> {
        self.own().filter(|member| member.applied.as_deref() == Some(parameters::AFTER_RESTART))
    }

    /// A name for a new member; none when both are taken.
    pub(super) fn free_name(&self) -> Option<String> {
        given(&self.name()).into_iter().find(|name| self.members.iter().all(|member| member.id != *name))
    }
}

impl Shown for Seen {
    fn identifier(&self) -> &str {
        self.cluster.db_cluster_identifier().unwrap_or_default()
    }

    fn uid(&self) -> Option<&str> {
        self.cluster.db_cluster_resource_id()
    }

    fn arn(&self) -> Option<&str> {
        self.cluster.db_cluster_arn()
    }

    fn tags(&self) -> &[Tag] {
        self.cluster.tag_list()
    }

    /// The service lists clusters of other engines, too.
    fn stranger(&self) -> Option<String> {
        let engine = self.cluster.engine().filter(|engine| *engine != Engine::Aurora.name())?;
        let name = self.identifier();
        Some(format!("the cluster {name} is not one of Aurora PostgreSQL, but of {engine}"))
    }

    fn status(&self) -> Option<&str> {
        self.cluster.status()
    }

    fn state(&self) -> State {
        health::of(self)
    }

    fn has_pending_password(&self) -> bool {
        let pending = self.cluster.pending_modified_values();
        pending.is_some_and(|pending| pending.master_user_password().is_some())
    }

    fn is_protected(&self) -> bool {
        self.cluster.deletion_protection() == Some(true)
    }

    fn version(&self) -> Option<&str> {
        self.cluster.engine_version()
    }

    fn group(&self) -> Option<&str> {
        self.cluster.db_cluster_parameter_group()
    }
}

/// The name of the first member of a new cluster.
pub(super) fn first_name(cluster: &str) -> String {
    let [first, _] = given(cluster);
    first
}
