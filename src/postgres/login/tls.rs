//! TLS settings for the connections.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, NamedGroup, RootCertStore, SignatureScheme};

use crate::postgres::endpoint::{Endpoint, TlsMode};
use crate::postgres::error::SqlError;

/// More authorities than a configuration usually has; more than that are not remembered at once.
const REMEMBERED: usize = 64;

/// Settings by the CA they trust; none: any certificate. A login would otherwise read the CA's file anew each time, and a
/// cloud's holds a hundred certificates.
static SETTINGS: Mutex<BTreeMap<Option<String>, Arc<ClientConfig>>> = Mutex::new(BTreeMap::new());

/// The TLS settings for an endpoint.
pub(super) fn client_config(endpoint: &Endpoint) -> Result<Arc<ClientConfig>, SqlError> {
    let ca_pem = match &endpoint.tls {
        TlsMode::Verify { ca_pem } => Some(ca_pem),
        TlsMode::Require | TlsMode::Disable => None,
    };
    let known = SETTINGS.lock().unwrap_or_else(PoisonError::into_inner).get(&ca_pem.cloned()).cloned();
    if let Some(known) = known {
        return Ok(known);
    }
    let made = trusting(ca_pem.map(String::as_str))
        .map_err(|cause| SqlError::TlsRefused { endpoint: endpoint.to_string(), cause })?;
    let made = Arc::new(made);
    let mut settings = SETTINGS.lock().unwrap_or_else(PoisonError::into_inner);
    if settings.len() >= REMEMBERED {
        settings.clear();
    }
    settings.insert(ca_pem.cloned(), made.clone());
    Ok(made)
}

fn trusting(ca_pem: Option<&str>) -> Result<ClientConfig, String> {
    // Named, not the process default: that one panics when two providers are linked.
    let mut provider = aws_lc_rs::default_provider();
    // Before 18, PostgreSQL takes no other curve (`ssl_ecdh_curve`): a key of another one costs a round trip more.
    provider.kx_groups.sort_by_key(|group| group.name() != NamedGroup::secp256r1);
    let provider = Arc::new(provider);
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(match ca_pem {
        Some(ca_pem) => builder.with_root_certificates(roots(ca_pem)?).with_no_client_auth(),
        None => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth(),
    })
}

fn roots(ca_pem: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
        let certificate = certificate.map_err(|error| format!("the CA file is not valid PEM: {error}"))?;
        roots
            .add(certificate)
            .map_err(|error| format!("the CA file holds an unusable certificate: {error}"))?;
    }
    // An empty store would refuse every server with a misleading "unknown issuer".
    if roots.is_empty() { Err("the CA file holds no certificate".to_owned()) } else { Ok(roots) }
}

/// Accepts every certificate, but still checks that the server holds its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
