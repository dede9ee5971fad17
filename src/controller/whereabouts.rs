//! Where the passwords of an object may stand, and which Secret is taken for its own.

use k8s_openapi::api::core::v1::Secret;

use super::settled::Login;
use crate::postgres::Endpoint;
use crate::secrets::{ConnectionFacts, Recognised, SecretOwner, field, is_unmarked_and_complete};

/// Where the passwords of an object may stand, and what they are for.
pub struct Whereabouts<'a> {
    /// The name of the credentials Secret in the spec.
    pub secret_name: &'a str,
    /// The name it was published under.
    pub former_name: Option<&'a str>,
    /// Where the original operator may have left a password on its way.
    pub temporary: Option<String>,
    /// That nothing was the matter when everything was last looked at, and what is known of the login since.
    pub remembered: Option<Login>,
    /// It was taken over: what the original wrote there stays as it is.
    pub taken_over: bool,
    /// Where the server was, for when it is gone: a Secret of the original's bears no other mark.
    pub last_address: Option<(String, u16)>,
    /// What an application needs besides the password; none while the server is not there.
    pub facts: Option<ConnectionFacts>,
    /// Where logins are tried; none while the server takes no connections.
    pub endpoint: Option<Endpoint>,
}

/// Whether the Secret is the owner's, or may be taken over by it.
pub fn recognised(
    owner: &SecretOwner,
    facts: Option<&ConnectionFacts>,
    last_address: Option<&(String, u16)>,
    secret: &Secret,
) -> bool {
    match (facts, last_address) {
        (Some(facts), _) => facts.recognise(owner, secret) != Recognised::Foreign,
        (None, Some((host, port))) if is_unmarked_and_complete(secret) => {
            let says = |key: &str, value: &str| field(secret, key).as_deref() == Some(value);
            says("host", host) && says("port", &port.to_string())
        }
        (None, _) => owner.owns(secret),
    }
}
