//! Directories and files.

mod read;
mod write;

pub(crate) use read::{from_here, read_directory, read_file, read_stdin};
pub(crate) use write::write;
