//! Tokens of Microsoft Entra: client secret, federated assertion, managed identity in the form of App Service [D].

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use serde_json::{Value, json};

use super::certificate::Certificate;
use super::wire::{Ask, Refusal, Reply};
use super::{CLIENT, Inner, TENANT};
use crate::postgres::Error;

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The audience of the public cloud; our own endpoint is the other one.
const AUDIENCE: &str = "https://management.azure.com";

/// What has been given out, and what it is given for.
pub(super) struct Tokens {
    issued: BTreeMap<String, Timestamp>,
    secret: String,
    /// The content of a token file that is accepted.
    assertion: String,
    certificate: Option<Certificate>,
    life: SignedDuration,
    /// What its role allows; none: everything.
    allowed: Option<BTreeSet<String>>,
}

impl Tokens {
    pub(super) fn new() -> Self {
        Self {
            issued: BTreeMap::new(),
            secret: random("secret"),
            assertion: random("assertion"),
            certificate: None,
            life: SignedDuration::from_hours(1),
            allowed: None,
        }
    }

    pub(super) fn secret(&self) -> &str {
        &self.secret
    }

    pub(super) fn assertion(&self) -> &str {
        &self.assertion
    }

    pub(super) fn rotate_assertion(&mut self) -> String {
        self.assertion = random("assertion");
        self.assertion.clone()
    }

    /// The application's certificate, made at the first call: a key takes a while.
    pub(super) fn certificate(&mut self) -> Result<String, Error> {
        if let Some(certificate) = &self.certificate {
            return Ok(certificate.pem.clone());
        }
        let certificate = Certificate::new()?;
        Ok(self.certificate.insert(certificate).pem.clone())
    }

    /// Whether an assertion is the federated token, or signed with the certificate.
    fn believes(&self, assertion: &str, audience: &str, now: Timestamp) -> bool {
        let signed = |it: &Certificate| it.check(assertion, audience, now.as_second()).is_ok();
        assertion == self.assertion || self.certificate.as_ref().is_some_and(signed)
    }

    pub(super) fn set_life(&mut self, life: SignedDuration) {
        self.life = life;
    }

    pub(super) fn expire_all(&mut self, now: Timestamp) {
        self.issued.values_mut().for_each(|until| *until = now);
    }

    pub(super) fn allow(&mut self, actions: Option<BTreeSet<String>>) {
        self.allowed = actions;
    }

    pub(super) fn issue(&mut self, now: Timestamp) -> (String, i64) {
        let token = random("token");
        self.issued.insert(token.clone(), now.saturating_add(self.life).unwrap_or(Timestamp::MAX));
        (token, self.life.as_secs())
    }

    /// Whether the bearer may do this.
    pub(super) fn check(&self, ask: &Ask, now: Timestamp, permission: &str) -> Result<(), Refusal> {
        let Some(token) = ask.header("authorization").and_then(|it| it.strip_prefix("Bearer ")) else {
            let message = "Authentication failed. The 'Authorization' header is missing.";
            return Err(Refusal::new(401, "AuthenticationFailed", message));
        };
        let Some(until) = self.issued.get(token) else {
            return Err(Refusal::new(401, "InvalidAuthenticationToken", "The access token is invalid."));
        };
        if *until <= now {
            let message = format!(
                "The access token expiry UTC time '{until}' is earlier than current UTC time '{now}'."
            );
            return Err(Refusal::new(401, "ExpiredAuthenticationToken", message));
        }
        let fits = |allowed: &String| fits(&allowed.to_lowercase(), &permission.to_lowercase());
        if self.allowed.as_ref().is_some_and(|allowed| !allowed.iter().any(fits)) {
            let message = format!(
                "The client '{CLIENT}' does not have authorization to perform action '{permission}'."
            );
            return Err(Refusal::new(403, "AuthorizationFailed", message));
        }
        Ok(())
    }
}

/// A pattern of a role definition: `*` stands for anything [D].
fn fits(pattern: &str, permission: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = permission.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn random(what: &str) -> String {
    format!("simulated-{what}-{:032x}", rand::rng().random::<u128>())
}

/// Answers what belongs to Entra; none: it does not.
pub(super) fn answer(inner: &Inner, ask: &Ask) -> Option<Reply> {
    let segments: Vec<&str> = ask.segments.iter().map(String::as_str).collect();
    match (ask.method.as_str(), segments.as_slice()) {
        ("POST", [tenant, "oauth2", "v2.0", "token"]) => Some(token(inner, ask, tenant)),
        ("GET", [tenant, "v2.0", ".well-known", "openid-configuration"]) => {
            Some(Reply::ok(discovery(inner.endpoint(), tenant)))
        }
        ("GET", ["msi", "token"]) => Some(managed_identity(inner, ask)),
        _ => None,
    }
}

fn token(inner: &Inner, ask: &Ask, tenant: &str) -> Reply {
    let form: BTreeMap<String, String> = form_urlencoded::parse(&ask.body).into_owned().collect();
    let get = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if tenant != TENANT {
        return error(400, "invalid_request", 90002, &format!("Tenant '{tenant}' not found."));
    }
    if get("grant_type") != "client_credentials" {
        return error(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.");
    }
    if get("client_id") != CLIENT {
        let message = format!("Application with identifier '{}' was not found.", get("client_id"));
        return error(400, "unauthorized_client", 700_016, &message);
    }
    if !serves(inner, get("scope").trim_end_matches(".default")) {
        let message = format!("The resource principal named {} was not found.", get("scope"));
        return error(400, "invalid_resource", 500_011, &message);
    }
    let mut tokens = inner.tokens();
    if form.contains_key("client_assertion") {
        let audience = format!("{}/{TENANT}/oauth2/v2.0/token", inner.endpoint());
        let believed = tokens.believes(get("client_assertion").trim(), &audience, inner.clock.now());
        if get("client_assertion_type") != ASSERTION || !believed {
            return error(401, "invalid_client", 700_213, "No matching federated identity record found.");
        }
    } else if get("client_secret") != tokens.secret {
        return error(401, "invalid_client", 7_000_215, "Invalid client secret provided.");
    }
    let (token, seconds) = tokens.issue(inner.clock.now());
    Reply::ok(json!({"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds,
        "access_token": token}))
}

/// `IDENTITY_ENDPOINT`, `IDENTITY_HEADER`, api-version 2019-08-01 [D].
fn managed_identity(inner: &Inner, ask: &Ask) -> Reply {
    let mut tokens = inner.tokens();
    if ask.header("x-identity-header") != Some(tokens.secret.as_str()) {
        return error(401, "invalid_request", 50000, "The header X-IDENTITY-HEADER is wrong.");
    }
    let resource = ask.query.get("resource").map(String::as_str).unwrap_or_default();
    if !serves(inner, resource) {
        return error(400, "invalid_resource", 500_011, "The resource was not found.");
    }
    let (token, seconds) = tokens.issue(inner.clock.now());
    let until = inner.clock.now().as_second() + seconds;
    Reply::ok(json!({"access_token": token, "expires_on": until.to_string(), "resource": resource,
        "token_type": "Bearer", "client_id": CLIENT}))
}

fn serves(inner: &Inner, resource: &str) -> bool {
    let resource = resource.trim_end_matches('/');
    resource == AUDIENCE || resource == inner.endpoint()
}

fn discovery(endpoint: &str, tenant: &str) -> Value {
    let at = format!("{endpoint}/{tenant}");
    json!({
        "token_endpoint": format!("{at}/oauth2/v2.0/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "authorization_endpoint": format!("{at}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{at}/oauth2/v2.0/devicecode"),
        "jwks_uri": format!("{at}/discovery/v2.0/keys"),
        "issuer": format!("{at}/v2.0"),
        "response_types_supported": ["code", "id_token", "token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid"],
    })
}

fn error(status: u16, code: &str, number: u32, message: &str) -> Reply {
    let description = format!("AADSTS{number}: {message}");
    Reply::new(status, json!({"error": code, "error_description": description, "error_codes": [number]}))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[rstest::rstest]
    #[case("*", "a/b/read", true)]
    #[case("a/*", "a/b/read", true)]
    #[case("a/*/read", "a/b/c/read", true)]
    #[case("a/*/read", "a/b/c/write", false)]
    #[case("a/b/read", "a/b/read", true)]
    #[case("a/b", "a/b/read", false)]
    fn a_role_allows_what_its_patterns_say(#[case] pattern: &str, #[case] what: &str, #[case] allowed: bool) {
        assert_eq!(fits(pattern, what), allowed);
    }
}
