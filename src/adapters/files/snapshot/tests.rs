use std::os::unix::fs::symlink;

use super::*;

/// Git-sync's layout: `current` leads to `.worktrees/NAME`.
struct Synced(tempfile::TempDir);

impl Synced {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn link(&self) -> PathBuf {
        self.0.path().join("current")
    }

    fn tree(&self, name: &str) -> PathBuf {
        self.0.path().join(".worktrees").join(name)
    }

    /// Makes a tree with a number in two files, and lets the link lead to it.
    fn swap(&self, name: &str, number: u32) {
        let tree = self.tree(name);
        fs::create_dir_all(tree.join("sub")).unwrap();
        fs::write(tree.join("a.yaml"), format!("a: {number}\n")).unwrap();
        fs::write(tree.join("sub/b.yaml"), format!("b: {number}\n")).unwrap();
        let new = self.0.path().join("new");
        symlink(Path::new(".worktrees").join(name), &new).unwrap();
        fs::rename(new, self.link()).unwrap();
    }
}

fn read(directory: &Path, named: &[&str]) -> anyhow::Result<Snapshot> {
    let named: Vec<_> = named.iter().map(PathBuf::from).collect();
    Snapshot::read(directory, &named)
}

#[test]
fn reads_files_and_named_files_of_one_tree() {
    let synced = Synced::new();
    synced.swap("1", 7);
    let snapshot = read(&synced.link(), &["sub/b.yaml"]).unwrap();
    let texts = [("a.yaml", "a: 7\n"), ("sub/b.yaml", "b: 7\n")];
    let texts = texts.map(|(path, text)| (path.to_owned(), text.to_owned()));
    assert_eq!(snapshot.texts, texts);
    assert_eq!(snapshot.named[0].1, "b: 7\n");
    // Through the link: from the same tree. Not in it: from elsewhere.
    let through = synced.link().join("a.yaml");
    let elsewhere = tempfile::NamedTempFile::new().unwrap();
    fs::write(elsewhere.path(), "c: 1\n").unwrap();
    let named = [through, elsewhere.path().to_owned()];
    let snapshot = Snapshot::read(&synced.link(), &named).unwrap();
    let root = &snapshot.root;
    assert_eq!(
        root.place(&synced.link(), &named[0]),
        synced.tree("1").canonicalize().unwrap().join("a.yaml")
    );
    assert_eq!(snapshot.named[1].1, "c: 1\n");
}

#[test]
fn what_is_missing_is_named_as_it_was_given() {
    let synced = Synced::new();
    let message = |error: anyhow::Error| format!("{error:#}");
    let nothing = message(read(&synced.link(), &[]).unwrap_err());
    assert!(nothing.contains("current: No such file"), "{nothing}");
    synced.swap("1", 7);
    let nothing = message(read(&synced.link(), &["c.yaml"]).unwrap_err());
    let wanted = format!("cannot read {}", synced.link().join("c.yaml").display());
    assert!(nothing.contains(&wanted), "{nothing}");
    // A link to nothing, which is not being swapped.
    fs::remove_dir_all(synced.tree("1")).unwrap();
    assert!(read(&synced.link(), &[]).is_err());
}

#[test]
fn only_a_tree_named_by_its_commit_stays_as_it_is() {
    let synced = Synced::new();
    let commits = [
        "0123456789012345678901234567890123456789",
        "rev-a123456789012345678901234567890123456789",
    ];
    for name in commits {
        synced.swap(name, 1);
        let snapshot = read(&synced.link(), &[]).unwrap();
        assert!(snapshot.is_current(&synced.link()), "{name}");
        synced.swap("other", 2);
        assert!(!snapshot.is_current(&synced.link()), "{name}");
        fs::remove_dir_all(synced.tree(name)).unwrap();
        // The same name again is another tree.
        synced.swap(name, 3);
        assert!(!snapshot.is_current(&synced.link()), "{name}");
    }
    for name in ["main", "012345678901234567890123456789012345678z"] {
        synced.swap(name, 1);
        let snapshot = read(&synced.link(), &[]).unwrap();
        assert!(!snapshot.is_current(&synced.link()), "{name}");
    }
}

#[test]
fn a_named_file_elsewhere_may_change() {
    let synced = Synced::new();
    let name = "0123456789012345678901234567890123456789";
    synced.swap(name, 1);
    let elsewhere = tempfile::NamedTempFile::new().unwrap();
    symlink(elsewhere.path(), synced.tree(name).join("link.yaml")).unwrap();
    let outside = elsewhere.path().to_str().unwrap();
    let cases = [
        (vec![], true),
        (vec!["a.yaml", "sub/b.yaml"], true),
        (vec![outside], false),
        (vec!["a.yaml", outside], false),
        (vec!["link.yaml"], false),
    ];
    for (named, wanted) in cases {
        let snapshot = read(&synced.link(), &named).unwrap();
        assert_eq!(snapshot.is_current(&synced.link()), wanted, "{named:?}");
    }
}

/// The link is swapped and the old tree deleted as fast as this machine can.
#[test]
fn a_swap_is_never_seen_half() {
    let synced = Synced::new();
    synced.swap("0", 0);
    std::thread::scope(|scope| {
        let swapper = scope.spawn(|| {
            for number in 1..300 {
                synced.swap(&number.to_string(), number);
                fs::remove_dir_all(synced.tree(&(number - 1).to_string())).unwrap();
            }
        });
        let mut last = 0;
        let mut seen = 0;
        while !swapper.is_finished() {
            let snapshot = read(&synced.link(), &["a.yaml"]).unwrap();
            let number: u32 = snapshot.named[0].1["a: ".len()..].trim().parse().unwrap();
            let texts: Vec<_> = snapshot
                .texts
                .iter()
                .map(|(_, text)| text.as_str())
                .collect();
            assert_eq!(texts, [format!("a: {number}\n"), format!("b: {number}\n")]);
            assert!(number >= last);
            last = number;
            seen += 1;
        }
        assert!(seen > 10, "{seen}");
    });
}
