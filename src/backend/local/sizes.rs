//! From the size that is asked for to server parameters. Pure.

use crate::api::PostgreSQLServerSpec;

use super::conf::Parameters;

/// What a size becomes. `README.md` shows it as a table.
///
/// Without a size, a server has PostgreSQL's own defaults, and those of the backend. What users write in
/// `serverParameters` comes before all of this.
pub(super) fn parameters(spec: &PostgreSQLServerSpec) -> Parameters {
    let size = spec.size.clone().unwrap_or_default();
    let mut all = Parameters::new();
    if let Some(memory) = size.memory_mb {
        // A quarter for the buffers, as PostgreSQL's manual advises.
        let shared_buffers = (memory / 4).clamp(32, 8192);
        let connections = (memory / 16).clamp(50, 200);
        let megabytes = |amount: i64| format!("{amount}MB");
        all.insert("shared_buffers".to_owned(), megabytes(shared_buffers));
        all.insert("effective_cache_size".to_owned(), megabytes((memory / 4 * 3).clamp(96, 1_000_000)));
        all.insert("maintenance_work_mem".to_owned(), megabytes((memory / 16).clamp(16, 1024)));
        all.insert("max_connections".to_owned(), connections.to_string());
        all.insert("work_mem".to_owned(), megabytes((memory / (4 * connections)).clamp(4, 256)));
    }
    if let Some(cores) = size.cpu {
        let cores = cores.clamp(1, 256);
        all.insert("max_worker_processes".to_owned(), cores.max(8).to_string());
        all.insert("max_parallel_workers".to_owned(), cores.to_string());
        all.insert("max_parallel_workers_per_gather".to_owned(), (cores / 2).to_string());
    }
    all
}

/// Extensions whose library has to be loaded when the server starts.
const PRELOADED: &[&str] =
    &["pg_cron", "pg_stat_statements", "pgaudit", "pg_partman_bgw", "pg_wait_sampling", "timescaledb"];

/// `shared_preload_libraries` with what the extensions need, in front of what the user asks for; none when they need
/// nothing more.
pub(super) fn preload<'a>(
    extensions: impl Iterator<Item = &'a str>,
    asked: Option<&String>,
) -> Option<String> {
    let asked: Vec<&str> = asked
        .iter()
        .flat_map(|asked| asked.split(','))
        .map(str::trim)
        .filter(|one| !one.is_empty())
        .collect();
    let mut needed: Vec<&str> =
        extensions.filter(|one| PRELOADED.contains(one) && !asked.contains(one)).collect();
    needed.sort_unstable();
    needed.dedup();
    (!needed.is_empty()).then(|| [needed, asked].concat().join(","))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::api::Size;

    #[rstest]
    #[case(1, "32MB", "96MB", "16MB", "50", "4MB")]
    #[case(512, "128MB", "384MB", "32MB", "50", "4MB")]
    #[case(1024, "256MB", "768MB", "64MB", "64", "4MB")]
    #[case(4096, "1024MB", "3072MB", "256MB", "200", "5MB")]
    #[case(16384, "4096MB", "12288MB", "1024MB", "200", "20MB")]
    #[case(1_000_000_000, "8192MB", "1000000MB", "1024MB", "200", "256MB")]
    fn memory(
        #[case] memory_mb: i64,
        #[case] shared_buffers: &str,
        #[case] effective_cache_size: &str,
        #[case] maintenance_work_mem: &str,
        #[case] max_connections: &str,
        #[case] work_mem: &str,
    ) {
        let size = Some(Size { memory_mb: Some(memory_mb), ..Size::default() });
        let found = parameters(&PostgreSQLServerSpec { size, ..PostgreSQLServerSpec::default() });
        let expected = [
            ("effective_cache_size", effective_cache_size),
            ("maintenance_work_mem", maintenance_work_mem),
            ("max_connections", max_connections),
            ("shared_buffers", shared_buffers),
            ("work_mem", work_mem),
        ];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }

    #[rstest]
    #[case(1, ["1", "0", "8"])]
    #[case(4, ["4", "2", "8"])]
    #[case(16, ["16", "8", "16"])]
    fn cores(#[case] cpu: i64, #[case] expected: [&str; 3]) {
        let size = Some(Size { cpu: Some(cpu), ..Size::default() });
        let found = parameters(&PostgreSQLServerSpec { size, ..PostgreSQLServerSpec::default() });
        assert_eq!(found.values().map(String::as_str).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn without_a_size_nothing_is_set() {
        assert_eq!(parameters(&PostgreSQLServerSpec::default()), Parameters::new());
    }

    #[rstest]
    #[case(&["hstore"], None, None)]
    #[case(&["pg_stat_statements", "hstore", "pg_cron"], None, Some("pg_cron,pg_stat_statements"))]
    #[case(&["pg_stat_statements"], Some("auto_explain"), Some("pg_stat_statements,auto_explain"))]
    #[case(&["pg_stat_statements"], Some("auto_explain, pg_stat_statements"), None)]
    fn libraries(#[case] extensions: &[&str], #[case] asked: Option<&str>, #[case] expected: Option<&str>) {
        let asked = asked.map(str::to_owned);
        assert_eq!(preload(extensions.iter().copied(), asked.as_ref()).as_deref(), expected);
    }
}
