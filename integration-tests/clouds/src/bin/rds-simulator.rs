//! The simulated RDS as a program: prints its endpoint and where its certificate authorities lie, ends with its input.

use std::io::{Read, Write};

use clouds::rds::Simulator;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let simulator = Simulator::start().await?;
    let mut ca = tempfile::NamedTempFile::new()?;
    ca.write_all(simulator.ca_pem().as_bytes())?;
    println!("AWS_ENDPOINT_URL_RDS={}", simulator.endpoint());
    println!("AWS_ENDPOINT_URL_STS={}", simulator.endpoint());
    println!("CA={}", ca.path().display());
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}
