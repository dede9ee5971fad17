//! Server parameters: which group of them is ours, and how it differs from the wish. Pure.
//!
//! A server gets a parameter group of its own when its spec asks for parameters. The groups of others are left alone:
//! they may be shared.

use super::super::{
    Change, DesiredServer, Difference, FieldRule, PARAMETER, Semantics, ServerFacts, Settings, Stage,
    abandoned, asked_parameters, compare,
};
use super::groups::Wishes;

/// The server's group: [`OURS`], [`DEFAULT`], or the name of one that is neither.
pub(super) const GROUP: &str = "parameterGroup";
pub(super) const OURS: &str = "ours";
pub(super) const DEFAULT: &str = "default";
/// How far the group's parameters are in force, in the service's words.
pub(super) const APPLIED: &str = "parameterGroup.status";
/// The service's word for: after the next restart.
pub(super) const AFTER_RESTART: &str = "pending-reboot";
/// The members that wait for one, where the server has members.
pub(super) const WAITING: &str = "restart.members";
/// The difference that a restart takes away.
pub(super) const RESTART: &str = "restart";

/// Carried out without a restart: what needs one is in force after the next, which is a difference of its own.
const RULES: &[FieldRule] = &[FieldRule {
    field: "parameter.*",
    semantics: Semantics::Exact,
    stage: Stage::Configure,
    restart: false,
    revives: false,
}];

/// What the names of a server's groups begin with; a number follows.
fn prefix(server: &str) -> String {
    format!("{server}-hcpg-pg")
}

/// The name of a server's group for a major version. A group belongs to one major version.
pub(super) fn group_name(server: &str, major: u32) -> String {
    format!("{}{major}", prefix(server))
}

/// Whether a group is the server's own.
pub(super) fn is_own(group: &str, server: &str) -> bool {
    group
        .strip_prefix(&prefix(server))
        .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()))
}

/// What a group is to a server.
pub(super) fn kind<'a>(group: &'a str, server: &str) -> &'a str {
    match group {
        group if is_own(group, server) => OURS,
        group if group.starts_with("default.") => DEFAULT,
        group => group,
    }
}

/// One form for every way to write yes and no: RDS has 1 and 0 where PostgreSQL has on and off.
pub(super) fn normal(value: &str) -> String {
    let value = value.trim();
    match value.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" => "1".to_owned(),
        "off" | "false" | "no" => "0".to_owned(),
        _ => value.to_owned(),
    }
}

/// Every parameter that is asked for.
pub(super) fn wishes(desired: &DesiredServer<'_>) -> Wishes {
    asked_parameters(desired.spec).into_iter().map(|(name, value)| (name, Some(value))).collect()
}

/// The parameters that these differences set, or bring back to their defaults.
pub(super) fn changes(differences: &[Difference]) -> Wishes {
    let applied = differences.iter().filter(|one| matches!(one.change, Change::Apply { .. }));
    applied
        .filter_map(|one| Some((one.field.strip_prefix(PARAMETER)?.to_owned(), one.wanted.clone())))
        .collect()
}

/// What is set, as wishes for another group.
pub(super) fn kept(set: &Settings) -> Wishes {
    let all = set.iter();
    all.filter_map(|(field, value)| Some((field.strip_prefix(PARAMETER)?.to_owned(), Some(value.clone()))))
        .collect()
}

/// The parameters that are set, in the words of the rules.
fn found(facts: &ServerFacts) -> Settings {
    let all = facts.settings.iter().filter(|(field, _)| field.starts_with(PARAMETER));
    all.map(|(field, value)| (field.clone(), value.clone())).collect()
}

/// The same in one line.
pub(super) fn shown(facts: &ServerFacts) -> String {
    let all = found(facts).into_iter();
    let pairs =
        all.map(|(field, value)| format!("{}={value}", field.strip_prefix(PARAMETER).unwrap_or(&field)));
    pairs.collect::<Vec<_>>().join(", ")
}

fn wanted(desired: &DesiredServer<'_>) -> Settings {
    let asked = asked_parameters(desired.spec).into_iter();
    asked.map(|(name, value)| (format!("{PARAMETER}{name}"), normal(&value))).collect()
}

/// How the parameters differ from the wish.
pub(super) fn differences(desired: &DesiredServer<'_>, facts: &ServerFacts) -> Vec<Difference> {
    let wanted = wanted(desired);
    match facts.settings.get(GROUP).map(String::as_str) {
        None | Some(OURS | DEFAULT) => {
            let found = found(facts);
            let ours = |field: &str| {
                field
                    .strip_prefix(PARAMETER)
                    .is_some_and(|name| desired.managed.iter().any(|one| one == name))
            };
            let mut differences = compare(RULES, &wanted, &found);
            differences.extend(abandoned(RULES, &wanted, &found, ours));
            differences
        }
        Some(_) if wanted.is_empty() => Vec::new(),
        Some(foreign) => vec![Difference {
            field: "serverParameters".to_owned(),
            found: Some(format!("the parameter group {foreign}")),
            wanted: Some("a group of the server's own".to_owned()),
            change: Change::Refused {
                message:
                    "the operator did not make that group; set the parameters in it, or give the server the \
                          default group in AWS"
                        .to_owned(),
            },
        }],
    }
}

/// Of a server that does not start with its parameters: carried out although it is unusable.
pub(super) fn revive(difference: &mut Difference) {
    if let Change::Apply { stage, revives, .. } = &mut difference.change {
        (*stage, *revives) = (Stage::Update, true);
    }
}

/// The restart that makes parameters come into force; none while there are still some to be set, so that one restart
/// does for all. `in_vain`: for these parameters everything was restarted already. The same again would not help.
pub(super) fn restart(facts: &ServerFacts, in_vain: bool) -> Option<Difference> {
    let is = |field: &str, value: &str| facts.settings.get(field).is_some_and(|found| found == value);
    if !is(GROUP, OURS) || !is(APPLIED, AFTER_RESTART) {
        return None;
    }
    let change = match in_vain {
        true => Change::Refused {
            message: "AWS still asks for a restart after one; look at the server's parameter group in AWS"
                .to_owned(),
        },
        false => Change::Apply { stage: Stage::Update, restart: true, revives: false },
    };
    Some(Difference {
        field: RESTART.to_owned(),
        found: Some("parameters wait for it".to_owned()),
        wanted: Some("parameters in force".to_owned()),
        change,
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::super::super::Owner;
    use super::*;
    use crate::api::PostgreSQLServerSpec;

    fn facts(pairs: &[(&str, &str)]) -> ServerFacts {
        let settings =
            pairs.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect();
        ServerFacts { settings, ..ServerFacts::default() }
    }

    fn sentences(found: &[(&str, &str)], managed: &[&str], parameters: Value) -> Vec<String> {
        let owner = Owner { namespace: "team".into(), name: "orders".into(), uid: "uid-1".into() };
        let spec: PostgreSQLServerSpec =
            serde_json::from_value(json!({"credentialsSecret": "s", "serverParameters": parameters}))
                .unwrap();
        let managed: Vec<String> = managed.iter().map(|name| (*name).to_owned()).collect();
        let desired = DesiredServer { managed: &managed, ..DesiredServer::new(&owner, &spec) };
        differences(&desired, &facts(found)).iter().map(Difference::sentence).collect()
    }

    #[rstest]
    #[case("team-orders-hcpg-pg16", OURS)]
    #[case("team-orders-hcpg-pg", "team-orders-hcpg-pg")]
    #[case("team-orders-2-hcpg-pg16", "team-orders-2-hcpg-pg16")]
    #[case("default.postgres16", DEFAULT)]
    #[case("company", "company")]
    fn a_group_is_ours_by_its_whole_name(#[case] group: &str, #[case] expected: &str) {
        assert_eq!(kind(group, "team-orders"), expected);
        assert_eq!(kind(&group_name("a", 17), "a"), OURS);
    }

    #[test]
    fn yes_and_no_are_the_same_in_both_ways_to_write_them() {
        let found = [(GROUP, OURS), ("parameter.log_connections", "1"), ("parameter.work_mem", "4096")];
        let asked = json!({"log_connections": "on", "Work_Mem": 4096});
        assert_eq!(sentences(&found, &[], asked), Vec::<String>::new());
        assert_eq!(
            sentences(&found, &[], json!({"log_connections": false})),
            ["parameter.log_connections: 1, asked for 0"]
        );
    }

    #[test]
    fn only_what_we_have_set_goes_back_to_its_default() {
        let found = [(GROUP, OURS), ("parameter.work_mem", "4096"), ("parameter.foreign", "1")];
        assert_eq!(
            sentences(&found, &["work_mem"], json!({})),
            ["parameter.work_mem: 4096, asked for its default"]
        );
    }

    #[test]
    fn a_group_that_somebody_else_made_is_left_alone_and_told() {
        let told = sentences(&[(GROUP, "company")], &[], json!({"work_mem": 1}));
        assert!(told[0].contains("parameter group company") && told[0].contains("default group"), "{told:?}");
        assert_eq!(sentences(&[(GROUP, "company")], &["work_mem"], json!({})), Vec::<String>::new());
    }

    #[test]
    fn parameters_that_wait_for_a_restart_get_one_and_not_a_second() {
        let waiting = facts(&[(GROUP, OURS), (APPLIED, AFTER_RESTART), ("parameter.max_connections", "50")]);
        assert!(restart(&waiting, false).unwrap().restarts());
        let again = restart(&waiting, true).unwrap();
        assert!(!again.restarts() && again.sentence().contains("still asks"), "{again:?}");
        assert_eq!(restart(&facts(&[(GROUP, OURS), (APPLIED, "in-sync")]), false), None);
        assert_eq!(restart(&facts(&[(GROUP, "company"), (APPLIED, AFTER_RESTART)]), false), None);
    }
}
