//! Final snapshots: their names, and what their states mean. Pure.

use super::super::{BackendError, Owner};

/// The same in every attempt, and another one for an object that is made anew.
pub(super) fn name(server: &str, owner: &Owner) -> String {
    format!("{server}-final-{}", owner.uid)
}

/// Whether the snapshot that the service shows in this state, or does not show, is there.
///
/// # Errors
/// When it is not, or not yet.
pub(super) fn is_there(snapshot: &str, status: Option<&str>) -> Result<(), BackendError> {
    let remedy = "look after it in AWS, or set deletionPolicy to Delete to let the object go";
    match status {
        Some("available") => Ok(()),
        Some("creating") => {
            Err(BackendError::Busy { message: format!("the final snapshot {snapshot} is being taken") })
        }
        Some(status) => {
            Err(BackendError::rejected(format!("the final snapshot {snapshot} is {status}; {remedy}")))
        }
        None => Err(BackendError::rejected(format!(
            "the server is gone, and there is no final snapshot {snapshot}; {remedy}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_snapshot_has_one_name_for_each_object() {
        let owner = Owner { namespace: "team".into(), name: "orders".into(), uid: "uid-1".into() };
        assert_eq!(name("team-orders", &owner), "team-orders-final-uid-1");
    }

    #[test]
    fn only_a_snapshot_that_is_available_lets_the_object_go() {
        assert!(is_there("s", Some("available")).is_ok());
        assert_eq!(is_there("s", Some("creating")).unwrap_err().label(), "busy");
        assert_eq!(is_there("s", Some("failed")).unwrap_err().label(), "rejected");
        assert_eq!(is_there("s", None).unwrap_err().label(), "rejected");
    }
}
