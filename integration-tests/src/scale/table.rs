//! The measurements as people read them, in Markdown.

use super::stages::{Run, Stage};

/// All runs beside each other, and below it the requests by kind.
pub fn of(runs: &[Run]) -> String {
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    let mut line = |name: &str, cell: &dyn Fn(&Run) -> String| {
        lines.push((name.to_owned(), runs.iter().map(cell).collect()));
    };
    line("servers + databases", &|run| format!("{} + {}", run.load.servers, run.load.databases));
    line("backend", &|run| if run.load.memory.is_some() { "memory" } else { "local" }.to_owned());
    line("**create**: all accepted by the API server, s", &|run| number(run.accepted));
    line("all Ready, s", &|run| number(run.create.seconds));
    stage(&mut line, "object", |run| &run.create, objects);
    line("**start**, the operator on one core: each looked at once, s", &|run| number(run.start.seconds));
    stage(&mut line, "object", |run| &run.start, objects);
    line("**no change**: passes", &|run| run.idle.passes.count.to_string());
    stage(&mut line, "pass", |run| &run.idle, |run| run.idle.passes.count);
    let mut text = String::new();
    let heads = runs.iter().map(|run| objects(run).to_string());
    text.push_str(&row("objects", heads.collect::<Vec<_>>().as_slice()));
    text.push_str(&row("---", vec!["---:".to_owned(); runs.len()].as_slice()));
    for (name, cells) in lines {
        text.push_str(&row(&name, &cells));
    }
    for run in runs {
        let objects = objects(run);
        text.push_str(&format!(
            "\n{objects} objects, requests per object, and per look where nothing changes:\n\n"
        ));
        for (name, stage) in [("create", &run.create), ("start", &run.start), ("no change", &run.idle)] {
            let of = if name == "no change" { stage.passes.count } else { objects };
            let kinds = stage.requests.by_kind.iter();
            let kinds: Vec<String> =
                kinds.map(|(kind, count)| format!("{kind} {}", number(per(*count as f64, of)))).collect();
            text.push_str(&format!("* {name}: {}\n", kinds.join(", ")));
        }
    }
    text
}

fn objects(run: &Run) -> usize {
    run.load.servers + run.load.databases
}

/// The lines that all stages have; `count` says how many of `what` there were.
fn stage(
    line: &mut impl FnMut(&str, &dyn Fn(&Run) -> String),
    what: &str,
    stage: fn(&Run) -> &Stage,
    count: fn(&Run) -> usize,
) {
    line("CPU, s", &|run| number(stage(run).cpu));
    line(&format!("CPU per {what}, ms"), &|run| number(per(stage(run).cpu * 1000.0, count(run))));
    line("pass p50 / p99, ms", &|run| {
        format!("{} / {}", number(stage(run).passes.p50), number(stage(run).passes.p99))
    });
    line("passes per object", &|run| number(per(stage(run).passes.count as f64, objects(run))));
    line(&format!("API reads / writes per {what}"), &|run| {
        let requests = &stage(run).requests;
        let each = |requests: usize| number(per(requests as f64, count(run)));
        format!("{} / {}", each(requests.reads), each(requests.writes))
    });
    line("memory at the end / peak, MiB", &|run| {
        format!("{} / {}", number(stage(run).memory.0), number(stage(run).memory.1))
    });
}

/// What creation took, in a sentence.
pub fn creation(title: &str, objects: usize, stage: &Stage) -> String {
    format!(
        "{title}: all {objects} Ready after {} s; CPU {} s, {} ms per object; memory {} MiB; pass p99 {} ms; {} reads \
         and {} writes per object\n",
        number(stage.seconds),
        number(stage.cpu),
        number(per(stage.cpu * 1000.0, objects)),
        number(stage.memory.1),
        number(stage.passes.p99),
        number(per(stage.requests.reads as f64, objects)),
        number(per(stage.requests.writes as f64, objects)),
    )
}

fn row(name: &str, cells: &[String]) -> String {
    format!("| {name} | {} |\n", cells.join(" | "))
}

fn per(value: f64, of: usize) -> f64 {
    value / of.max(1) as f64
}

fn number(value: f64) -> String {
    match value.abs() {
        small if small < 10.0 => format!("{value:.2}"),
        medium if medium < 1000.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
