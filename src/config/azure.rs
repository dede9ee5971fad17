//! `backends.azure`, `backends.azurepostgres` and `backends.azurepostgresflexible`.
//!
//! What a backend gets is resolved: where its own section is silent, the shared one has been laid under it, key by key.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::common::{self, CallBudget};
use crate::api::DeletionPolicy;

/// What `azurepostgres` and `azurepostgresflexible` have in common. Each key may stand in `backends.azure` or in the
/// backend's own section, which wins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AzureConfig {
    /// Subscription of the servers.
    pub subscription_id: String,
    /// Location of the servers, for example `westeurope`.
    pub location: String,
    /// Resource group of the servers.
    pub resource_group: String,
    /// Pattern of server names, with `{namespace}` and `{name}`. Server names are unique in all of Azure.
    pub name_pattern: String,
    /// Names of single servers, in place of the pattern: for servers that existed before their object.
    #[serde(default)]
    pub name_overrides: Vec<AzureNameOverride>,
    /// Virtual network, in the servers' resource group, for servers without public access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtual_network: Option<String>,
    /// Subnet of the virtual network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet: Option<String>,
    /// Most CPU cores a user may ask for, also by a class; 0: no limit.
    #[serde(default)]
    pub cpu_limit: u32,
    /// Most storage a user may ask for, in GB; 0: no limit.
    #[serde(default)]
    pub storage_limit_gb: u32,
    /// Whether a server is only marked by a tag, not deleted, when its object is deleted.
    #[serde(default)]
    pub server_delete_fake: bool,
    /// Whether a database stays when its object is deleted.
    #[serde(default)]
    pub database_delete_fake: bool,
    /// Whether servers get a lock against deletion. It is never removed by the operator: an object that is deleted waits
    /// until somebody removes it.
    #[serde(default)]
    pub lock_from_deletion: bool,
    /// User name of the administrator in new servers.
    #[serde(default = "common::admin_username")]
    pub admin_username: String,
    /// Tags of the servers besides the operator's own. Values may contain `{namespace}` and `{name}`.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// What happens to a server whose object is deleted and does not say so itself. `Snapshot` is refused: on Azure,
    /// backups of a server go with it.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
    /// The same for servers that were taken over from the original operator. Default: as `deletion_policy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_over_deletion_policy: Option<DeletionPolicy>,
    /// Address that tokens come from. Default: the public cloud's, `https://login.microsoftonline.com`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority_host: Option<String>,
    /// Address of the resource manager. Default: the public cloud's, `https://management.azure.com`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_manager_endpoint: Option<String>,
    /// What tokens are asked for. Default: the resource manager's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Version of the service's API. Default: the one the operator was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// File with certificates in PEM format that are trusted besides the known ones, for Azure and for the servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_ca_file: Option<PathBuf>,
    /// How many calls the operator makes at most. Azure takes 250 reads at once and 25 a second for a subscription and
    /// login.
    #[serde(default)]
    pub call_budget: CallBudget,
}

/// How servers on Azure can be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AzureNetwork {
    /// Whether servers can be reached from outside the virtual network. Default: yes, for single servers only without a
    /// private endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_access: Option<bool>,
    /// Whether services on Azure, also those of others, can reach the servers.
    pub allow_azure_services: bool,
    /// Whether firewall rules that stand neither here nor in the object are removed, as by the original.
    pub exclusive_firewall_rules: bool,
    /// Ranges in CIDR notation that users' firewall rules must lie in. Empty: no bounds.
    pub allowed_firewall_ranges: Vec<String>,
}

/// What users of Azure get without asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AzureParameters {
    /// Whether backups are stored in more than one region.
    pub geo_redundant_backup: bool,
    /// Days that backups are kept.
    #[schemars(range(min = 7, max = 35))]
    pub backup_retention_days: u8,
    /// Network settings of each server.
    pub network: AzureParametersNetwork,
}

impl Default for AzureParameters {
    fn default() -> Self {
        Self {
            geo_redundant_backup: false,
            backup_retention_days: 7,
            network: AzureParametersNetwork::default(),
        }
    }
}

/// Network settings of each server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AzureParametersNetwork {
    /// Address ranges that may connect to each server.
    pub firewall_rules: Vec<AzureFirewallRule>,
}

/// An address range that may connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AzureFirewallRule {
    /// Name of the rule.
    pub name: String,
    /// First address.
    #[schemars(extend("x-aliases" = ["start_ip"]))]
    pub start_ip: Ipv4Addr,
    /// Last address.
    #[schemars(extend("x-aliases" = ["end_ip"]))]
    pub end_ip: Ipv4Addr,
}

/// The name of one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AzureNameOverride {
    /// Namespace of the object.
    pub namespace: String,
    /// Name of the object.
    pub name: String,
    /// Name of its server on Azure.
    pub azure_name: String,
}

/// A private DNS zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-text-as" = "name"))]
pub struct DnsZone {
    /// Name of the zone, which ends in `.postgres.database.azure.com`. May stand in place of the whole section.
    pub name: String,
    /// Resource group of the zone. Default: the servers'.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_group: Option<String>,
}

/// Azure Database for PostgreSQL, single server. Microsoft retired the service on 2025-03-28.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AzureSingleConfig {
    /// What both backends have in common.
    #[serde(flatten)]
    pub azure: AzureConfig,
    /// How servers can be reached.
    #[serde(default)]
    pub network: AzureSingleNetwork,
    /// Defaults for what users do not say.
    #[serde(default)]
    pub parameters: AzureSingleParameters,
    /// Classes that users choose from by name.
    #[serde(default)]
    pub classes: BTreeMap<String, AzureSingleClass>,
    /// Class of objects that name one that does not exist. Without it, classes have no effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_class: Option<String>,
    /// Whether new servers are asked for although the service was retired. Those that are there are looked after in any
    /// case.
    #[serde(default)]
    pub allow_retired_service: bool,
}

/// How single servers can be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AzureSingleNetwork {
    /// What both backends have in common.
    #[serde(flatten)]
    pub azure: AzureNetwork,
    /// Whether servers have a private endpoint in the subnet from the original operator: it goes with its server. None is
    /// made any more.
    pub create_private_endpoint: bool,
    /// Subnets that may connect. Accepted for compatibility and without effect: what the original has set stays.
    #[schemars(extend("deprecated" = true))]
    pub vnets: Vec<AzureVnet>,
}

/// A subnet that may connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AzureVnet {
    /// Name of the virtual network, in the servers' resource group.
    pub vnet: String,
    /// Name of the subnet.
    pub subnet: String,
}

/// What users of single servers get without asking.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AzureSingleParameters {
    /// What both backends have in common.
    #[serde(flatten)]
    pub azure: AzureParameters,
    /// Whether storage is encrypted twice.
    pub infrastructure_encryption: Switch,
}

/// The service's words for on and off.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::IntoStaticStr,
)]
pub enum Switch {
    /// On.
    Enabled,
    /// Off.
    #[default]
    Disabled,
}

/// A class of single servers: a SKU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AzureSingleClass {
    /// Name of the SKU, for example `GP_Gen5_2`.
    pub name: String,
    /// Tier of the SKU, for example `GeneralPurpose`.
    pub tier: String,
    /// Family of the SKU, for example `Gen5`.
    pub family: String,
    /// CPU cores of the SKU.
    #[schemars(range(min = 1, max = 64))]
    pub capacity: u32,
}

/// Azure Database for PostgreSQL, flexible server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AzureFlexibleConfig {
    /// What both backends have in common.
    #[serde(flatten)]
    pub azure: AzureConfig,
    /// How servers can be reached. Decided when a server is created.
    #[serde(default)]
    pub network: AzureNetwork,
    /// Defaults for what users do not say.
    #[serde(default)]
    pub parameters: AzureParameters,
    /// Classes that users choose from by name.
    #[serde(default)]
    pub classes: BTreeMap<String, AzureFlexibleClass>,
    /// Class of objects that name one that does not exist. Without it, classes have no effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_class: Option<String>,
    /// Availability zone of new servers.
    #[serde(default = "first_zone")]
    pub availability_zone: String,
    /// Availability zone of the standby of highly available servers.
    #[serde(default = "second_zone")]
    pub standby_availability_zone: String,
    /// Where the standby of highly available servers is.
    #[serde(default)]
    pub high_availability_mode: HighAvailabilityMode,
    /// Private DNS zone of servers without public access: its name, or a section.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_zone: Option<DnsZone>,
}

/// Where the standby of a highly available server is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::IntoStaticStr,
)]
pub enum HighAvailabilityMode {
    /// In another availability zone.
    #[default]
    ZoneRedundant,
    /// In the same one.
    SameZone,
}

/// A class of flexible servers: a SKU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AzureFlexibleClass {
    /// Name of the SKU, for example `Standard_D2ds_v4`.
    pub name: String,
    /// Tier of the SKU, for example `GeneralPurpose` or `Burstable`.
    pub tier: String,
}

fn first_zone() -> String {
    "1".to_owned()
}

fn second_zone() -> String {
    "2".to_owned()
}
