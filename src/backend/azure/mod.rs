//! PostgreSQL servers on Azure: Azure Database for PostgreSQL.

mod arm;
mod authorities;
mod backend;
mod credentials;
mod extensions;
mod fields;
mod firewall;
mod flexible;
mod identity;
mod memory;
mod model;
mod parameters;
mod requests;
mod rules;
mod service;
mod single;
mod states;
#[cfg(test)]
mod testing;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use self::arm::{Arm, Http};
use self::authorities::Authorities;
use self::credentials::Credentials;
use crate::config::AzureConfig;

pub use flexible::FlexibleBackend;
pub use single::SingleBackend;

/// The variables that credentials are looked for in, by name. A value of them is shown nowhere.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Those of this process, as far as they are Azure's.
    pub fn of_process() -> Self {
        Self(std::env::vars().filter(|(name, _)| name.starts_with("AZURE_")).collect())
    }

    /// The value of a variable, unless it is empty.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl FromIterator<(String, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A backend on Azure cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum AzureConfigError {
    /// The additional certificates cannot be read.
    #[error("extra_ca_file: found {path:?}, expected a file with certificates in PEM format ({problem})")]
    Authorities {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A token would go over the wire for everybody to read.
    #[error("{key}: found {found:?}, expected an address that begins with https://")]
    NotPrivate {
        /// The key.
        key: &'static str,
        /// Its value.
        found: String,
    },
    /// No TLS can be had.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// The public cloud's resource manager.
const RESOURCE_MANAGER: &str = "https://management.azure.com";

/// The way to a subscription, and the authorities of its servers' certificates.
fn connect(azure: &AzureConfig, variables: &Variables) -> Result<(Arm, Authorities), AzureConfigError> {
    let authorities = Authorities::read(azure.extra_ca_file.as_deref())?;
    let endpoint = azure.resource_manager_endpoint.as_deref().unwrap_or(RESOURCE_MANAGER);
    for (key, found) in
        [("resource_manager_endpoint", Some(endpoint)), ("authority_host", azure.authority_host.as_deref())]
    {
        if let Some(found) = found.filter(|found| !found.starts_with("https://")) {
            return Err(AzureConfigError::NotPrivate { key, found: found.to_owned() });
        }
    }
    let http = Http::new(&authorities.extra)?;
    let audience = azure.audience.as_deref().unwrap_or(endpoint).trim_end_matches('/').to_owned();
    let token = Credentials::new(variables.clone(), azure.authority_host.clone(), audience, http.clone());
    Ok((Arm::new(endpoint, http, Arc::new(token), azure.call_budget), authorities))
}
