//! Directories and files.

mod read;
mod snapshot;
mod visible;
mod write;

pub(crate) use read::{exists, from_here, read_directory, read_file, read_stdin};
pub(crate) use snapshot::Snapshot;
pub(crate) use visible::{Hidden, IGNORE_FILES, is_manifest};
pub(crate) use write::{make_writable, replace, write};
