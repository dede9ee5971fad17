//! The operator is ended by SIGKILL between any two effects, and started again.
//!
//! A first run of all [`Flow`]s, undisturbed, traces the effects. Then each flow is run once per effect, with the
//! operator killed right after it.

mod flow;
mod points;

use std::time::{Duration, Instant};

pub use flow::Flow;
pub use points::{Effects, Point};
use strum::IntoEnumIterator;

use crate::world::{Passwords, Story};

/// How long a flow may take until it comes to its point.
const COMES_WITHIN: Duration = Duration::from_secs(60);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Makes what only the first server of an operator makes, such as the folder of all, and the authority.
pub async fn warm_up(story: &Story<'_>) {
    for flow in [Flow::CreateServer, Flow::DeleteServer] {
        flow.begin(story).await;
        flow.ends_well(story, &Passwords::default()).await;
    }
}

/// Runs all flows undisturbed, and tells their effects.
pub async fn trace(story: &Story<'_>) -> Effects {
    let operator = &story.world.operator;
    let file = operator.folder().join("effects");
    let variable = file.display().to_string();
    done(operator.sigterm().await.map(drop));
    done(operator.start_again_with(&[(hcpg::failpoints::TRACE, &variable)]).await);
    let read = || std::fs::read_to_string(&file).unwrap_or_default();
    let (mut effects, mut passwords) = (Effects::default(), Passwords::default());
    for flow in Flow::iter() {
        let before = read().lines().count();
        flow.begin(story).await;
        passwords = flow.ends_well(story, &passwords).await;
        effects.note(flow, read().lines().skip(before).map(str::to_owned).collect());
    }
    effects
}

/// Runs all flows on one server, each killed at its point, where it has one.
pub async fn round(story: &Story<'_>, points: impl Fn(Flow) -> Option<Point>) {
    let operator = &story.world.operator;
    let mut passwords = Passwords::default();
    for flow in Flow::iter() {
        let since = Instant::now();
        let point = points(flow);
        if let Some(point) = &point {
            done(operator.sigterm().await.map(drop));
            done(operator.start_again_with(&[("FAILPOINTS", &point.failpoint())]).await);
        }
        flow.begin(story).await;
        if let Some(point) = &point {
            dies(story, flow, point).await;
            // It has ended by itself; this takes note of it.
            operator.sigkill();
            done(operator.start_again().await);
        }
        passwords = flow.ends_well(story, &passwords).await;
        if let Some(Point { effect, occurrence }) = point {
            let took = since.elapsed().as_secs_f32();
            println!("{took:6.1} s  {}, killed after {effect} no. {occurrence}", flow.title());
        }
    }
}

async fn dies(story: &Story<'_>, flow: Flow, point: &Point) {
    let since = Instant::now();
    while story.world.operator.is_running() {
        if since.elapsed() > COMES_WITHIN {
            panic!("{}: never came to {point:?}\n{}", flow.title(), story.describe().await);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The result, or the end of the test.
#[track_caller]
fn done<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}
