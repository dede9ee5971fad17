//! How a wish and a fact are compared: field semantics as data.

use std::collections::BTreeMap;

/// Field → value, both in the words of the backend's rules.
pub type Settings = BTreeMap<String, String>;

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Semantics {
    /// Must be equal.
    Exact,
    /// A number that must not be lower than asked; more is fine, and never undone.
    Floor,
    /// Set at creation; a different wish cannot be carried out.
    SetOnce,
}

/// Which of the two writing calls carries a field out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// [`super::ServerBackend::update`].
    Update,
    /// [`super::ServerBackend::configure`].
    Configure,
}

/// The rule for one field.
#[derive(Clone, Copy, Debug)]
pub struct FieldRule {
    /// The field's name in [`Settings`]; a trailing `*` stands for any ending.
    pub field: &'static str,
    /// How it is compared.
    pub semantics: Semantics,
    /// Which call carries it out.
    pub stage: Stage,
    /// Whether carrying it out interrupts connections.
    pub restart: bool,
    /// Whether carrying it out may bring an unusable server back.
    pub revives: bool,
}

/// What is to be done about a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Carry it out.
    Apply {
        /// By which call.
        stage: Stage,
        /// Whether this interrupts connections.
        restart: bool,
        /// Whether this may bring an unusable server back.
        revives: bool,
    },
    /// It cannot be carried out.
    Refused {
        /// Why, for people.
        message: String,
    },
}

/// One field that is not as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The field.
    pub field: String,
    /// What is there.
    pub found: Option<String>,
    /// What is asked for; none: the default, since nobody asks for anything any more.
    pub wanted: Option<String>,
    /// What is to be done about it.
    pub change: Change,
}

impl Difference {
    /// Whether `stage` carries this out.
    pub fn is_applied_by(&self, wanted_stage: Stage) -> bool {
        matches!(self.change, Change::Apply { stage, .. } if stage == wanted_stage)
    }

    /// Whether carrying it out interrupts connections.
    pub fn restarts(&self) -> bool {
        matches!(self.change, Change::Apply { restart: true, .. })
    }

    /// One sentence for people.
    pub fn sentence(&self) -> String {
        let found = self.found.as_deref().unwrap_or("not set");
        let wanted = self.wanted.as_deref().unwrap_or("its default");
        match &self.change {
            Change::Apply { .. } => format!("{}: {found}, asked for {wanted}", self.field),
            Change::Refused { message } => format!("{}: {found}, asked for {wanted}: {message}", self.field),
        }
    }
}

/// A field of the spec that a backend cannot carry out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The field's path in the spec.
    pub field: String,
    /// What was found, what was expected.
    pub message: String,
}

/// The differences between a wish and the facts. Fields without a rule are not compared.
pub fn compare(rules: &[FieldRule], wanted: &Settings, found: &Settings) -> Vec<Difference> {
    wanted
        .iter()
        .filter_map(|(field, wanted)| compare_field(rules, field, wanted, found.get(field)))
        .collect()
}

fn compare_field(
    rules: &[FieldRule],
    field: &str,
    wanted: &str,
    found: Option<&String>,
) -> Option<Difference> {
    let rule = rules.iter().find(|rule| rule.covers(field))?;
    let satisfied = match (rule.semantics, found) {
        (_, None) => false,
        (Semantics::Exact | Semantics::SetOnce, Some(found)) => found == wanted,
        (Semantics::Floor, Some(found)) => match (found.parse::<f64>(), wanted.parse::<f64>()) {
            (Ok(found), Ok(wanted)) => found >= wanted,
            _ => found == wanted,
        },
    };
    if satisfied {
        return None;
    }
    let change = match rule.semantics {
        Semantics::SetOnce if found.is_some() => {
            Change::Refused { message: "it is fixed when the server is created".to_owned() }
        }
        _ => rule.apply(),
    };
    let wanted = Some(wanted.to_owned());
    Some(Difference { field: field.to_owned(), found: found.cloned(), wanted, change })
}

/// Fields that are there, that nobody asks for any more, and that `is_ours` says we have set: they go back to their
/// default. What others have set stays.
pub fn abandoned(
    rules: &[FieldRule],
    wanted: &Settings,
    found: &Settings,
    is_ours: impl Fn(&str) -> bool,
) -> Vec<Difference> {
    let left = found.iter().filter(|(field, _)| !wanted.contains_key(*field) && is_ours(field));
    left.filter_map(|(field, value)| {
        let rule = rules.iter().find(|rule| rule.covers(field))?;
        let change = rule.apply();
        Some(Difference { field: field.clone(), found: Some(value.clone()), wanted: None, change })
    })
    .collect()
}

impl FieldRule {
    fn apply(&self) -> Change {
        Change::Apply { stage: self.stage, restart: self.restart, revives: self.revives }
    }

    fn covers(&self, field: &str) -> bool {
        match self.field.strip_suffix('*') {
            Some(start) => field.starts_with(start),
            None => field == self.field,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &[FieldRule] = &[
        FieldRule {
            field: "storage",
            semantics: Semantics::Floor,
            stage: Stage::Update,
            restart: false,
            revives: true,
        },
        FieldRule {
            field: "locale",
            semantics: Semantics::SetOnce,
            stage: Stage::Update,
            restart: false,
            revives: false,
        },
        FieldRule {
            field: "parameter.*",
            semantics: Semantics::Exact,
            stage: Stage::Configure,
            restart: true,
            revives: false,
        },
    ];

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        pairs.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn storage_that_grew_by_itself_is_no_difference() {
        assert_eq!(compare(RULES, &settings(&[("storage", "20")]), &settings(&[("storage", "100")])), vec![]);
    }

    #[test]
    fn storage_below_the_wish_is_a_difference() {
        let found = compare(RULES, &settings(&[("storage", "20")]), &settings(&[("storage", "9")]));
        assert_eq!(found.len(), 1);
        assert!(found[0].is_applied_by(Stage::Update));
    }

    #[test]
    fn a_set_once_field_is_refused_with_a_sentence() {
        let found = compare(RULES, &settings(&[("locale", "de")]), &settings(&[("locale", "en")]));
        assert_eq!(found[0].sentence(), "locale: en, asked for de: it is fixed when the server is created");
    }

    #[test]
    fn what_we_set_and_nobody_asks_for_any_more_goes_back_to_its_default_and_what_others_set_stays() {
        let found =
            settings(&[("parameter.a", "1"), ("parameter.b", "2"), ("parameter.c", "3"), ("other", "4")]);
        let ours = |field: &str| field != "parameter.c";
        let left = abandoned(RULES, &settings(&[("parameter.b", "5")]), &found, ours);
        let sentences: Vec<String> = left.iter().map(Difference::sentence).collect();
        assert_eq!(sentences, ["parameter.a: 1, asked for its default"]);
        assert!(left[0].is_applied_by(Stage::Configure) && left[0].restarts());
    }

    #[test]
    fn a_rule_with_a_star_covers_every_ending_and_other_fields_are_not_compared() {
        let found = compare(
            RULES,
            &settings(&[("parameter.work_mem", "8MB"), ("unknown", "x")]),
            &settings(&[("parameter.work_mem", "4MB")]),
        );
        assert_eq!(found.iter().map(|d| d.field.as_str()).collect::<Vec<_>>(), ["parameter.work_mem"]);
    }
}
