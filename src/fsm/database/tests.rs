use rstest::rstest;

use super::*;

/// A database that is as asked, and its object.
const SETTLED: DatabaseView = DatabaseView {
    phase: Phase::Ready,
    deleting: false,
    paused: false,
    server: ServerSeen::Usable,
    presence: DatabasePresence::Present,
    evidence: true,
    recreate: false,
    pending: Pending::None,
    published: Published::Current,
    reset_requested: false,
    was_ready: true,
    unconfigured: false,
    taken_over: false,
    rejected: false,
    terminating: false,
    idle_request: false,
    retain: false,
};

const ABSENT: DatabaseView =
    DatabaseView { phase: Phase::Pending, presence: DatabasePresence::Absent, evidence: false, ..SETTLED };
const DELETING: DatabaseView = DatabaseView { phase: Phase::Deleting, deleting: true, ..SETTLED };

const SERVERS: [ServerSeen; 3] = [ServerSeen::Gone, ServerSeen::Waiting, ServerSeen::Usable];
const PRESENCES: [DatabasePresence; 5] = [
    DatabasePresence::Unreadable,
    DatabasePresence::Absent,
    DatabasePresence::NotOurs,
    DatabasePresence::RoleMissing,
    DatabasePresence::Present,
];
const PENDINGS: [Pending; 3] = [Pending::None, Pending::Unapplied, Pending::Accepted];
const PUBLISHEDS: [Published; 5] =
    [Published::Absent, Published::Foreign, Published::Refused, Published::Stale, Published::Current];

/// Calls `check` with every view there can be and the trigger that is taken in it.
fn classified(mut check: impl FnMut(&DatabaseView, DatabaseTrigger)) {
    for phase in <Phase as IntoEnumIterator>::iter() {
        for server in SERVERS {
            for presence in PRESENCES {
                for pending in PENDINGS {
                    for published in PUBLISHEDS {
                        let fields = DatabaseView { phase, server, presence, pending, published, ..SETTLED };
                        for bits in 0..1_u32 << 12 {
                            let view = with_flags(fields, bits);
                            check(&view, classify(&view));
                        }
                    }
                }
            }
        }
    }
}

fn with_flags(view: DatabaseView, bits: u32) -> DatabaseView {
    let flag = |number: u32| bits & (1 << number) != 0;
    DatabaseView {
        deleting: flag(0),
        paused: flag(1),
        evidence: flag(2),
        recreate: flag(3),
        reset_requested: flag(4),
        was_ready: flag(5),
        unconfigured: flag(6),
        rejected: flag(7),
        terminating: flag(8),
        idle_request: flag(9),
        retain: flag(10),
        taken_over: flag(11),
        ..view
    }
}

/// For each phase and trigger, whether the plan holds an action that `is_meant`.
fn pairs(is_meant: impl Fn(DatabaseAction) -> bool) -> impl Fn(Phase, DatabaseTrigger) -> bool {
    let answers = |phase| {
        let holds =
            |trigger| DatabaseMachine::step(phase, trigger).plan.iter().any(|action| is_meant(*action));
        DatabaseTrigger::iter().map(holds).collect::<Vec<_>>()
    };
    let table: Vec<Vec<bool>> = <Phase as IntoEnumIterator>::iter().map(answers).collect();
    move |phase, trigger| table[phase as usize][trigger as usize]
}

#[test]
fn no_view_does_harm_and_ready_means_ready() {
    let acts = pairs(|_| true);
    let in_sql = pairs(|action| !matches!(action, DatabaseAction::Credentials(_)));
    let configures = pairs(|action| action == DatabaseAction::ConfigureDatabase);
    let creates = pairs(|action| action == DatabaseAction::CreateDatabase);
    let drops = pairs(|action| action == DatabaseAction::DropDatabase);
    let stores = pairs(|action| action == DatabaseAction::Credentials(CredentialsAction::StorePassword));
    let publishes =
        pairs(|action| action == DatabaseAction::Credentials(CredentialsAction::PublishCredentials));
    let removes = pairs(|action| action == DatabaseAction::Credentials(CredentialsAction::RemoveSecret));
    let mut views = 0_u64;
    classified(|view, trigger| {
        views += 1;
        if trigger == DatabaseTrigger::Settled {
            let seen = (view.server, view.presence, view.pending, view.published);
            let right = (ServerSeen::Usable, DatabasePresence::Present, Pending::None, Published::Current);
            assert_eq!(seen, right, "{view:?}");
            assert!(!view.deleting && !view.paused, "{view:?}");
            assert!(view.taken_over || !view.unconfigured, "{view:?}");
        }
        // Most views lead to nothing at all; the rest have to have a reason.
        if !acts(view.phase, trigger) {
            return;
        }
        assert!(!view.paused, "{view:?}");
        if view.server == ServerSeen::Usable {
            assert_ne!(view.presence, DatabasePresence::Unreadable, "{view:?}");
        }
        if in_sql(view.phase, trigger) {
            assert_eq!(view.server, ServerSeen::Usable, "{view:?}");
            assert_ne!(view.presence, DatabasePresence::NotOurs, "{view:?}");
        }
        if configures(view.phase, trigger) {
            assert!(!view.taken_over, "{view:?}");
        }
        if creates(view.phase, trigger) {
            let new = view.presence == DatabasePresence::Absent && !view.evidence;
            assert!(new && !view.deleting && !view.rejected, "{view:?}");
        }
        if drops(view.phase, trigger) {
            assert!(view.deleting && !view.retain, "{view:?}");
        }
        if stores(view.phase, trigger) {
            assert!(!view.terminating, "{view:?}");
        }
        if publishes(view.phase, trigger) {
            assert!(view.published != Published::Foreign, "{view:?}");
        }
        if removes(view.phase, trigger) && view.retain {
            assert_eq!(view.presence, DatabasePresence::Absent, "{view:?}");
        }
    });
    assert_eq!(views, 6 * 3 * 5 * 3 * 5 * (1 << 12));
}

#[rstest]
#[case::nothing(SETTLED, DatabaseTrigger::Settled)]
#[case::idle_request(DatabaseView { idle_request: true, ..SETTLED }, DatabaseTrigger::IdleRequest)]
#[case::facts(DatabaseView { published: Published::Stale, ..SETTLED }, DatabaseTrigger::Unpublished)]
#[case::accepted(DatabaseView { pending: Pending::Accepted, ..SETTLED }, DatabaseTrigger::Unpublished)]
#[case::foreign_secret(DatabaseView { published: Published::Foreign, ..SETTLED }, DatabaseTrigger::Rejected)]
#[case::grants(DatabaseView { unconfigured: true, pending: Pending::Accepted, ..SETTLED }, DatabaseTrigger::Unconfigured)]
#[case::taken_over(DatabaseView { unconfigured: true, taken_over: true, ..SETTLED }, DatabaseTrigger::Settled)]
#[case::refused(DatabaseView { published: Published::Refused, unconfigured: true, ..SETTLED }, DatabaseTrigger::CredentialsRefused)]
#[case::reset(DatabaseView { reset_requested: true, published: Published::Refused, ..SETTLED }, DatabaseTrigger::ResetRequested)]
#[case::secret_gone(DatabaseView { published: Published::Absent, ..SETTLED }, DatabaseTrigger::ResetRequested)]
#[case::secret_gone_for_good(
    DatabaseView { published: Published::Absent, terminating: true, ..SETTLED },
    DatabaseTrigger::Rejected
)]
#[case::unapplied(DatabaseView { pending: Pending::Unapplied, reset_requested: true, ..SETTLED }, DatabaseTrigger::PasswordUnapplied)]
#[case::role_missing(DatabaseView { presence: DatabasePresence::RoleMissing, ..SETTLED }, DatabaseTrigger::RoleMissing)]
#[case::new(ABSENT, DatabaseTrigger::Absent)]
#[case::new_but_terminating(DatabaseView { terminating: true, ..ABSENT }, DatabaseTrigger::Rejected)]
#[case::lost(DatabaseView { evidence: true, terminating: true, ..ABSENT }, DatabaseTrigger::Lost)]
#[case::lost_later(DatabaseView { phase: Phase::Configuring, ..ABSENT }, DatabaseTrigger::Lost)]
#[case::recreate(DatabaseView { evidence: true, recreate: true, ..ABSENT }, DatabaseTrigger::RecreateRequested)]
#[case::foreign(DatabaseView { presence: DatabasePresence::NotOurs, ..SETTLED }, DatabaseTrigger::NotOurs)]
#[case::unreadable(DatabaseView { presence: DatabasePresence::Unreadable, ..SETTLED }, DatabaseTrigger::Unreadable)]
#[case::server_down(DatabaseView { server: ServerSeen::Waiting, ..ABSENT }, DatabaseTrigger::WaitingForServer)]
#[case::server_gone(DatabaseView { server: ServerSeen::Gone, ..SETTLED }, DatabaseTrigger::WaitingForServer)]
#[case::bad_name(DatabaseView { rejected: true, server: ServerSeen::Gone, ..ABSENT }, DatabaseTrigger::Rejected)]
#[case::paused(DatabaseView { paused: true, rejected: true, ..ABSENT }, DatabaseTrigger::Paused)]
#[case::deletion(DatabaseView { deleting: true, paused: true, ..SETTLED }, DatabaseTrigger::Deletion)]
#[case::deleting(DELETING, DatabaseTrigger::Present)]
#[case::deleting_paused(DatabaseView { paused: true, ..DELETING }, DatabaseTrigger::Paused)]
#[case::deleting_server_down(DatabaseView { server: ServerSeen::Waiting, retain: true, ..DELETING }, DatabaseTrigger::WaitingForServer)]
#[case::gone(DatabaseView { presence: DatabasePresence::Absent, ..DELETING }, DatabaseTrigger::Gone)]
#[case::abandoned(DatabaseView { server: ServerSeen::Gone, ..DELETING }, DatabaseTrigger::Abandoned)]
#[case::retained(DatabaseView { retain: true, ..DELETING }, DatabaseTrigger::Retained)]
#[case::retained_new_password(DatabaseView { retain: true, pending: Pending::Accepted, ..DELETING }, DatabaseTrigger::Unpublished)]
#[case::retained_no_namespace(
    DatabaseView { retain: true, pending: Pending::Accepted, terminating: true, ..DELETING },
    DatabaseTrigger::RetainedUnpublished
)]
#[case::retained_with_its_server(DatabaseView { retain: true, server: ServerSeen::Gone, ..DELETING }, DatabaseTrigger::Retained)]
#[case::retained_with_its_server_in_a_reset(
    DatabaseView { retain: true, server: ServerSeen::Gone, pending: Pending::Unapplied, ..DELETING },
    DatabaseTrigger::RetainedUnpublished
)]
#[case::deleting_foreign(DatabaseView { presence: DatabasePresence::NotOurs, ..DELETING }, DatabaseTrigger::Retained)]
fn the_first_that_holds_is_taken(#[case] view: DatabaseView, #[case] trigger: DatabaseTrigger) {
    assert_eq!(classify(&view), trigger);
}
