//! What of a changed configuration can be put in force while the operator runs.

use super::model::Config;

impl Config {
    /// Takes back, in this new configuration, what cannot follow a change from `running` without a restart. The answer
    /// names these keys; all others hold at once.
    pub fn keep_until_restart(&mut self, running: &Config) -> Vec<&'static str> {
        let mut kept = Vec::new();
        // The election has begun with it.
        keep("leader_election", &mut self.leader_election, &running.leader_election, &mut kept);
        // The controllers' queues are made once.
        let (new, old) = (&mut self.reconcile, &running.reconcile);
        keep("reconcile.concurrency", &mut new.concurrency, &old.concurrency, &mut kept);
        match (&mut self.backends.local, &running.backends.local) {
            // Servers run there, as that user, and reads of them must not miss while work on them is under way.
            (Some(new), Some(old)) => {
                keep("backends.local.data_dir", &mut new.data_dir, &old.data_dir, &mut kept);
                keep("backends.local.address", &mut new.address, &old.address, &mut kept);
                keep("backends.local.port_first", &mut new.port_first, &old.port_first, &mut kept);
                keep("backends.local.port_last", &mut new.port_last, &old.port_last, &mut kept);
                keep("backends.local.run_as_user", &mut new.run_as_user, &old.run_as_user, &mut kept);
            }
            // Else it could come back with another folder.
            (new @ None, old @ Some(_)) => keep("backends.local", new, old, &mut kept),
            (_, None) => {}
        }
        kept
    }
}

fn keep<T: Clone + PartialEq>(key: &'static str, new: &mut T, running: &T, kept: &mut Vec<&'static str>) {
    if new != running {
        new.clone_from(running);
        kept.push(key);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;

    fn config(key: &str, value: Value) -> Config {
        let mut config = json!({"backend": "local", "backends": {"local": {"data_dir": "/tmp/servers"}}});
        let mut place = &mut config;
        for part in key.split('.').filter(|part| !part.is_empty()) {
            place = &mut place[part];
        }
        if !key.is_empty() {
            *place = value;
        }
        serde_json::from_value(config).unwrap()
    }

    #[test]
    fn what_needs_a_restart_stays_and_is_named() {
        let running = config("", Value::Null);
        for (key, value) in [
            ("backends.local.data_dir", json!("/tmp/others")),
            ("backends.local.address", json!("127.0.0.2")),
            ("backends.local.port_first", json!(54321)),
            ("backends.local.port_last", json!(60000)),
            ("backends.local.run_as_user", json!("somebody")),
            ("backends.local", Value::Null),
            ("reconcile.concurrency", json!(3)),
        ] {
            let mut new = config(key, value);
            assert_ne!(new, running, "{key}");
            assert_eq!(new.keep_until_restart(&running), [key]);
            assert_eq!(new, running, "{key}");
        }
        let mut new = config("leader_election.lease_seconds", json!(20));
        assert_eq!(new.keep_until_restart(&running), ["leader_election"]);
        assert_eq!(new, running);
    }

    #[test]
    fn everything_else_holds_at_once_also_beside_what_does_not() {
        let running = config("", Value::Null);
        for (key, value) in [
            ("mode", json!("observe")),
            ("allowed_backends", json!(["local"])),
            ("security.password_length", json!(40)),
            ("reconcile.resync_seconds", json!(30)),
            ("reconcile.backend_timeout_seconds", json!(30)),
            ("backends.local.name_pattern", json!("x-{namespace}-{name}")),
            ("backends.local.admin_username", json!("boss")),
            ("backends.local.bin_dir", json!("/opt/pg/bin")),
        ] {
            let wished = config(key, value);
            assert_ne!(wished, running, "{key}");
            let mut new = wished.clone();
            assert_eq!(new.keep_until_restart(&running), Vec::<&str>::new(), "{key}");
            assert_eq!(new, wished, "{key}");
            new.reconcile.concurrency = 3;
            assert_eq!(new.keep_until_restart(&running), ["reconcile.concurrency"], "{key}");
            assert_eq!(new, wished, "{key}");
        }
    }
}
