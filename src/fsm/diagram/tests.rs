use std::collections::HashSet;

use super::*;

/// Every edge is found in the table, and every edge into another phase in both pictures.
fn shows_every_edge<M: Machine>() {
    let (mermaid, dot, table) = (mermaid::<M>(), dot::<M>(), table::<M>());
    assert!(!edges::<M>().is_empty());
    for Edge { from, trigger, to, actions } in edges::<M>() {
        let row = table.lines().filter(|line| line.contains(&format!("| `{trigger}` |")));
        let row = row.filter(|line| line.contains(&format!("| {to} |")) || line.contains("| same |"));
        assert!(row.clone().next().is_some(), "{from} × {trigger} is not in the table:\n{table}");
        let lines = |text: &str| -> Vec<String> {
            text.lines().filter(|line| line.contains(trigger)).map(str::to_owned).collect()
        };
        for picture in [lines(&mermaid), lines(&dot)] {
            let drawn = picture.iter().any(|line| {
                let target = from == to || line.contains(to.as_str());
                target && actions.iter().all(|action| line.contains(action))
            });
            assert!(drawn, "{from} × {trigger} is not drawn: {picture:?}");
        }
    }
}

#[test]
fn pictures_and_tables_show_every_edge() {
    shows_every_edge::<ServerMachine>();
    shows_every_edge::<DatabaseMachine>();
}

/// The arrows, with their rules spelled out for each phase, are the edges again: none missing, none invented.
fn arrows_are_the_edges<M: Machine>() {
    let mut drawn = HashSet::new();
    let mut rules = Vec::new();
    for Arrow { from, to, labels } in arrows::arrows::<M>() {
        for label in labels {
            let (triggers, _) = label.split_once(" / ").unwrap_or((label.as_str(), ""));
            for trigger in triggers.split(", ").map(str::to_owned) {
                match from {
                    Place::Phase(from) => drop(drawn.insert((from, trigger, to))),
                    _ => rules.push((trigger, to)),
                }
            }
        }
    }
    let own: HashSet<_> = drawn.iter().map(|(from, trigger, _)| (*from, trigger.clone())).collect();
    for (trigger, to) in rules {
        for from in Phase::iter().filter(|from| from.is_live() && !own.contains(&(*from, trigger.clone()))) {
            let to = if to == Place::AnyLive { Place::Phase(from) } else { to };
            drawn.insert((from, trigger.clone(), to));
        }
    }
    let expected: HashSet<_> = edges::<M>()
        .into_iter()
        .map(|edge| {
            let ends = edge.actions.contains(&"ReleaseFinalizer");
            let to = if ends { Place::End } else { Place::Phase(edge.to) };
            (edge.from, edge.trigger.to_owned(), to)
        })
        .collect();
    // A rule may name the phase it leads to as well, where nothing happens.
    drawn.retain(|arrow| expected.contains(arrow) || Place::Phase(arrow.0) != arrow.2);
    assert_eq!(drawn, expected);
}

#[test]
fn arrows_are_no_more_and_no_less_than_the_edges() {
    arrows_are_the_edges::<ServerMachine>();
    arrows_are_the_edges::<DatabaseMachine>();
}

#[test]
fn every_file_says_that_it_is_generated() {
    for (path, content) in files() {
        let first = content.lines().next().unwrap_or_default();
        assert!(first.contains(GENERATED), "{path} begins with {first:?}");
        assert!(content.ends_with('\n'), "{path}");
    }
}

#[test]
fn the_committed_files_are_fresh() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for (path, content) in files() {
        let committed = std::fs::read_to_string(root.join(path)).unwrap_or_default();
        assert!(committed == content, "{path} is stale: run `make generate`");
    }
}
