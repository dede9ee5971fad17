//! Which backend an object's server lives in.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ServerBackend;
use crate::config::known_backend;

/// Every backend of this operator, and who may choose among them.
#[derive(Clone)]
pub struct Backends {
    default: String,
    allowed: Vec<String>,
    all: BTreeMap<&'static str, Arc<dyn ServerBackend>>,
}

/// Why no backend was selected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// The user asks for one that the administrator does not offer.
    #[error("spec.backend: found \"{wanted}\", expected one of: {}", .allowed.join(", "))]
    NotAllowed {
        /// The backend asked for.
        wanted: String,
        /// The backends on offer.
        allowed: Vec<String>,
    },
    /// The server lives in a backend that is not configured any more.
    #[error("the server lives in backend \"{pinned}\", which the operator's configuration does not set up")]
    NotConfigured {
        /// The backend the server lives in.
        pinned: String,
    },
}

impl Backends {
    /// The backends that are set up. `default` is one of them.
    pub fn new(default: &str, allowed: &[String], all: Vec<Arc<dyn ServerBackend>>) -> Self {
        Self {
            default: default.to_owned(),
            allowed: allowed.to_vec(),
            all: all.into_iter().map(|backend| (backend.name(), backend)).collect(),
        }
    }

    /// The backend of an object.
    ///
    /// A server stays where it is, whatever is allowed today. With an empty list of allowed backends the default one is
    /// used whatever the user asks for, as the original operator's documentation promises.
    ///
    /// # Errors
    /// When the user asks for one that is not on offer, or the server's own is not set up any more.
    pub fn select(
        &self,
        wanted: Option<&str>,
        pinned: Option<&str>,
    ) -> Result<Arc<dyn ServerBackend>, SelectError> {
        if let Some(pinned) = pinned {
            return self
                .all
                .get(pinned)
                .cloned()
                .ok_or_else(|| SelectError::NotConfigured { pinned: pinned.to_owned() });
        }
        let name = match wanted {
            Some(wanted) if !wanted.is_empty() && !self.allowed.is_empty() => wanted,
            _ => self.default.as_str(),
        };
        let offered = name == self.default || self.allowed.iter().any(|allowed| allowed == name);
        self.all
            .get(name)
            .filter(|_| offered)
            .cloned()
            .ok_or_else(|| SelectError::NotAllowed { wanted: name.to_owned(), allowed: self.offered() })
    }

    /// The backend of an object that the original operator left. It recorded what the user asked for, and used the
    /// default where it knew no such backend.
    ///
    /// # Errors
    /// As [`Self::select`].
    pub fn select_left(
        &self,
        wanted: Option<&str>,
        recorded: Option<&str>,
    ) -> Result<Arc<dyn ServerBackend>, SelectError> {
        match recorded {
            Some(name) if known_backend(name).is_none() => self.select(None, None),
            _ => self.select(wanted, recorded),
        }
    }

    /// Another backend than its own that an existing server is asked to be in. Where wishes do not count, there is none.
    pub fn asked_to_move<'a>(&self, wanted: Option<&'a str>, pinned: Option<&str>) -> Option<&'a str> {
        let wanted = wanted.filter(|wanted| !wanted.is_empty() && !self.allowed.is_empty())?;
        pinned.filter(|pinned| *pinned != wanted).map(|_| wanted)
    }

    fn offered(&self) -> Vec<String> {
        let offered = |name: &str| name == self.default || self.allowed.iter().any(|allowed| allowed == name);
        self.all.keys().filter(|name| offered(name)).map(|name| (*name).to_owned()).collect()
    }
}
