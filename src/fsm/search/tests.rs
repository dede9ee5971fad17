use super::*;

#[test]
fn the_server_machine_keeps_the_four_promises() {
    for budget in 1..=4 {
        let started = std::time::Instant::now();
        let report = explore(&ServerWorld::new(budget));
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
