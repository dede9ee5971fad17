//! What the states of an instance or a cluster mean. Pure.
//!
//! Source: "Viewing DB instance status" and "Viewing DB cluster status" in the service's user guides. New states come
//! without notice, so the list is open: a state that is not known counts as work that ends by itself.

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

impl State {
    /// What was accepted and is not in force yet: the next change waits for it, and so does a look at whether logins work.
    pub(super) fn waits_for(&mut self, what: &str) {
        self.accepts_writes = false;
        self.operation.get_or_insert_with(|| what.to_owned());
    }
}

/// States in which connections work while something is done.
const WORKING_AND_USABLE: [&str; 13] = [
    "backing-up",
    "configuring-activity-stream",
    "configuring-associated-roles",
    "configuring-enhanced-monitoring",
    "configuring-iam-database-auth",
    "configuring-log-exports",
    "maintenance",
    "modifying",
    "promoting",
    "resetting-master-credentials",
    "storage-config-upgrade",
    "storage-initialization",
    "update-iam-db-auth",
];

/// The meaning of `status`. `was_available`: the service says that the server once was.
pub(super) fn meaning(status: &str, was_available: bool) -> State {
    let failed = |message: &str| State {
        health: Health::Failed { message: message.to_owned(), was_available },
        accepts_writes: false,
        operation: None,
    };
    let stands = |message: &str| State {
        health: Health::Unusable { message: message.to_owned() },
        accepts_writes: true,
        operation: None,
    };
    // What never was available is a creation that failed.
    let broken = |message: &str| if was_available { stands(message) } else { failed(message) };
    match status {
        "available" => State { health: Health::Usable, accepts_writes: true, operation: None },
        // May last for days, and takes every change but one of the storage.
        "storage-optimization" => {
            State { health: Health::Usable, accepts_writes: true, operation: Some(status.to_owned()) }
        }
        status if WORKING_AND_USABLE.contains(&status) => {
            State { health: Health::Usable, accepts_writes: false, operation: Some(status.to_owned()) }
        }
        "failed" | "restore-error" | "incompatible-restore" => failed(
            "AWS calls the server failed and cannot recover it; restore it from a backup, or delete it",
        ),
        "incompatible-create" | "insufficient-capacity" => {
            broken("AWS could not make the server as asked, or has no capacity for it; ask for another size")
        }
        "storage-full" => stands("the storage is full; ask for more in size.storageGB"),
        "stopped" => {
            stands("the server is stopped; start it in AWS, where it starts by itself after seven days")
        }
        "incompatible-parameters" => {
            stands("the server does not start with its parameters; change serverParameters")
        }
        "incompatible-network" => {
            broken("the server's network does not fit; look after subnets and addresses in AWS")
        }
        "incompatible-option-group" => stands("the server's option group does not fit; look after it in AWS"),
        "inaccessible-encryption-credentials" | "inaccessible-encryption-credentials-recoverable" => stands(
            "AWS has no access to the key that the server is encrypted with; look after the key in AWS",
        ),
        _ => State {
            health: Health::Unusable { message: format!("AWS is working on the server: {status}") },
            accepts_writes: false,
            operation: Some(status.to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("creating")]
    #[case("deleting")]
    #[case("rebooting")]
    #[case("upgrading")]
    #[case("a-state-of-the-future")]
    fn a_state_that_passes_by_itself_is_waited_for(#[case] status: &str) {
        let state = meaning(status, true);
        assert!(matches!(state.health, Health::Unusable { .. }) && !state.accepts_writes, "{state:?}");
        assert_eq!(state.operation.as_deref(), Some(status));
    }

    #[rstest]
    #[case("modifying")]
    #[case("backing-up")]
    #[case("resetting-master-credentials")]
    fn logins_are_believed_to_work_while_the_service_changes_something(#[case] status: &str) {
        let state = meaning(status, true);
        assert_eq!((state.health, state.accepts_writes), (Health::Usable, false));
    }

    #[test]
    fn days_of_storage_optimization_do_not_stand_in_the_way_of_other_changes() {
        assert!(meaning("storage-optimization", true).accepts_writes);
    }

    #[test]
    fn only_what_never_was_available_is_a_creation_that_failed() {
        for status in ["failed", "insufficient-capacity"] {
            let shell = meaning(status, false).health;
            assert!(matches!(shell, Health::Failed { was_available: false, .. }), "{status}: {shell:?}");
        }
        assert!(matches!(meaning("failed", true).health, Health::Failed { was_available: true, .. }));
        assert!(matches!(meaning("insufficient-capacity", true).health, Health::Unusable { .. }));
    }

    #[test]
    fn a_full_server_takes_the_change_that_helps_it() {
        assert!(meaning("storage-full", true).accepts_writes);
    }
}
