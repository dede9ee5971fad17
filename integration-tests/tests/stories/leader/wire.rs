//! A way to the API server that can be cut: connections stay open, and nothing comes through.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// It lives in threads of its own, as long as the process: tests have a runtime each.
pub(super) struct Wire {
    port: u16,
    is_cut: Arc<AtomicBool>,
}

impl Wire {
    /// To a port of loopback.
    pub(super) fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let wire = Self { port: listener.local_addr().unwrap().port(), is_cut: Arc::default() };
        let is_cut = wire.is_cut.clone();
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { continue };
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let is_cut = is_cut.clone();
                    std::thread::spawn(move || carry(from, to, &is_cut));
                }
            }
        });
        wire
    }

    /// Where it begins.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Nothing comes through any more, in neither direction.
    pub(super) fn cut(&self) {
        self.is_cut.store(true, Ordering::Release);
    }

    /// New connections come through again; what was on its way is lost.
    pub(super) fn mend(&self) {
        self.is_cut.store(false, Ordering::Release);
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, is_cut: &AtomicBool) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if is_cut.load(Ordering::Acquire) {
            while is_cut.load(Ordering::Acquire) {
                std::thread::sleep(Duration::from_millis(20));
            }
            break;
        }
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    // Errors mean that they are closed already.
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
