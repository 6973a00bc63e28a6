//! All files or none.
//!
//! Every new text is first written beside its file and flushed to the disk; only when all are there
//! are they renamed into place, one after the other, in the order given. Each step leaves a tree
//! from which the next run goes on; when a step fails, those before it are undone.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use tempfile::{NamedTempFile, TempPath};

use crate::core::change::FileChange;

/// Writes changes to the files below `root`.
///
/// # Errors
/// A file cannot be written, or was changed by someone else since it was read. Then no file is
/// changed.
pub(crate) fn write(root: &Path, changes: &[FileChange]) -> anyhow::Result<()> {
    let mut staged = Vec::new();
    for change in changes {
        staged.push(stage(root, change)?);
    }
    let mut done = Vec::new();
    for change in staged {
        if let Err(error) = change.commit(&mut done) {
            undo(done);
            return Err(error.context("no file was changed"));
        }
    }
    Ok(())
}

/// Writes a file as a whole: nobody ever sees half of it.
///
/// # Errors
/// It cannot be written; then what was there stays.
pub(crate) fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let problem = || format!("cannot write {}", path.display());
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".modelsync-")
        // As any file that a program makes; temporary ones are for their owner only.
        .permissions(fs::Permissions::from_mode(0o644))
        .tempfile_in(directory)
        .map_err(without_path)
        .with_context(problem)?;
    file.write_all(text.as_bytes()).with_context(problem)?;
    file.as_file().sync_all().with_context(problem)?;
    file.persist(path)
        .map_err(|error| error.error)
        .with_context(problem)?;
    Ok(())
}

/// Makes a directory, with those around it, where it is missing, and tries whether files can be made
/// in it.
///
/// # Errors
/// Neither is possible. The error does not name the directory.
pub(crate) fn make_writable(directory: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(directory)?;
    let tried = tempfile::Builder::new()
        .prefix(".modelsync-")
        .tempfile_in(directory);
    tried.map_err(without_path)?;
    Ok(())
}

/// An error without the name of the temporary file, which says nothing to anybody.
#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn without_path(error: std::io::Error) -> std::io::Error {
    error.kind().into()
}

/// A change whose new text is on the disk.
struct Staged {
    from: PathBuf,
    to: PathBuf,
    old: String,
    temporary: TempPath,
}

/// What has been done and can be undone.
enum Done {
    Moved { from: PathBuf, to: PathBuf },
    Replaced { path: PathBuf, old: String },
}

fn stage(root: &Path, change: &FileChange) -> anyhow::Result<Staged> {
    let (from, to) = (root.join(&change.from), root.join(&change.to));
    let now = fs::read(&from).with_context(|| format!("cannot read {}", from.display()))?;
    if now != change.old.as_bytes() {
        bail!(
            "cannot write {}: it was changed meanwhile; run again",
            from.display()
        );
    }
    if from != to && to.symlink_metadata().is_ok() {
        bail!(
            "cannot move {} to {}: that file exists",
            from.display(),
            to.display()
        );
    }
    let directory = from.parent().unwrap_or(root);
    let problem = || format!("cannot write {}", from.display());
    let mut file = tempfile::Builder::new()
        .prefix(".modelsync-")
        .tempfile_in(directory)
        .with_context(problem)?;
    write_text(&mut file, &change.new, &from).with_context(problem)?;
    Ok(Staged {
        from,
        to,
        old: change.old.clone(),
        temporary: file.into_temp_path(),
    })
}

fn write_text(file: &mut NamedTempFile, text: &str, like: &Path) -> std::io::Result<()> {
    file.write_all(text.as_bytes())?;
    file.as_file()
        .set_permissions(fs::metadata(like)?.permissions())?;
    file.as_file().sync_all()
}

impl Staged {
    fn commit(self, done: &mut Vec<Done>) -> anyhow::Result<()> {
        let Self {
            from,
            to,
            old,
            temporary,
        } = self;
        if from != to {
            fs::rename(&from, &to)
                .with_context(|| format!("cannot move {} to {}", from.display(), to.display()))?;
            done.push(Done::Moved {
                from,
                to: to.clone(),
            });
        }
        temporary
            .persist(&to)
            .map_err(|error| error.error)
            .with_context(|| format!("cannot write {}", to.display()))?;
        done.push(Done::Replaced { path: to, old });
        Ok(())
    }
}

/// Puts everything back. What cannot be put back is left for Git: the first error is the one to
/// report.
fn undo(done: Vec<Done>) {
    for step in done.into_iter().rev() {
        let _ = match step {
            Done::Moved { from, to } => fs::rename(to, from),
            Done::Replaced { path, old } => fs::write(path, old),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(from: &str, to: &str, old: &str, new: &str) -> FileChange {
        let own = str::to_owned;
        FileChange {
            from: own(from),
            to: own(to),
            old: own(old),
            new: own(new),
        }
    }

    #[test]
    fn writes_and_moves() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a"), "1").unwrap();
        fs::write(root.path().join("b"), "2").unwrap();
        let changes = [change("a", "a", "1", "3"), change("b", "c", "2", "4")];
        write(root.path(), &changes).unwrap();
        assert_eq!(fs::read(root.path().join("a")).unwrap(), b"3");
        assert_eq!(fs::read(root.path().join("c")).unwrap(), b"4");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
    }

    #[test]
    fn all_or_none() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a"), "1").unwrap();
        fs::write(root.path().join("b"), "changed").unwrap();
        let changes = [change("a", "a", "1", "3"), change("b", "b", "2", "4")];
        let error = write(root.path(), &changes).unwrap_err();
        assert!(error.to_string().contains("changed meanwhile"), "{error}");
        assert_eq!(fs::read(root.path().join("a")).unwrap(), b"1");
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_step_that_fails_undoes_those_before_it() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a"), "1").unwrap();
        fs::write(root.path().join("b"), "2").unwrap();
        let first = stage(root.path(), &change("a", "x", "1", "3")).unwrap();
        let mut second = stage(root.path(), &change("b", "b", "2", "4")).unwrap();
        // A directory cannot be replaced by a file.
        second.to = root.path().join("d");
        second.from = second.to.clone();
        fs::create_dir_all(root.path().join("d")).unwrap();
        let mut done = Vec::new();
        first.commit(&mut done).unwrap();
        second.commit(&mut done).unwrap_err();
        undo(done);
        assert_eq!(fs::read(root.path().join("a")).unwrap(), b"1");
        assert!(!root.path().join("x").exists());
    }

    #[test]
    fn permissions_stay() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a");
        fs::write(&path, "1").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        write(root.path(), &[change("a", "a", "1", "2")]).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o640
        );
    }
}
