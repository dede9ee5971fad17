//! Waiting until the API server is ready.

use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use kube::Client;

use super::error::Error;
use super::process;
use super::servers::API_SERVER;

/// Pause between two questions.
const PAUSE: Duration = Duration::from_millis(100);
/// After this time, and every time again, a line on stderr tells that the wait goes on.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks `/readyz` until the answer is yes, a server ends, or the time is up.
pub(super) async fn wait(
    client: &Client,
    folder: &Path,
    servers: &mut [(&'static str, Child)],
    within: Duration,
) -> Result<(), Error> {
    let since = Instant::now();
    let mut next_word = PATIENCE;
    loop {
        let last = match ask(client).await {
            Ok(()) => return Ok(()),
            Err(error) => error.to_string(),
        };
        for (name, child) in servers.iter_mut() {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(Error::EndedAtStart {
                    server: name,
                    status: status.to_string(),
                    log: process::log_file(folder, name),
                    tail: process::log_tail(folder, name),
                });
            }
        }
        let waited = since.elapsed();
        if waited > within {
            return Err(Error::NotReady {
                seconds: within.as_secs(),
                last,
                log: process::log_file(folder, API_SERVER),
                tail: process::log_tail(folder, API_SERVER),
            });
        }
        if waited > next_word {
            eprintln!("waiting for the API server, {} s; typically 4 s", waited.as_secs());
            next_word += PATIENCE;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// One question to `/readyz`.
pub(super) async fn ask(client: &Client) -> Result<(), kube::Error> {
    let request = http::Request::get("/readyz").body(Vec::new()).map_err(kube::Error::HttpError)?;
    client.request_text(request).await.map(drop)
}
