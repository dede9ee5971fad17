//! The simulated Azure as a program: prints how to reach it, ends with its input.

use std::io::{Read, Write};

use clouds::azure::{CLIENT, GROUP, SUBSCRIPTION, Simulator, TENANT};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let simulator = Simulator::start().await?;
    let mut ca = tempfile::NamedTempFile::new()?;
    ca.write_all(simulator.ca_pem().as_bytes())?;
    println!("AZURE_AUTHORITY_HOST={}", simulator.endpoint());
    println!("RESOURCE_MANAGER={}", simulator.endpoint());
    println!("AZURE_TENANT_ID={TENANT}");
    println!("AZURE_CLIENT_ID={CLIENT}");
    println!("AZURE_CLIENT_SECRET={}", simulator.client_secret());
    println!("SUBSCRIPTION={SUBSCRIPTION}");
    println!("RESOURCE_GROUP={GROUP}");
    println!("CA={}", ca.path().display());
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}
