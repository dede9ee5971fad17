//! Which backend an object's server lives in.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ServerBackend;
use crate::config::known_backend;

/// Every backend of this operator, and who may choose among them.
#[derive(Clone)]
pub struct Backends<B = Arc<dyn ServerBackend>> {
    default: String,
    allowed: Vec<String>,
    all: BTreeMap<&'static str, B>,
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
}

impl<B: Clone> Backends<B> {
    /// The backend of an object.
    ///
    /// A server stays where it is, whatever is allowed today. With an empty list of allowed backends the default one is
    /// used whatever the user asks for, as the original operator's documentation promises.
    ///
    /// # Errors
    /// When the user asks for one that is not on offer, or the server's own is not set up any more.
    pub fn select(&self, wanted: Option<&str>, pinned: Option<&str>) -> Result<B, SelectError> {
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
    pub fn select_left(&self, wanted: Option<&str>, recorded: Option<&str>) -> Result<B, SelectError> {
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// Three backends are set up, of which the last one is only there for servers of old.
    fn backends(allowed: &[&str]) -> Backends<&'static str> {
        Backends {
            default: "local".to_owned(),
            allowed: allowed.iter().map(|name| (*name).to_owned()).collect(),
            all: ["local", "awsrds", "helmbitnami"].into_iter().map(|name| (name, name)).collect(),
        }
    }

    #[rstest]
    #[case::nothing_asked_for(&[], None, "local")]
    #[case::an_empty_list_means_the_default_whatever_is_asked_for(&[], Some("awsrds"), "local")]
    #[case::also_for_a_name_that_does_not_exist(&[], Some("gcp"), "local")]
    #[case::allowed(&["local", "awsrds"], Some("awsrds"), "awsrds")]
    #[case::an_empty_wish_is_none(&["local", "awsrds"], Some(""), "local")]
    #[case::the_default_may_always_be_named(&["awsrds"], Some("local"), "local")]
    #[case::the_default_counts_also_where_the_list_does_not_name_it(&["awsrds"], None, "local")]
    fn a_new_server_goes_where_it_is_asked_to_and_may(
        #[case] allowed: &[&str],
        #[case] wanted: Option<&str>,
        #[case] expected: &str,
    ) {
        assert_eq!(backends(allowed).select(wanted, None), Ok(expected));
    }

    #[rstest]
    #[case::set_up_but_not_on_the_list(&["awsrds"], "helmbitnami", "awsrds, local")]
    #[case::on_the_list_but_not_set_up(&["awsrds", "awsaurora"], "awsaurora", "awsrds, local")]
    #[case::unknown(&["awsrds"], "gcp", "awsrds, local")]
    #[case::names_are_taken_letter_by_letter(&["awsrds"], "AWSRDS", "awsrds, local")]
    fn what_is_not_on_offer_is_refused_with_what_is(
        #[case] allowed: &[&str],
        #[case] wanted: &str,
        #[case] offered: &str,
    ) {
        let refused = backends(allowed).select(Some(wanted), None).map_err(|error| error.to_string());
        assert_eq!(refused, Err(format!("spec.backend: found \"{wanted}\", expected one of: {offered}")));
    }

    #[rstest]
    #[case::no_list(&[], None)]
    #[case::asked_for_another_one(&[], Some("local"))]
    #[case::no_longer_allowed(&["local"], Some("local"))]
    fn a_server_stays_where_it_is(#[case] allowed: &[&str], #[case] wanted: Option<&str>) {
        assert_eq!(backends(allowed).select(wanted, Some("helmbitnami")), Ok("helmbitnami"));
    }

    #[test]
    fn a_server_in_a_backend_that_is_not_set_up_any_more_is_looked_for_nowhere_else() {
        let pinned = "awsaurora".to_owned();
        let nowhere = Err(SelectError::NotConfigured { pinned });
        assert_eq!(backends(&[]).select(None, Some("awsaurora")), nowhere);
        assert_eq!(backends(&[]).select_left(Some("local"), Some("awsaurora")), nowhere);
    }

    #[rstest]
    #[case::a_name_that_the_original_did_not_know_either(&["awsrds"], Some("gcp"), Some("gcp"), Ok("local"))]
    #[case::a_known_one_counts(&[], Some("local"), Some("awsrds"), Ok("awsrds"))]
    #[case::nothing_was_recorded_yet(&["awsrds"], Some("awsrds"), None, Ok("awsrds"))]
    fn what_the_original_recorded_is_read_as_the_original_meant_it(
        #[case] allowed: &[&str],
        #[case] wanted: Option<&str>,
        #[case] recorded: Option<&str>,
        #[case] expected: Result<&'static str, SelectError>,
    ) {
        assert_eq!(backends(allowed).select_left(wanted, recorded), expected);
    }

    #[rstest]
    #[case::wishes_do_not_count(&[], Some("awsrds"), Some("local"), None)]
    #[case::another_one(&["awsrds"], Some("awsrds"), Some("local"), Some("awsrds"))]
    #[case::another_one_that_is_not_allowed(&["awsrds"], Some("gcp"), Some("local"), Some("gcp"))]
    #[case::its_own(&["awsrds"], Some("awsrds"), Some("awsrds"), None)]
    #[case::no_server_yet(&["awsrds"], Some("awsrds"), None, None)]
    #[case::no_wish(&["awsrds"], Some(""), Some("local"), None)]
    fn a_wish_to_move_is_noticed_where_wishes_count(
        #[case] allowed: &[&str],
        #[case] wanted: Option<&str>,
        #[case] pinned: Option<&str>,
        #[case] expected: Option<&str>,
    ) {
        assert_eq!(backends(allowed).asked_to_move(wanted, pinned), expected);
    }
}
