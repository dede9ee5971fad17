//! From the configuration to its backends.

use std::sync::Arc;

#[cfg(feature = "clouds")]
use super::{
    AuroraBackend, AwsConfigError, AzureConfigError, FlexibleBackend, RdsBackend, SingleBackend, Variables,
};
use super::{LocalBackend, LocalConfigError, ServerBackend};

/// Why a backend cannot be set up: its section names something that is not there, such as a folder or a file.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// PostgreSQL on the operator's host.
    #[error(transparent)]
    Local(#[from] LocalConfigError),
    /// A backend on AWS.
    #[cfg(feature = "clouds")]
    #[error("backends.{backend}.{error}")]
    Aws {
        /// Which.
        backend: &'static str,
        /// Why.
        error: AwsConfigError,
    },
    /// A backend on Azure.
    #[cfg(feature = "clouds")]
    #[error("backends.{backend}.{error}")]
    Azure {
        /// Which.
        backend: &'static str,
        /// Why.
        error: AzureConfigError,
    },
}

/// Every backend that the configuration sets up.
///
/// # Errors
/// When a section names something that is not there.
pub fn all(config: &crate::config::Backends) -> Result<Vec<Arc<dyn ServerBackend>>, SetupError> {
    let mut all: Vec<Arc<dyn ServerBackend>> = Vec::new();
    if let Some(local) = &config.local {
        all.push(Arc::new(LocalBackend::new(local.clone())?));
    }
    #[cfg(feature = "clouds")]
    all.extend(clouds(config)?);
    Ok(all)
}

#[cfg(feature = "clouds")]
fn clouds(config: &crate::config::Backends) -> Result<Vec<Arc<dyn ServerBackend>>, SetupError> {
    let mut all: Vec<Arc<dyn ServerBackend>> = Vec::new();
    let failed = |backend| move |error| SetupError::Aws { backend, error };
    let rds = config.awsrds.clone().map(RdsBackend::new).transpose().map_err(failed("awsrds"))?;
    if let Some(aurora) = &config.awsaurora {
        let backend = AuroraBackend::new(aurora.clone(), rds.as_ref()).map_err(failed("awsaurora"))?;
        all.push(Arc::new(backend));
    }
    if let Some(rds) = rds {
        all.push(Arc::new(rds));
    }
    if let Some(single) = &config.azurepostgres {
        let failed = |error| SetupError::Azure { backend: "azurepostgres", error };
        let backend = SingleBackend::new(single.clone(), &Variables::of_process()).map_err(failed)?;
        all.push(Arc::new(backend));
    }
    if let Some(flexible) = &config.azurepostgresflexible {
        let failed = |error| SetupError::Azure { backend: "azurepostgresflexible", error };
        let backend = FlexibleBackend::new(flexible.clone(), &Variables::of_process()).map_err(failed)?;
        all.push(Arc::new(backend));
    }
    Ok(all)
}
