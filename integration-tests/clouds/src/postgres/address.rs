//! Loopback addresses: each server has one of its own, so that all of them can listen on port 5432.

use std::net::{Ipv4Addr, TcpListener};

use rand::RngExt;

use super::error::Error;

/// The port of every server.
pub const PORT: u16 = 5432;

/// Bound for as long as the address is ours, so that others who look for one the same way pass by, also while the
/// server is down.
const HELD: u16 = 5431;

/// An address of our own; free again when it is dropped.
#[derive(Debug)]
pub struct Address {
    ip: Ipv4Addr,
    _held: TcpListener,
}

impl Address {
    /// Any address below 127.16.0.0/12 and above whose ports are free.
    pub fn reserve() -> Result<Self, Error> {
        let mut random = rand::rng();
        for _ in 0..200 {
            let ip = Ipv4Addr::new(
                127,
                random.random_range(16..250),
                random.random_range(0..255),
                random.random_range(1..255),
            );
            let Ok(held) = TcpListener::bind((ip, HELD)) else { continue };
            if TcpListener::bind((ip, PORT)).is_ok() {
                return Ok(Self { ip, _held: held });
            }
        }
        Err(Error::NoAddress)
    }

    /// The address.
    #[must_use]
    pub fn ip(&self) -> Ipv4Addr {
        self.ip
    }
}
