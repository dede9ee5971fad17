use rstest::rstest;

use super::*;

/// A server that is as asked, and its object.
const SETTLED: ServerView = ServerView {
    phase: Phase::Ready,
    deleting: false,
    paused: false,
    presence: Presence::Usable,
    evidence: true,
    settling: false,
    recreate: false,
    pending: Pending::None,
    published: Published::Current,
    awaited: false,
    reset_requested: false,
    was_ready: true,
    differs: false,
    revivable: false,
    unconfigured: false,
    taken_over: false,
    rejected: false,
    terminating: false,
    idle_request: false,
    retain: false,
    referenced: false,
    protected: false,
    mismarked: false,
};

const ABSENT: ServerView =
    ServerView { phase: Phase::Pending, presence: Presence::Absent, evidence: false, ..SETTLED };
const DELETING: ServerView = ServerView { phase: Phase::Deleting, deleting: true, ..SETTLED };

const PRESENCES: [Presence; 9] = [
    Presence::Unreadable,
    Presence::Absent,
    Presence::NotOurs,
    Presence::Replaced,
    Presence::Busy,
    Presence::Unusable,
    Presence::FailedNew,
    Presence::FailedUsed,
    Presence::Usable,
];
const PENDINGS: [Pending; 3] = [Pending::None, Pending::Unapplied, Pending::Accepted];
const PUBLISHEDS: [Published; 5] =
    [Published::Absent, Published::Foreign, Published::Refused, Published::Stale, Published::Current];

/// Every view there can be.
fn every_view(mut check: impl FnMut(&ServerView)) {
    for phase in <Phase as IntoEnumIterator>::iter() {
        for presence in PRESENCES {
            for pending in PENDINGS {
                for published in PUBLISHEDS {
                    let fields = ServerView { phase, presence, pending, published, ..SETTLED };
                    (0..1_u32 << 16).for_each(|bits| check(&with_flags(fields, bits)));
                }
            }
        }
    }
}

fn with_flags(view: ServerView, bits: u32) -> ServerView {
    let flag = |number: u32| bits & (1 << number) != 0;
    ServerView {
        deleting: flag(0),
        paused: flag(1),
        evidence: flag(2),
        settling: flag(3),
        // Counts only where there is a server, and the one above only where there is none.
        mismarked: flag(3),
        recreate: flag(4),
        reset_requested: flag(5),
        was_ready: flag(6),
        differs: flag(7),
        // Counts only where the server is usable, and the one above only where it is not.
        awaited: flag(8),
        revivable: flag(8),
        unconfigured: flag(9),
        rejected: flag(10),
        terminating: flag(11),
        idle_request: flag(12),
        retain: flag(13),
        // Both stand for "may not be deleted now"; one bit keeps the enumeration short.
        referenced: flag(14),
        protected: flag(14),
        taken_over: flag(15),
        ..view
    }
}

/// Calls `check` with every view and the trigger that is taken in it.
fn classified(mut check: impl FnMut(&ServerView, ServerTrigger)) {
    every_view(|view| check(view, classify(view)));
}

/// For each phase and trigger, whether the plan holds an action that `is_meant`.
fn pairs(is_meant: impl Fn(ServerAction) -> bool) -> impl Fn(Phase, ServerTrigger) -> bool {
    let answers = |phase| {
        let holds = |trigger| ServerMachine::step(phase, trigger).plan.iter().any(|action| is_meant(*action));
        ServerTrigger::iter().map(holds).collect::<Vec<_>>()
    };
    let table: Vec<Vec<bool>> = <Phase as IntoEnumIterator>::iter().map(answers).collect();
    move |phase, trigger| table[phase as usize][trigger as usize]
}

#[test]
fn no_view_does_harm_and_ready_means_ready() {
    let acts = pairs(|_| true);
    let at_the_backend = pairs(|action| !matches!(action, ServerAction::Credentials(_)));
    let changes = pairs(|action| {
        let of_the_server =
            [ServerAction::UpdateServer, ServerAction::ConfigureServer, ServerAction::RemoveShell];
        of_the_server.contains(&action)
    });
    let creates = pairs(|action| action == ServerAction::CreateServer);
    let sets_password =
        pairs(|action| matches!(action, ServerAction::ApplyPassword | ServerAction::RestorePassword));
    let deletes = pairs(|action| action == ServerAction::DeleteServer);
    let stores = pairs(|action| action == ServerAction::Credentials(CredentialsAction::StorePassword));
    let publishes =
        pairs(|action| action == ServerAction::Credentials(CredentialsAction::PublishCredentials));
    let mut views = 0_u64;
    classified(|view, trigger| {
        views += 1;
        if trigger == ServerTrigger::Settled {
            let seen = (view.presence, view.pending, view.published);
            assert_eq!(seen, (Presence::Usable, Pending::None, Published::Current), "{view:?}");
            assert!(!view.deleting && !view.paused, "{view:?}");
            assert!(view.taken_over || !(view.differs || view.unconfigured), "{view:?}");
        }
        // Most views lead to nothing at all; the rest have to have a reason.
        if !acts(view.phase, trigger) {
            return;
        }
        assert!(!view.paused, "{view:?}");
        assert_ne!(view.presence, Presence::Unreadable, "{view:?}");
        if matches!(view.presence, Presence::NotOurs | Presence::Replaced) {
            assert!(!at_the_backend(view.phase, trigger), "{view:?}");
        }
        if changes(view.phase, trigger) {
            assert!(!view.taken_over, "{view:?}");
        }
        if sets_password(view.phase, trigger) {
            assert!(!view.awaited, "{view:?}");
        }
        if creates(view.phase, trigger) {
            let new = view.presence == Presence::Absent && !view.evidence && !view.settling;
            assert!(new && !view.deleting && !view.rejected, "{view:?}");
        }
        if deletes(view.phase, trigger) {
            assert!(view.deleting && !view.retain && !view.referenced && !view.protected, "{view:?}");
        }
        if stores(view.phase, trigger) {
            assert!(!view.terminating && view.published != Published::Foreign, "{view:?}");
        }
        if publishes(view.phase, trigger) {
            assert!(view.published != Published::Foreign, "{view:?}");
        }
    });
    assert_eq!(views, 6 * 9 * 3 * 5 * (1 << 16));
}

#[rstest]
#[case::nothing(SETTLED, ServerTrigger::Settled)]
#[case::idle_request(ServerView { idle_request: true, ..SETTLED }, ServerTrigger::IdleRequest)]
#[case::facts(ServerView { published: Published::Stale, ..SETTLED }, ServerTrigger::Unpublished)]
#[case::accepted(ServerView { pending: Pending::Accepted, ..SETTLED }, ServerTrigger::Unpublished)]
#[case::foreign_secret(ServerView { published: Published::Foreign, ..SETTLED }, ServerTrigger::Rejected)]
#[case::setting(ServerView { unconfigured: true, pending: Pending::Accepted, ..SETTLED }, ServerTrigger::Unconfigured)]
#[case::update(ServerView { differs: true, unconfigured: true, ..SETTLED }, ServerTrigger::Differs)]
#[case::taken_over(ServerView { differs: true, unconfigured: true, taken_over: true, ..SETTLED }, ServerTrigger::Settled)]
#[case::taken_over_stopped(
    ServerView { presence: Presence::Unusable, revivable: true, taken_over: true, ..SETTLED },
    ServerTrigger::Unusable
)]
#[case::taken_over_failed(
    ServerView { presence: Presence::FailedNew, phase: Phase::Pending, evidence: false, taken_over: true, ..SETTLED },
    ServerTrigger::ServerFailed
)]
#[case::taken_over_refused(
    ServerView { published: Published::Refused, differs: true, taken_over: true, ..SETTLED },
    ServerTrigger::CredentialsRefused
)]
#[case::refused(ServerView { published: Published::Refused, differs: true, ..SETTLED }, ServerTrigger::CredentialsRefused)]
#[case::reset(ServerView { reset_requested: true, published: Published::Refused, ..SETTLED }, ServerTrigger::ResetRequested)]
#[case::secret_gone(ServerView { published: Published::Absent, ..SETTLED }, ServerTrigger::ResetRequested)]
#[case::reset_of_a_new_server(ServerView { reset_requested: true, was_ready: false, ..SETTLED }, ServerTrigger::Settled)]
#[case::unapplied(ServerView { pending: Pending::Unapplied, reset_requested: true, ..SETTLED }, ServerTrigger::PasswordUnapplied)]
#[case::set_a_moment_ago(
    ServerView { pending: Pending::Unapplied, awaited: true, reset_requested: true, ..SETTLED },
    ServerTrigger::PasswordAwaited
)]
#[case::put_back_a_moment_ago(
    ServerView { published: Published::Refused, awaited: true, differs: true, ..SETTLED },
    ServerTrigger::PasswordAwaited
)]
#[case::failed(ServerView { presence: Presence::FailedUsed, differs: true, ..SETTLED }, ServerTrigger::ServerFailed)]
#[case::down(ServerView { presence: Presence::Unusable, differs: true, ..SETTLED }, ServerTrigger::Unusable)]
#[case::stopped(ServerView { presence: Presence::Unusable, revivable: true, ..SETTLED }, ServerTrigger::Differs)]
#[case::busy(ServerView { presence: Presence::Busy, pending: Pending::Unapplied, ..SETTLED }, ServerTrigger::Busy)]
#[case::new(ABSENT, ServerTrigger::Absent)]
#[case::just_asked_for(ServerView { settling: true, ..ABSENT }, ServerTrigger::Busy)]
#[case::new_but_wrong(ServerView { rejected: true, ..ABSENT }, ServerTrigger::Rejected)]
#[case::new_but_terminating(ServerView { terminating: true, ..ABSENT }, ServerTrigger::Rejected)]
#[case::lost(ServerView { evidence: true, rejected: true, ..ABSENT }, ServerTrigger::Lost)]
#[case::lost_later(ServerView { phase: Phase::Configuring, ..ABSENT }, ServerTrigger::Lost)]
#[case::recreate(ServerView { evidence: true, recreate: true, ..ABSENT }, ServerTrigger::RecreateRequested)]
#[case::failed_new(ServerView { presence: Presence::FailedNew, ..ABSENT }, ServerTrigger::CreateFailed)]
#[case::failed_known(ServerView { presence: Presence::FailedNew, evidence: true, ..ABSENT }, ServerTrigger::ServerFailed)]
#[case::unreadable(ServerView { presence: Presence::Unreadable, ..SETTLED }, ServerTrigger::Unreadable)]
#[case::replaced(ServerView { presence: Presence::Replaced, differs: true, ..SETTLED }, ServerTrigger::Replaced)]
#[case::foreign(ServerView { presence: Presence::NotOurs, recreate: true, ..SETTLED }, ServerTrigger::NotOurs)]
#[case::paused(ServerView { paused: true, differs: true, ..SETTLED }, ServerTrigger::Paused)]
#[case::deletion(ServerView { deleting: true, paused: true, ..SETTLED }, ServerTrigger::Deletion)]
#[case::deleting(DELETING, ServerTrigger::Present)]
#[case::deleting_paused(ServerView { paused: true, ..DELETING }, ServerTrigger::Paused)]
#[case::protected(ServerView { protected: true, ..DELETING }, ServerTrigger::Protected)]
#[case::in_use(ServerView { referenced: true, protected: true, ..DELETING }, ServerTrigger::DatabasesExist)]
#[case::retained(ServerView { retain: true, protected: true, ..DELETING }, ServerTrigger::Retained)]
#[case::retained_new_password(ServerView { retain: true, pending: Pending::Accepted, ..DELETING }, ServerTrigger::Unpublished)]
#[case::retained_not_in_force(ServerView { retain: true, pending: Pending::Unapplied, ..DELETING }, ServerTrigger::Retained)]
#[case::retained_set_a_moment_ago(
    ServerView { retain: true, pending: Pending::Unapplied, awaited: true, ..DELETING },
    ServerTrigger::RetainedUnpublished
)]
#[case::retained_no_namespace(
    ServerView { retain: true, pending: Pending::Accepted, terminating: true, ..DELETING },
    ServerTrigger::RetainedUnpublished
)]
#[case::gone(ServerView { presence: Presence::Absent, ..DELETING }, ServerTrigger::Gone)]
#[case::gone_perhaps(ServerView { presence: Presence::Absent, settling: true, ..DELETING }, ServerTrigger::Busy)]
#[case::deleting_foreign(ServerView { presence: Presence::NotOurs, ..DELETING }, ServerTrigger::Retained)]
fn the_first_that_holds_is_taken(#[case] view: ServerView, #[case] trigger: ServerTrigger) {
    assert_eq!(classify(&view), trigger);
}
