use super::*;

fn search<W: World>(world: impl Fn(u8) -> W) {
    for budget in 1..=4 {
        let started = std::time::Instant::now();
        let report = explore(&world(budget));
        println!(
            "budget {budget}: {} states, {} transitions, {:?}",
            report.states,
            report.transitions,
            started.elapsed()
        );
        if let Some(refutation) = report.refutation {
            panic!("{refutation}");
        }
    }
}

#[test]
fn the_server_machine_keeps_the_four_promises() {
    search(ServerWorld::new);
}

#[test]
fn the_database_machine_keeps_the_four_promises() {
    search(DatabaseWorld::new);
}
