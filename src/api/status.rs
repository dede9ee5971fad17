//! `.status` of both kinds.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lenient::{known, known_items};
use super::{Condition, Phase};

/// What the operator knows about a server. Written by the operator only, by server-side apply on `/status`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = super::schema::tidy)]
pub struct ServerStatus {
    /// What the operator is doing: Pending, Provisioning, Configuring, Ready, ResettingPassword or Deleting. Whether the
    /// credentials work is said by the condition Ready.
    #[serde(default, deserialize_with = "known", skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Since when it is doing that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase_since: Option<Time>,
    /// The generation of the spec that the rest of this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The backend this server lives in. Pinned: a later change of spec.backend does not move the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// The pinned identity of the server and the facts its backend reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<PinnedServer>,
    /// When the creation of the server was last asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_attempted_at: Option<Time>,
    /// When the object first reached the phase Ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_ready_at: Option<Time>,
    /// An operation of the backend that is under way, or that has failed and was not told of yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// Changes that interrupt connections, as they were last begun. What its backend has accepted and not carried out is
    /// told, not repeated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// The generation that was taken over without a write; differences wait until the spec changes again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopted_generation: Option<i64>,
    /// Differences between the spec and what exists that are not being written now, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<String>,
    /// Server parameters set by the operator; only these are ever reset.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub managed_parameters: Vec<String>,
    /// Firewall rules set by the operator; only these are ever removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub managed_firewall_rules: Vec<String>,
    /// Observations, one per type. Wait for an object with `kubectl wait --for=condition=Ready`.
    #[serde(default, deserialize_with = "known_items", skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The Secret that holds the credentials (servicebinding.io provisioned service).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<Binding>,
    /// The three keys the original operator wrote, kept for tools that read them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<Deployment>,
}

/// Where a server lives, and what its backend says about it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PinnedServer {
    /// The server's name in the backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The account or subscription it lives in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The region or location it lives in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The resource group or namespace it lives in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The backend's own immutable id of the server: the evidence that it existed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Host name or address to connect to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Port to connect to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Host and port in one, for the column ENDPOINT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The running version of PostgreSQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The size the backend reports, in its own words (class, cpu or SKU).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// Allocated storage in GB.
    #[serde(default, rename = "storageGB", skip_serializing_if = "Option::is_none")]
    pub storage_gb: Option<u64>,
    /// How much of the storage is used, in GB, rounded up.
    #[serde(default, rename = "storageUsedGB", skip_serializing_if = "Option::is_none")]
    pub storage_used_gb: Option<u64>,
}

/// A running operation of the backend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// The URL at which the backend tells how far it is; empty where it has none.
    pub id: String,
    /// What it does: create, update, delete, …
    pub kind: String,
    /// Since when it runs.
    pub since: Time,
    /// What it changes: the server, the password, or a field of the spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// How the URL answers: `status`, by a body that says how far it is, or `location`, by 202 until it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
}

/// A change that was begun, and is not begun anew as long as nothing is different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// What it is: version, or restart.
    pub change: String,
    /// What there was before, where that matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What was asked for.
    pub wanted: String,
}

/// The Secret with the credentials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Binding {
    /// Its name, in the object's namespace.
    pub name: String,
}

/// The status the original operator wrote.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Deployment {
    /// One of working, finished and failed.
    #[serde(default, deserialize_with = "known", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub status: Option<DeploymentStatus>,
    /// Why, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When this last changed, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest_update: Option<String>,
}

/// The original's three words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeploymentStatus {
    /// Work is in flight.
    Working,
    /// Everything is as asked.
    Finished,
    /// The spec cannot be carried out.
    Failed,
}

/// What the operator knows about a database.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = super::schema::tidy)]
pub struct DatabaseStatus {
    /// What the operator is doing: Pending, Provisioning, Configuring, Ready, ResettingPassword or Deleting. Whether the
    /// credentials work is said by the condition Ready.
    #[serde(default, deserialize_with = "known", skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Since when it is doing that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase_since: Option<Time>,
    /// The generation of the spec that the rest of this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The backend of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// The pinned names in PostgreSQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<PinnedDatabase>,
    /// When the creation of the database was last asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_attempted_at: Option<Time>,
    /// When the object first reached the phase Ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_ready_at: Option<Time>,
    /// The generation that was taken over without a write; differences wait until the spec changes again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopted_generation: Option<i64>,
    /// Differences between the spec and what exists that are not being written now, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<String>,
    /// Observations, one per type. Wait for an object with `kubectl wait --for=condition=Ready`.
    #[serde(default, deserialize_with = "known_items", skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The Secret that holds the credentials (servicebinding.io provisioned service).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<Binding>,
    /// The three keys the original operator wrote, kept for tools that read them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<Deployment>,
}

/// The names of a database in PostgreSQL. Pinned before the first effect.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PinnedDatabase {
    /// The database's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The role that owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The id of the server (its status.server.uid) on which it was first seen: the evidence that it existed there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_uid: Option<String>,
}
