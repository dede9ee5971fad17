//! What a user asks for besides the spec: labels and annotations.

use jiff::Timestamp;
use kube::ResourceExt;

use crate::api::names::{ACTION, PAUSED, RESET_PASSWORD_AT};

/// A known action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Draw and set a new password.
    ResetPassword,
    /// Start again with an empty server or database in place of a lost one.
    Recreate,
    /// Apply differences that wait.
    ApplyNow,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a label.
    Label,
    /// In an annotation.
    Annotation,
}

/// One request for an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where it stands.
    pub place: Place,
    /// Its value as written.
    pub value: String,
    /// What it means, if it is known.
    pub action: Option<Action>,
}

/// Everything asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Requests for an action.
    pub actions: Vec<Request>,
    /// From when on a password is too old.
    pub reset_at: Option<Timestamp>,
    /// `reset_at` as written, when it cannot be read.
    pub unreadable_reset_at: Option<String>,
    /// No writes are wanted.
    pub paused: bool,
}

/// Which requests an action has made obsolete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obsolete {
    /// Those that were there when the pending password was drawn.
    Settled,
    /// Those for starting again.
    Recreate,
    /// All but those for a reset: with everything settled, they ask for nothing.
    EverythingButReset,
}

/// Whether a password reset is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetDue {
    /// Nobody asks for one.
    No,
    /// Now.
    Now,
    /// Asked for by a label too soon after the last one.
    Throttled {
        /// When the label is followed.
        until: Timestamp,
        /// When a reset is due for another reason, if that is earlier.
        earlier: Option<Timestamp>,
    },
    /// Asked for at this time.
    At(Timestamp),
}

impl Request {
    fn new(place: Place, value: &str) -> Self {
        let action = match value {
            "reset-password" => Some(Action::ResetPassword),
            "recreate" => Some(Action::Recreate),
            "apply-now" => Some(Action::ApplyNow),
            _ => None,
        };
        Self { place, value: value.to_owned(), action }
    }

    /// How the request is remembered while it is being carried out.
    pub fn token(&self) -> String {
        match self.place {
            Place::Label => format!("label/{}", self.value),
            Place::Annotation => format!("annotation/{}", self.value),
        }
    }
}

impl Requests {
    /// Reads the requests off an object.
    pub fn of<K: ResourceExt>(object: &K) -> Self {
        let label = object.labels().get(ACTION).map(|value| Request::new(Place::Label, value));
        let annotation = object.annotations().get(ACTION).map(|value| Request::new(Place::Annotation, value));
        let written = object.annotations().get(RESET_PASSWORD_AT);
        let reset_at = written.and_then(|at| at.parse().ok());
        Self {
            actions: label.into_iter().chain(annotation).collect(),
            unreadable_reset_at: written.filter(|_| reset_at.is_none()).cloned(),
            reset_at,
            paused: object.annotations().get(PAUSED).is_some_and(|value| value == "true"),
        }
    }

    /// Whether `action` is asked for.
    pub fn asks_for(&self, action: Action) -> bool {
        self.actions.iter().any(|request| request.action == Some(action))
    }

    /// The requests that a reset settles.
    pub fn reset_tokens(&self) -> Vec<String> {
        let resets = |request: &&Request| request.action == Some(Action::ResetPassword);
        self.actions.iter().filter(resets).map(Request::token).collect()
    }

    /// The requests that are obsolete; `settled` are those remembered with the pending password.
    pub fn obsolete(&self, which: Obsolete, settled: &[String]) -> Vec<&Request> {
        let holds = |request: &&Request| match which {
            Obsolete::Settled => settled.contains(&request.token()),
            Obsolete::Recreate => request.action == Some(Action::Recreate),
            Obsolete::EverythingButReset => request.action != Some(Action::ResetPassword),
        };
        self.actions.iter().filter(holds).collect()
    }

    /// Whether a reset is due, given when the password in force was issued and when the last one on request was made.
    ///
    /// A label kept in Git comes back after every reset; without a limit it would rotate the password for ever. The
    /// annotation with a time does not: it is older than the password it caused.
    pub fn reset_due(
        &self,
        issued_at: Option<Timestamp>,
        last_reset: Option<Timestamp>,
        interval: jiff::SignedDuration,
        now: Timestamp,
    ) -> ResetDue {
        let by_time = match (self.reset_at, issued_at) {
            (Some(at), Some(issued)) if at > issued && at <= now => ResetDue::Now,
            (Some(at), _) if at > now => ResetDue::At(at),
            _ => ResetDue::No,
        };
        if by_time == ResetDue::Now || !self.asks_for(Action::ResetPassword) {
            return by_time;
        }
        match last_reset.and_then(|last| last.checked_add(interval).ok()) {
            Some(until) if until > now => {
                let earlier = self.reset_at.filter(|at| *at > now && *at < until);
                ResetDue::Throttled { until, earlier }
            }
            _ => ResetDue::Now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{PostgreSQLServer, PostgreSQLServerSpec};

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn due(requests: &Requests, issued: i64, last: Option<i64>, now: i64) -> ResetDue {
        requests.reset_due(Some(at(issued)), last.map(at), jiff::SignedDuration::from_mins(10), at(now))
    }

    #[test]
    fn a_label_is_due_at_once_and_then_at_most_every_ten_minutes() {
        let requests =
            Requests { actions: vec![Request::new(Place::Label, "reset-password")], ..Requests::default() };
        assert_eq!(due(&requests, 0, None, 1), ResetDue::Now);
        assert_eq!(due(&requests, 1, Some(1), 5), ResetDue::Throttled { until: at(11), earlier: None });
        assert_eq!(due(&requests, 1, Some(1), 11), ResetDue::Now);
    }

    #[test]
    fn a_time_that_comes_before_a_waiting_label_is_not_slept_through() {
        let mut requests =
            Requests { actions: vec![Request::new(Place::Label, "reset-password")], ..Requests::default() };
        requests.reset_at = Some(at(7));
        assert_eq!(
            due(&requests, 1, Some(1), 5),
            ResetDue::Throttled { until: at(11), earlier: Some(at(7)) }
        );
        requests.reset_at = Some(at(12));
        assert_eq!(due(&requests, 1, Some(1), 5), ResetDue::Throttled { until: at(11), earlier: None });
    }

    #[test]
    fn a_time_is_due_once_it_has_come_and_settled_by_the_password_it_caused() {
        let requests = Requests { reset_at: Some(at(5)), ..Requests::default() };
        assert_eq!(due(&requests, 0, None, 4), ResetDue::At(at(5)));
        assert_eq!(due(&requests, 0, Some(4), 6), ResetDue::Now);
        assert_eq!(due(&requests, 6, None, 7), ResetDue::No);
    }

    #[test]
    fn what_nothing_carries_out_is_no_action() {
        let known = ["reset-password", "recreate", "apply-now"];
        assert!(known.into_iter().all(|value| Request::new(Place::Label, value).action.is_some()));
        for value in ["adopt", "Recreate", "reset-password ", ""] {
            assert_eq!(Request::new(Place::Annotation, value).action, None, "{value:?}");
        }
    }

    #[test]
    fn requests_are_read_from_labels_and_annotations() {
        let mut server = PostgreSQLServer::new("a", PostgreSQLServerSpec::default());
        server.labels_mut().insert(ACTION.to_owned(), "dance".to_owned());
        server.annotations_mut().insert(ACTION.to_owned(), "recreate".to_owned());
        server.annotations_mut().insert(RESET_PASSWORD_AT.to_owned(), "yesterday".to_owned());
        server.annotations_mut().insert(PAUSED.to_owned(), "true".to_owned());
        let requests = Requests::of(&server);
        assert_eq!(
            requests.actions[0],
            Request { place: Place::Label, value: "dance".to_owned(), action: None }
        );
        assert!(requests.asks_for(Action::Recreate));
        assert_eq!(requests.unreadable_reset_at.as_deref(), Some("yesterday"));
        assert!(requests.paused);
    }
}
