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
