//! What is measured, in the order in which it happens.

use std::time::{Duration, Instant};

use super::Failure;
use super::process::{Cores, OperatorProcess};
use super::requests::Count;
use super::samples::Passes;
use super::world::World;

/// Between two looks at how far the operator is.
const LOOK: Duration = Duration::from_millis(200);
/// Between two lines of progress.
const TELL: Duration = Duration::from_secs(10);
/// How long a stage may go on without any object getting further.
const STUCK: Duration = Duration::from_secs(180);
/// Passes per second in the stage without changes: three times what the default configuration has with 10,000 objects,
/// and a third of what the machine can do.
const PASSES_PER_SECOND: u64 = 50;
/// The shortest time between two looks at an object that the configuration takes.
const SHORTEST_RESYNC: u64 = 10;
/// Seconds of the stage without changes, at least.
const SHORTEST_IDLE: u64 = 60;
/// So rarely is nothing looked at unasked while objects are made.
const RARELY: u64 = 7200;

/// What stands behind the operator, and for how many objects.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// How many servers.
    pub servers: usize,
    /// How many databases, spread evenly over the servers.
    pub databases: usize,
    /// With the memory backend: the seconds that the creation of a server takes. Else the backend `local`.
    pub memory: Option<u64>,
    /// `reconcile.login_seconds`.
    pub login_seconds: u64,
}

impl Load {
    fn objects(&self) -> usize {
        self.servers + self.databases
    }
}

/// What a stage took.
#[derive(Clone, Debug)]
pub struct Stage {
    /// From its beginning to its end.
    pub seconds: f64,
    /// Of these, CPU time of the operator's process.
    pub cpu: f64,
    /// The passes.
    pub passes: Passes,
    /// The requests to the API server.
    pub requests: Count,
    /// The memory at its end, and at most since the process started, in MiB.
    pub memory: (f64, f64),
}

/// All stages with one number of objects.
pub struct Run {
    /// The objects.
    pub load: Load,
    /// From the first object's creation until all are Ready.
    pub create: Stage,
    /// How long the API server took to accept the objects.
    pub accepted: f64,
    /// A start with all of them existing, until each was looked at once; with the operator bound to one core.
    pub start: Stage,
    /// While nothing changes.
    pub idle: Stage,
}

/// Measures all stages.
pub async fn run(load: Load) -> Result<Run, Failure> {
    let mut world = World::start(load).await?;
    let (accepted, create) = create(&mut world).await?;
    let resync = u64::try_from(load.objects())?.div_ceil(PASSES_PER_SECOND).max(SHORTEST_RESYNC);

    let since = Instant::now();
    let mut operator = world.operator(RARELY, Cores::One)?;
    let all = load.objects();
    until(&world, &mut operator, "looked at", |passes| passes.objects, all).await?;
    let start = measured(&mut world, &mut operator, since, 0.0).await?;
    operator.stop().await?;

    // Else looks that are due again would be counted to the start.
    let mut operator = world.operator(resync, Cores::All)?;
    until(&world, &mut operator, "looked at", |passes| passes.objects, all).await?;
    // The first round after a start is still one behind the other.
    tokio::time::sleep(Duration::from_secs(resync)).await;
    world.requests.take().await?;
    operator.take()?;
    let idle = resync.max(SHORTEST_IDLE);
    eprintln!("  nothing changes for {idle} s");
    let (since, cpu) = (Instant::now(), operator.cpu()?);
    tokio::time::sleep(Duration::from_secs(idle)).await;
    let idle = measured(&mut world, &mut operator, since, cpu).await?;
    operator.stop().await?;
    Ok(Run { load, create, accepted, start, idle })
}

/// Measures only how long it takes until servers are Ready.
pub async fn creation_of_slow_servers(load: Load) -> Result<Stage, Failure> {
    Ok(create(&mut World::start(load).await?).await?.1)
}

async fn create(world: &mut World) -> Result<(f64, Stage), Failure> {
    let mut operator = world.operator(RARELY, Cores::All)?;
    // Its start is not what is measured.
    tokio::time::sleep(Duration::from_secs(2)).await;
    world.requests.take().await?;
    operator.take()?;
    let (since, cpu) = (Instant::now(), operator.cpu()?);
    let all = world.load.objects();
    let (accepted, _) = tokio::try_join!(
        async {
            world.create().await?;
            Ok(since.elapsed().as_secs_f64())
        },
        until(world, &mut operator, "Ready", |passes| passes.ready as usize, all),
    )?;
    let stage = measured(world, &mut operator, since, cpu).await?;
    let ready = world.ready().await?;
    if ready != all {
        return Err(format!("only {ready} of {all} objects are Ready").into());
    }
    operator.stop().await?;
    Ok((accepted, stage))
}

/// Waits until `reached` says `all`.
async fn until(
    world: &World,
    operator: &mut OperatorProcess,
    what: &str,
    reached: impl Fn(&Passes) -> usize,
    all: usize,
) -> Result<(), Failure> {
    let (since, mut told) = (Instant::now(), Instant::now());
    let mut furthest = (0, Instant::now());
    loop {
        let now = reached(&operator.peek()?);
        if now > furthest.0 {
            furthest = (now, Instant::now());
        }
        if now >= all || told.elapsed() > TELL {
            told = Instant::now();
            eprintln!("  {now} of {all} {what} after {:.1} s", since.elapsed().as_secs_f32());
        }
        if now >= all {
            return Ok(());
        }
        if furthest.1.elapsed() > STUCK {
            let tail = world.log_tail();
            return Err(format!("no object got further for {} s. The log:\n{tail}", STUCK.as_secs()).into());
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn measured(
    world: &mut World,
    operator: &mut OperatorProcess,
    since: Instant,
    cpu: f64,
) -> Result<Stage, Failure> {
    let seconds = since.elapsed().as_secs_f64();
    let cpu = operator.cpu()? - cpu;
    let passes = operator.take()?;
    let memory = (operator.memory("VmRSS")?, operator.memory("VmHWM")?);
    Ok(Stage { seconds, cpu, passes, requests: world.requests.take().await?, memory })
}
