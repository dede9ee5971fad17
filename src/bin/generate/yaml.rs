//! YAML that kubectl and helm read as it is meant.

use serde::Serialize;
use serde_saphyr::SerializeError;

use crate::artefact::MARK;

/// A generated YAML document with its mark.
pub(crate) fn document(value: &impl Serialize) -> Result<String, SerializeError> {
    Ok(format!("# {MARK}\n{}", serde_saphyr::to_string(value)?))
}
