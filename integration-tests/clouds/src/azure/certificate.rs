//! The application's certificate: a login by a statement that its key has signed
//! (<https://learn.microsoft.com/entra/identity-platform/certificate-credentials>).

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{KeyPair, RSA_PSS_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use super::CLIENT;
use crate::postgres::Error;

/// A certificate that Entra knows.
#[derive(Clone)]
pub(super) struct Certificate {
    /// Key and certificate.
    pub(super) pem: String,
    thumbprint: String,
    public: Vec<u8>,
}

impl Certificate {
    pub(super) fn new() -> Result<Self, Error> {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256)?;
        let certificate = rcgen::CertificateParams::new(Vec::new())?.self_signed(&key)?;
        let pair =
            RsaKeyPair::from_pkcs8(&key.serialize_der()).map_err(|error| Error::Tls(error.to_string()))?;
        Ok(Self {
            pem: format!("{}{}", key.serialize_pem(), certificate.pem()),
            thumbprint: BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, certificate.der())),
            public: pair.public_key().as_ref().to_vec(),
        })
    }

    /// What is wrong with a statement.
    pub(super) fn check(&self, statement: &str, audience: &str, now: i64) -> Result<(), &'static str> {
        let mut parts = statement.split('.');
        let (Some(head), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("it is no JWT");
        };
        let decoded = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| "it is not in base64");
        let json =
            |part: &str| serde_json::from_slice::<Value>(&decoded(part)?).map_err(|_| "it is not JSON");
        let (head_json, claims_json) = (json(head)?, json(claims)?);
        if head_json["alg"] != "PS256" || head_json["x5t#S256"] != self.thumbprint.as_str() {
            return Err("its head names another certificate or another algorithm than PS256");
        }
        let key = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, &self.public);
        if key.verify(format!("{head}.{claims}").as_bytes(), &decoded(signature)?).is_err() {
            return Err("its signature is wrong");
        }
        if claims_json["iss"] != CLIENT || claims_json["sub"] != CLIENT || claims_json["aud"] != audience {
            return Err("it speaks for or to somebody else");
        }
        let time = |name: &str| claims_json[name].as_i64().unwrap_or_default();
        // Five minutes of difference between clocks are tolerated.
        if time("exp") <= now || time("nbf") > now + 300 || claims_json["jti"].is_null() {
            return Err("its time is over or has not come, or it has no id");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::RSA_PSS_SHA256;
    use rustls::pki_types::PrivatePkcs8KeyDer;
    use rustls::pki_types::pem::PemObject;
    use serde_json::json;

    use super::*;

    const TO: &str = "https://login/oauth2/v2.0/token";

    fn statement(of: &Certificate, change: impl FnOnce(&mut Value, &mut Value)) -> String {
        let mut head = json!({"alg": "PS256", "x5t#S256": of.thumbprint});
        let mut claims =
            json!({"aud": TO, "iss": CLIENT, "sub": CLIENT, "jti": "1", "nbf": 1000, "exp": 1600});
        change(&mut head, &mut claims);
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&head), part(&claims));
        let key = PrivatePkcs8KeyDer::from_pem_slice(of.pem.as_bytes()).unwrap();
        let pair = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap();
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    #[test]
    fn a_statement_counts_if_the_key_signed_it_for_us_and_now() {
        let (own, other) = (Certificate::new().unwrap(), Certificate::new().unwrap());
        let good = statement(&own, |_, _| ());
        assert_eq!(own.check(&good, TO, 1_200), Ok(()));
        assert!(own.check(&good, TO, 1_600).is_err(), "its time is over");
        assert!(own.check(&good, "https://elsewhere", 1_200).is_err());
        assert!(own.check(&good.replace(&good[good.len() - 8..], "AAAAAAAA"), TO, 1_200).is_err());
        assert!(own.check(&statement(&other, |_, _| ()), TO, 1_200).is_err());
        assert!(own.check(&statement(&own, |_, claims| claims["sub"] = json!("x")), TO, 1_200).is_err());
        assert!(own.check(&statement(&own, |head, _| head["alg"] = json!("none")), TO, 1_200).is_err());
    }
}
