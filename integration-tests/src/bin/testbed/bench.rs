//! `bench`: what the operator costs with many objects.

use std::path::PathBuf;

use clap::Args;
use integration_tests::scale::{self, Load, operator, table};

use crate::Failure;

/// What is measured.
#[derive(Args)]
pub struct Plan {
    /// How many objects; one column each.
    #[arg(long, value_delimiter = ',', default_value = "100,1000,10000")]
    objects: Vec<usize>,
    /// How many of a hundred objects are databases.
    #[arg(long, default_value_t = 10)]
    databases: usize,
    /// Also with 100 objects and the backend `local`: 10 real servers, 90 databases.
    #[arg(long)]
    local: bool,
    /// Also this many servers of a backend that takes its time to create them.
    #[arg(long, default_value_t = 0)]
    slow_servers: usize,
    /// The time it takes.
    #[arg(long, default_value_t = 15)]
    slow_seconds: u64,
    /// `reconcile.login_seconds`; 0 is the product's default: every look logs in.
    #[arg(long, default_value_t = 0)]
    login_seconds: u64,
}

/// The operator's side.
#[derive(Args)]
pub struct Operator {
    #[arg(long)]
    config: PathBuf,
    #[arg(long)]
    memory: Option<PathBuf>,
}

/// Measures and prints.
pub async fn measure(plan: &Plan) -> Result<(), Failure> {
    // An error means that it was installed before.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut runs = Vec::new();
    if plan.local {
        runs.push(
            one(Load { servers: 10, databases: 90, memory: None, login_seconds: plan.login_seconds }).await?,
        );
    }
    for objects in &plan.objects {
        let databases = objects * plan.databases.min(90) / 100;
        runs.push(
            one(Load {
                servers: objects - databases,
                databases,
                memory: Some(0),
                login_seconds: plan.login_seconds,
            })
            .await?,
        );
    }
    println!("{} build\n", if cfg!(debug_assertions) { "debug" } else { "release" });
    println!("{}", table::of(&runs));
    if plan.slow_servers > 0 {
        let load = Load {
            servers: plan.slow_servers,
            databases: 0,
            memory: Some(plan.slow_seconds),
            login_seconds: plan.login_seconds,
        };
        eprintln!("{load:?}");
        let stage = scale::creation_of_slow_servers(load).await?;
        let title = format!("servers that take {} s each", plan.slow_seconds);
        println!("{}", table::creation(&title, plan.slow_servers, &stage));
    }
    Ok(())
}

async fn one(load: Load) -> Result<scale::Run, Failure> {
    eprintln!("{load:?}");
    let run = scale::run(load).await?;
    // Whoever stops a long measurement keeps what is measured.
    eprintln!("{}", table::of(std::slice::from_ref(&run)));
    Ok(run)
}

/// Runs the controllers.
pub async fn operate(operator: Operator) -> Result<(), Failure> {
    operator::serve(operator.config, operator.memory).await
}
