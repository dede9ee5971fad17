//! Brings up and takes down what demo and manual tests run against. `make help` lists the usual calls.
//!
//! stdout is for shells to evaluate; everything for people goes to stderr. One module per pair of subcommands.

mod cluster;
mod footprint;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Brings up and takes down what demo and manual tests run against.
#[derive(Parser)]
#[command(name = "testbed")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Starts the control plane unless it is running, and prints `export KUBECONFIG=…`.
    ClusterUp(cluster::Target),
    /// Ends the control plane and deletes its data; the binaries stay in the cache.
    ClusterDown(cluster::Target),
    /// Measures the operator's memory and its requests while nothing happens, in a throw-away control plane.
    Footprint(footprint::Load),
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::ClusterUp(target) => cluster::up(&target).await,
        Command::ClusterDown(target) => cluster::down(&target),
        Command::Footprint(load) => {
            footprint::measure(&load).await;
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("testbed: {error}");
            ExitCode::FAILURE
        }
    }
}
