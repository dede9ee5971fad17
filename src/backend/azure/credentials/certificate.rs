//! A login by certificate: a statement that the certificate's key signs. The official library does it with OpenSSL, of
//! which there is none in the operator.
//!
//! Form: <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>.

use std::fmt;
use std::path::PathBuf;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PSS_SHA256, RsaKeyPair};
use azure_core::Error;
use azure_core::error::ErrorKind;
use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rand::RngExt;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};

/// How long a statement counts, in seconds.
const SECONDS: i64 = 600;

/// A file with a certificate and its key, in PEM. It is read anew each time, since certificates are replaced.
pub(super) struct Certificate {
    path: PathBuf,
    client: String,
    audience: String,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Certificate {
    pub(super) fn read(path: PathBuf, client: String, audience: String) -> Self {
        Self { path, client, audience }
    }

    /// The statement.
    fn assertion(&self, pem: &[u8], now: i64) -> Result<String, &'static str> {
        let certificate =
            CertificateDer::from_pem_slice(pem).map_err(|_| "it holds no certificate in PEM format")?;
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| "it holds no private key in PEM format")?;
        let pair = match &key {
            PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
            _ => return Err("its key is no RSA key"),
        };
        let pair = pair.map_err(|_| "its key is no RSA key")?;
        let thumbprint = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, &certificate));
        let id: u128 = rand::rng().random();
        let head = json!({"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint});
        let claims = json!({
            "aud": self.audience,
            "iss": self.client,
            "sub": self.client,
            "jti": format!("{id:032x}"),
            "nbf": now,
            "exp": now + SECONDS,
        });
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&head), part(&claims));
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| "its key does not sign")?;
        Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[async_trait]
impl ClientAssertion for Certificate {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let wrong = |problem: String| {
            let text = format!("{}: {problem}", self.path.display());
            Error::with_message(ErrorKind::Credential, text)
        };
        let pem = tokio::fs::read(&self.path).await.map_err(|error| wrong(error.to_string()))?;
        self.assertion(&pem, Timestamp::now().as_second()).map_err(|problem| wrong(problem.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use aws_lc_rs::signature::{KeyPair, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    /// Made for this test; nothing trusts it.
    fn pem() -> (String, Vec<u8>) {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let certificate = rcgen::CertificateParams::new(vec![]).unwrap().self_signed(&key).unwrap();
        let public = RsaKeyPair::from_pkcs8(&key.serialize_der()).unwrap().public_key().as_ref().to_vec();
        (format!("{}{}", key.serialize_pem(), certificate.pem()), public)
    }

    fn certificate() -> Certificate {
        let audience = "https://login/tenant/oauth2/v2.0/token".to_owned();
        Certificate::read("c.pem".into(), "client".to_owned(), audience)
    }

    #[test]
    fn the_statement_is_signed_by_the_key_and_speaks_for_the_client() {
        let (pem, public) = pem();
        let statement = certificate().assertion(pem.as_bytes(), 1_000).unwrap();
        let (signed, signature) = statement.rsplit_once('.').unwrap();
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
        let key = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, public);
        assert!(key.verify(signed.as_bytes(), &signature).is_ok());
        let claims = signed.split_once('.').unwrap().1;
        let claims: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        assert_eq!((claims["sub"].as_str(), claims["exp"].as_i64()), (Some("client"), Some(1_600)));
    }

    #[test]
    fn a_file_without_key_or_certificate_is_told() {
        let told = certificate().assertion(b"", 0).unwrap_err();
        assert!(told.contains("no certificate"), "{told}");
    }
}
