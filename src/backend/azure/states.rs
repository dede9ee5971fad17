//! What the states of a server mean. Pure.
//!
//! Source: `ServerState` of the API, and the documentation of start, stop and restart. New states come without notice, so
//! the list is open: a state that is not known counts as work that ends by itself.

use super::super::Health;

/// What a state means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// Whether it takes connections.
    pub(super) health: Health,
    /// Whether it takes changes.
    pub(super) accepts_writes: bool,
    /// What it is working on.
    pub(super) operation: Option<String>,
}

/// The state in which a server takes changes.
pub(super) const READY: &str = "ready";
/// The state of a server that is going away.
pub(super) const DROPPING: &str = "dropping";

/// The meaning of a state, in any case.
pub(super) fn meaning(state: &str) -> State {
    let stands = |message: &str| State {
        health: Health::Unusable { message: message.to_owned() },
        accepts_writes: true,
        operation: None,
    };
    match state.to_ascii_lowercase().as_str() {
        READY => State { health: Health::Usable, accepts_writes: true, operation: None },
        // Most changes interrupt no connection.
        "updating" => {
            State { health: Health::Usable, accepts_writes: false, operation: Some("updating".to_owned()) }
        }
        "stopped" => {
            stands("the server is stopped; start it in Azure, where it starts by itself after seven days")
        }
        "disabled" => stands("Azure has disabled the server; look after the subscription in Azure"),
        "inaccessible" => stands(
            "Azure has no access to the key that the server is encrypted with; look after the key in Azure",
        ),
        other => State {
            health: Health::Unusable { message: format!("Azure is working on the server: {other}") },
            accepts_writes: false,
            operation: Some(other.to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Starting")]
    #[case("Provisioning")]
    #[case("Restarting")]
    #[case("Dropping")]
    #[case("AStateOfTheFuture")]
    fn a_state_that_passes_by_itself_is_waited_for(#[case] name: &str) {
        let state = meaning(name);
        assert!(matches!(state.health, Health::Unusable { .. }) && !state.accepts_writes, "{state:?}");
        assert_eq!(state.operation, Some(name.to_lowercase()));
    }

    #[test]
    fn logins_are_believed_to_work_while_the_service_changes_something() {
        let state = meaning("Updating");
        assert_eq!((state.health, state.accepts_writes), (Health::Usable, false));
        assert!(meaning("Ready").accepts_writes);
    }

    #[rstest]
    #[case("Stopped")]
    #[case("Disabled")]
    #[case("Inaccessible")]
    fn a_server_that_stands_can_still_be_deleted_and_says_what_to_do(#[case] name: &str) {
        let state = meaning(name);
        assert!(state.accepts_writes && state.operation.is_none());
        assert!(matches!(state.health, Health::Unusable { message } if message.contains("Azure")));
    }
}
