//! Whose a Secret is: labels that name the owner. Never an owner reference: the garbage collector must not decide.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;

use crate::api::names::{FIELD_MANAGER, GROUP};

/// The object a Secret belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretOwner {
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid: a Secret marked with it is ours.
    pub uid: String,
}

/// When the password in the Secret was drawn (RFC 3339).
pub const ISSUED_AT: &str = "hybridcloud.maibornwolff.de/issued-at";
/// When a password was last reset because a label or annotation asked for it (RFC 3339).
pub const RESET_AT: &str = "hybridcloud.maibornwolff.de/reset-on-request-at";
/// Which requests the pending password settles.
pub const SETTLES: &str = "hybridcloud.maibornwolff.de/settles";

/// Longest value of a label.
const LABEL_MAX: usize = 63;

fn key(name: &str) -> String {
    format!("{GROUP}/{name}")
}

impl SecretOwner {
    /// The labels that mark a Secret as belonging to this owner.
    pub fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::from([
            ("app.kubernetes.io/managed-by".to_owned(), FIELD_MANAGER.to_owned()),
            (key("owner-kind"), self.kind.to_owned()),
            (key("owner-uid"), self.uid.clone()),
        ]);
        for (name, value) in [("owner-namespace", &self.namespace), ("owner-name", &self.name)] {
            // A longer name is left out rather than cut: a cut one would name another object.
            if value.len() <= LABEL_MAX {
                labels.insert(key(name), value.clone());
            }
        }
        labels
    }

    /// Whether the Secret bears this owner's mark.
    pub fn owns(&self, secret: &Secret) -> bool {
        marked_uid(secret) == Some(self.uid.as_str())
    }

    /// Whether the Secret bears the mark of an object of the same kind and name that is gone: a namespace holds one of
    /// a name at a time, so one with another uid was before this one.
    pub fn succeeds_in(&self, secret: &Secret) -> bool {
        let labels = secret.metadata.labels.as_ref();
        let says = |name: &str, value: &str| {
            labels.and_then(|labels| labels.get(&key(name))).is_some_and(|found| found == value)
        };
        marked_uid(secret).is_some_and(|uid| uid != self.uid)
            && says("owner-kind", self.kind)
            && says("owner-namespace", &self.namespace)
            && says("owner-name", &self.name)
    }
}

/// The uid in the Secret's mark, if it has one.
pub fn marked_uid(secret: &Secret) -> Option<&str> {
    secret.metadata.labels.as_ref()?.get(&key("owner-uid")).map(String::as_str)
}

/// The owner in the Secret's mark, for people.
pub fn marked_name(secret: &Secret) -> Option<String> {
    let labels = secret.metadata.labels.as_ref()?;
    let kind = labels.get(&key("owner-kind"))?;
    let name = labels.get(&key("owner-name")).map_or("", String::as_str);
    Some(format!("{kind} {name}"))
}
