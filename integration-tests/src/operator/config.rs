//! The configuration an operator is started with, and the ports its PostgreSQL servers get.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use serde_json::{Value, json};

use super::error::Error;

/// Where the ranges begin and end: below the ports that the kernel hands out.
const FIRST: u16 = 20_000;
const LAST: u16 = 31_999;
/// Ports per range; the first of each is its lock, the last is the operator's own.
const SIZE: u16 = 60;

/// A range of ports for the PostgreSQL servers of one operator.
///
/// Whoever listens on the first port has the range; the kernel gives it back however the owner ends.
pub(crate) struct Ports {
    lock: TcpListener,
}

impl Ports {
    pub(crate) fn reserve() -> Result<Self, Error> {
        let ranges = (LAST - FIRST) / SIZE;
        // Neighbours in time begin at different places, since a range is tried again only after all others.
        let begin = u16::try_from(std::process::id() % u32::from(ranges)).unwrap_or_default();
        (0..ranges)
            .map(|step| FIRST + (begin + step) % ranges * SIZE)
            .find_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok())
            .map(|lock| Self { lock })
            .ok_or(Error::NoPorts { first: FIRST, last: LAST })
    }

    /// First and last port for servers.
    pub(crate) fn range(&self) -> Result<(u16, u16), Error> {
        let first = self.first()?;
        Ok((first + 1, first + SIZE - 2))
    }

    /// The port for metrics and probes. None of the kernel's: while the operator is down, a connection of somebody else's
    /// might get it.
    pub(crate) fn of_operator(&self) -> Result<u16, Error> {
        Ok(self.first()? + SIZE - 1)
    }

    fn first(&self) -> Result<u16, Error> {
        let address = self.lock.local_addr().map_err(Error::io("reading the port of", "the range's lock"))?;
        Ok(address.port())
    }
}

/// The local backend in `data_dir`, quick, with `tweaks` laid over it (a JSON merge patch).
pub(super) fn text(data_dir: &Path, (first, last): (u16, u16), tweaks: &Value) -> Result<String, Error> {
    let mut config = json!({
        "backend": "local",
        "allowed_backends": ["local"],
        "backends": {"local": {"data_dir": data_dir, "port_first": first, "port_last": last}},
        "reconcile": {"poll_seconds": 1, "backoff_max_seconds": 3},
        // A machine under load stands still for long; one instance alone loses nothing by patience.
        "leader_election": {"lease_seconds": 60},
    });
    merge(&mut config, tweaks);
    serde_saphyr::to_string(&config)
        .map_err(|error| Error::File { path: "config.yaml".into(), message: error.to_string() })
}

fn merge(into: &mut Value, tweaks: &Value) {
    match (into, tweaks) {
        (Value::Object(into), Value::Object(tweaks)) => {
            for (key, tweak) in tweaks {
                if tweak.is_null() {
                    into.remove(key);
                } else {
                    merge(into.entry(key).or_insert(Value::Null), tweak);
                }
            }
        }
        (_, Value::Null) => {}
        (into, tweaks) => *into = tweaks.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tweaks_change_single_keys() {
        let tweaks = json!({"mode": "observe", "reconcile": {"poll_seconds": 7}, "allowed_backends": null});
        let text = text(Path::new("/data"), (1, 2), &tweaks).unwrap();
        let config: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(config["mode"], "observe");
        assert_eq!(config["reconcile"], json!({"poll_seconds": 7, "backoff_max_seconds": 3}));
        assert_eq!(config["backends"]["local"]["data_dir"], "/data");
        assert!(config.get("allowed_backends").is_none(), "{text}");
    }

    #[test]
    fn two_ranges_do_not_overlap() {
        let (one, two) = (Ports::reserve().unwrap(), Ports::reserve().unwrap());
        assert_eq!(one.of_operator().unwrap(), one.range().unwrap().1 + 1);
        let (one, two) = (one.range().unwrap(), two.range().unwrap());
        assert!(one.1 + 1 < two.0 || two.1 + 1 < one.0, "{one:?} {two:?}");
    }
}
