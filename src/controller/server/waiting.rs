//! Changes that interrupt connections and wait for the maintenance window. Pure.

use jiff::Timestamp;

use crate::api::names::ACTION;
use crate::api::{ChangeWindow, PostgreSQLServerSpec, WeeklyWindow};
use crate::backend::Difference;

/// What waits, and until when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// The differences.
    pub differences: Vec<Difference>,
    /// When the window opens; none where it cannot be told, and the differences wait for somebody.
    pub until: Option<Timestamp>,
    /// Why it cannot be told.
    unreadable: Option<String>,
}

/// Takes out of `differences` what has to wait.
///
/// Nothing waits while the server takes no connections (`usable`): there are none to interrupt.
pub(super) fn take(
    differences: &mut Vec<Difference>,
    spec: &PostgreSQLServerSpec,
    default: WeeklyWindow,
    usable: bool,
    now: Timestamp,
) -> Waiting {
    if spec.change_window != Some(ChangeWindow::Maintenance) || !usable {
        return Waiting::default();
    }
    let written = spec.maintenance.as_ref().and_then(|maintenance| maintenance.window.as_ref());
    let (until, unreadable) = match written.map_or(Ok(default), WeeklyWindow::read) {
        Ok(window) => match window.opens(now) {
            None => return Waiting::default(),
            opens => (opens, None),
        },
        // Whoever wants a window does not want just any time.
        Err(error) => (None, Some(error.to_string())),
    };
    let waits = |difference: &mut Difference| difference.restarts();
    Waiting { differences: differences.extract_if(.., waits).collect(), until, unreadable }
}

impl Waiting {
    /// What is to be said about it; none when nothing waits.
    pub(super) fn sentence(&self) -> Option<String> {
        if self.differences.is_empty() {
            return None;
        }
        let sentences: Vec<String> = self.differences.iter().map(Difference::sentence).collect();
        let until = match (&self.until, &self.unreadable) {
            (Some(at), _) => format!("until the maintenance window opens at {at}"),
            (None, Some(problem)) => format!("for a maintenance window that can be read ({problem})"),
            (None, None) => "for the maintenance window".to_owned(),
        };
        Some(format!(
            "{}; this interrupts connections and waits {until}, or for the annotation {ACTION}=apply-now",
            sentences.join("; ")
        ))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::api::{Maintenance, MaintenanceWindow};
    use crate::backend::{Change, Stage};

    const SUNDAY: &str = "2026-11-29T03:00:00Z";

    fn spec(change_window: Option<ChangeWindow>, window: Option<(&str, &str)>) -> PostgreSQLServerSpec {
        let window = window.map(|(weekday, starttime)| MaintenanceWindow {
            weekday: weekday.to_owned(),
            starttime: starttime.to_owned(),
        });
        PostgreSQLServerSpec {
            change_window,
            maintenance: Some(Maintenance { window }),
            ..PostgreSQLServerSpec::default()
        }
    }

    fn differences() -> Vec<Difference> {
        let one = |field: &str, restart| Difference {
            field: field.to_owned(),
            found: Some("1".to_owned()),
            wanted: Some("2".to_owned()),
            change: Change::Apply { stage: Stage::Configure, restart, revives: false },
        };
        let refused = Change::Refused { message: "never".to_owned() };
        vec![
            one("a", true),
            one("b", false),
            Difference { change: refused, ..one("c", false) },
            one("d", true),
        ]
    }

    fn fields(differences: &[Difference]) -> Vec<&str> {
        differences.iter().map(|difference| difference.field.as_str()).collect()
    }

    fn taken(spec: &PostgreSQLServerSpec, usable: bool, now: &str) -> (Vec<Difference>, Waiting) {
        let mut differences = differences();
        let waiting = take(&mut differences, spec, WeeklyWindow::DEFAULT, usable, now.parse().unwrap());
        (differences, waiting)
    }

    #[test]
    fn only_what_interrupts_waits_and_only_where_it_is_asked_for() {
        let wednesday = "2026-11-25T12:00:00Z";
        let maintenance = spec(Some(ChangeWindow::Maintenance), Some(("Sun", "03:00")));
        let (now, waiting) = taken(&maintenance, true, wednesday);
        assert_eq!((fields(&now), fields(&waiting.differences)), (vec!["b", "c"], vec!["a", "d"]));
        assert_eq!(waiting.until, Some(SUNDAY.parse().unwrap()));
        assert_eq!(
            waiting.sentence().unwrap(),
            "a: 1, asked for 2; d: 1, asked for 2; this interrupts connections and waits until the maintenance window \
             opens at 2026-11-29T03:00:00Z, or for the annotation operator/action=apply-now"
        );

        for (spec, usable, now) in [
            (spec(None, Some(("Sun", "03:00"))), true, wednesday),
            (spec(Some(ChangeWindow::Immediate), Some(("Sun", "03:00"))), true, wednesday),
            (maintenance.clone(), false, wednesday),
            (maintenance.clone(), true, SUNDAY),
            (maintenance.clone(), true, "2026-11-29T03:59:59Z"),
        ] {
            let (now, waiting) = taken(&spec, usable, now);
            assert_eq!((fields(&now).len(), waiting.sentence()), (4, None));
        }
        let (_, waiting) = taken(&maintenance, true, "2026-11-29T04:00:00Z");
        assert_eq!(waiting.until, Some("2026-12-06T03:00:00Z".parse().unwrap()));
    }

    #[test]
    fn without_a_window_of_its_own_a_server_has_the_default_one() {
        let (_, waiting) = taken(&spec(Some(ChangeWindow::Maintenance), None), true, "2026-11-25T12:00:00Z");
        assert_eq!(waiting.until, Some(SUNDAY.parse().unwrap()));
    }

    #[test]
    fn with_a_window_that_cannot_be_read_it_waits_for_somebody() {
        let unreadable = spec(Some(ChangeWindow::Maintenance), Some(("Someday", "03:00")));
        let (_, waiting) = taken(&unreadable, true, SUNDAY);
        assert_eq!((waiting.differences.len(), waiting.until), (2, None));
        let sentence = waiting.sentence().unwrap();
        assert!(sentence.contains("\"Someday\"") && sentence.contains("apply-now"), "{sentence}");
    }
}
