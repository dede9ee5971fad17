use super::*;

#[test]
fn both_machines_keep_the_four_promises() {
    for figures in figures() {
        println!(
            "{}: {} states, {} transitions, {} invariants, {:.1} s, {} of {} edges not taken: {:?}",
            figures.kind,
            figures.report.states,
            figures.report.transitions,
            figures.invariants.len(),
            figures.took.as_secs_f64(),
            figures.not_taken.len(),
            figures.edges,
            figures.not_taken,
        );
        if let Some(refutation) = &figures.report.refutation {
            panic!("{}: {refutation}", figures.kind);
        }
    }
}

/// Asserts that the search refutes a broken machine with the least number of faults, and that the trace tells of it:
/// each of `told` is found in a line of its own, in this order.
pub(super) fn refuted<W: World>(world: impl Fn(u8) -> W, promise: Promise, what: &str, told: &[&str]) {
    let refutation = (0..=4).find_map(|budget| explore(&world(budget)).refutation);
    let Some(refutation) = refutation else { panic!("the search finds nothing wrong with this machine") };
    println!("{refutation}");
    assert_eq!((refutation.broken.promise, refutation.broken.what), (promise, what), "{refutation}");
    let mut lines = refutation.trace.iter();
    for told in told {
        assert!(lines.any(|line| line.contains(told)), "no line tells of {told:?}:\n{refutation}");
    }
}
