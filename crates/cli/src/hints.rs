//! What to do about an error, where a flag of the command line helps: the crates below know no flags.

use ome_zarr_convert_tasks::{Suggestion, TaskError};

/// What to do.
pub(crate) fn hint(error: &TaskError) -> Option<String> {
    let hint = match error.suggestion()? {
        Suggestion::OverwriteMode => {
            "--overwrite extend keeps what is complete and adds what is missing, --overwrite replace replaces it".into()
        }
        Suggestion::MemoryLimit { least } => {
            format!("give --memory-limit {least} or more, or use smaller chunks or shards")
        }
        Suggestion::PlateName => "--plate NAME names the plate".into(),
        _ => return None,
    };
    Some(hint)
}
