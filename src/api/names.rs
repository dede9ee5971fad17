//! Names of the field that users and other tools rely on.

/// API group of both kinds.
pub const GROUP: &str = "hybridcloud.maibornwolff.de";
/// Field manager of every apply and value of `app.kubernetes.io/managed-by`.
pub const FIELD_MANAGER: &str = "hybrid-cloud-postgresql-operator";
/// The finalizer this operator adds.
pub const FINALIZER: &str = "hybridcloud.maibornwolff.de/operator";
/// The finalizer the original operator added; counts as ours.
pub const ORIGINAL_FINALIZER: &str = "kopf.zalando.org/KopfFinalizerMarker";
/// Label or annotation that asks for an action.
pub const ACTION: &str = "operator/action";
/// Annotation that asks for a password reset at a time; it is never removed by the operator.
pub const RESET_PASSWORD_AT: &str = "operator/reset-password-at";
/// Annotation that stops all writes for an object while it is `"true"`.
pub const PAUSED: &str = "operator/paused";
