//! `run`: the operator in the foreground.

use integration_tests::operator::{KeptOperator, install};

use crate::Failure;
use crate::cluster::{self, Target};

/// Runs the operator until Ctrl-C; takes the place of one that runs already.
pub async fn run(target: &Target) -> Result<(), Failure> {
    let cluster = cluster::ready(target).await?;
    let client = cluster.client().await?;
    cluster::refuse_taken(target, &client).await?;
    install(&client).await?;
    let operator = KeptOperator::of(&target.folder()?);
    operator.prepare(&client, &cluster.kubeconfig).await?;
    operator.stop().await?;
    // Ctrl-C reaches both processes; this one waits for the other.
    let interrupted = tokio::spawn(async {
        loop {
            // An error would mean that the signal ends this process, as it would without us.
            let _ = tokio::signal::ctrl_c().await;
        }
    });
    let (mut child, port) = operator.start_in_foreground()?;
    eprintln!("export KUBECONFIG='{}'", cluster.path.display());
    eprintln!(
        "metrics: http://127.0.0.1:{port}/metrics; Ctrl-C stops the operator, `make cluster-down` the rest"
    );
    let status = tokio::task::spawn_blocking(move || child.wait()).await??;
    interrupted.abort();
    if status.success() { Ok(()) } else { Err(format!("the operator ended with {status}").into()) }
}
