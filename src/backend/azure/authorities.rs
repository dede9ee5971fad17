//! Who may vouch for servers: the authorities that Azure's PostgreSQL servers have their certificates from, and those
//! that the administrator adds.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::AzureConfigError;

/// DigiCert Global Root G2 and Microsoft RSA Root CA 2017, also the older DigiCert Global Root CA
/// (<https://learn.microsoft.com/azure/postgresql/security/security-tls>).
const ROOTS: &str = include_str!("roots.pem");

/// Certificates.
#[derive(Debug)]
pub(super) struct Authorities {
    /// Those that the administrator adds.
    pub(super) extra: Vec<CertificateDer<'static>>,
    extra_pem: Option<String>,
}

impl Authorities {
    /// Reads what the administrator adds.
    pub(super) fn read(extra: Option<&Path>) -> Result<Self, AzureConfigError> {
        let Some(path) = extra else { return Ok(Self { extra: Vec::new(), extra_pem: None }) };
        let wrong = |problem: String| AzureConfigError::Authorities { path: path.to_owned(), problem };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
        let extra = certificates.map_err(|error| wrong(error.to_string()))?;
        if extra.is_empty() {
            return Err(wrong("it holds no certificate".to_owned()));
        }
        Ok(Self { extra, extra_pem: Some(text) })
    }

    /// What logins to a server are verified with; none where its certificate is not known to bear its name, as within
    /// a private zone, unless the administrator says by which authority.
    pub(super) fn ca_pem(&self, is_public: bool) -> Option<String> {
        match &self.extra_pem {
            Some(extra) => Some(format!("{ROOTS}\n{extra}")),
            None => is_public.then(|| ROOTS.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_authorities_can_be_read_and_all_are_there() {
        let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(ROOTS.as_bytes()).collect();
        assert_eq!(roots.map(|roots| roots.len()).ok(), Some(3));
    }

    #[test]
    fn a_server_in_a_private_zone_is_verified_only_with_what_the_administrator_says() {
        let known = Authorities { extra: Vec::new(), extra_pem: None };
        assert!(known.ca_pem(true).is_some() && known.ca_pem(false).is_none());
        let told = Authorities { extra: Vec::new(), extra_pem: Some("own".to_owned()) };
        assert!(told.ca_pem(false).is_some_and(|pem| pem.ends_with("own")));
    }

    #[test]
    fn a_file_without_certificates_is_named() {
        let file = tempfile::NamedTempFile::new().map(|file| file.into_temp_path());
        let path = file.as_ref().map(|path| path.to_path_buf()).unwrap_or_default();
        let told = Authorities::read(Some(&path)).map(drop).map_err(|error| error.to_string());
        assert!(told.is_err_and(|told| told.contains("holds no certificate")));
    }
}
