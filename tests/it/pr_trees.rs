//! `modelsync pr`: of a tree, whatever is in it, one blob changes, and that one byte by byte.

use std::os::unix::fs::PermissionsExt;

use crate::harness::git_project::{Project, config_map};

const BRANCH: &str = "modelsync/bot";

/// An id that no object here has.
const ELSEWHERE: &str = "1234567890123456789012345678901234567890";

/// What a tree can hold.
#[derive(Clone, Copy)]
pub(crate) enum Entry<'t> {
    File(&'t str),
    Executable(&'t str),
    /// A symbolic link, by where it leads.
    Link(&'t str),
    /// The commit of a submodule.
    Submodule,
}

/// Commits entries to `main`, on top of what is there. Their paths need not be UTF-8.
pub(crate) fn commit(project: &Project, entries: &[(&[u8], Entry<'_>)]) {
    // git-fast-import(1)
    let mut stream = b"commit refs/heads/main\ncommitter Somebody <somebody@example.com> 1600000000 +0000\ndata 0\nfrom refs/heads/main^0\n".to_vec();
    for (path, entry) in entries {
        let (mode, text) = match entry {
            Entry::File(text) => ("100644", text),
            Entry::Executable(text) => ("100755", text),
            Entry::Link(target) => ("120000", target),
            Entry::Submodule => {
                stream.extend(format!("M 160000 {ELSEWHERE} ").bytes());
                stream.extend([*path, b"\n"].concat());
                continue;
            }
        };
        stream.extend(format!("M {mode} inline ").bytes());
        stream.extend([*path, b"\n"].concat());
        stream.extend(format!("data {}\n{text}\n", text.len()).bytes());
    }
    let arguments = ["fast-import", "--quiet", "--force"];
    project.repository.git(&arguments, &stream).unwrap();
}

/// A tree with all that may be beside a ConfigMap, which the entry `map` holds.
pub(crate) fn odd_tree(project: &Project, map: Entry<'_>) {
    let modules = "[submodule \"package/vendored\"]\n\tpath = package/vendored\n\turl = https://nowhere.invalid/vendored\n";
    let decoy = config_map("m1");
    let entries: &[(&[u8], Entry<'_>)] = &[
        (b"package/map.yaml", map),
        (b".gitmodules", Entry::File(modules)),
        (b"package/vendored", Entry::Submodule),
        (b"package/vendored.yaml", Entry::Submodule),
        // Links that would be manifests, a directory, a way out, a way round, and nothing.
        (b"package/again.yaml", Entry::Link("map.yaml")),
        (
            b"package/elsewhere.yaml",
            Entry::Link("../other/decoy.yaml"),
        ),
        (b"package/directory", Entry::Link("../other")),
        (b"package/outside.yaml", Entry::Link("/etc/hostname")),
        (b"package/round", Entry::Link(".")),
        (b"package/nothing.yaml", Entry::Link("nothing")),
        (
            b"other/into-the-package",
            Entry::Link("../package/map.yaml"),
        ),
        (b"other/decoy.yaml", Entry::File(&decoy)),
        (b"linked", Entry::Link("package")),
        (b"package/run.sh", Entry::Executable("#!/bin/sh\n")),
        // Around `package/` and `map.yaml`, in the order in which git sorts them and others do not.
        (b"package-beside/file", Entry::File("beside\n")),
        (b"package.beside", Entry::File("beside\n")),
        (b"package0", Entry::File("beside\n")),
        (b"package/map.yaml-beside", Entry::File("beside\n")),
        (b"package/map.yaml.beside/file", Entry::File("beside\n")),
        (b"package/map/file", Entry::File("beside\n")),
        // Not UTF-8, and awkward where it is.
        (b"caf\xe9/\xff.yaml", Entry::File(&decoy)),
        (b"package/caf\xe9.yaml", Entry::File(&decoy)),
        (b"package/caf\xe9/map.yaml", Entry::File(&decoy)),
        (b"package/a\tb \\ \x7f.txt", Entry::File("beside\n")),
        ("package/e\u{301}.txt".as_bytes(), Entry::File("beside\n")),
        ("package/\u{e9}.txt".as_bytes(), Entry::File("beside\n")),
        (b"package/empty/.gitkeep", Entry::File("")),
        (b"package/.krmignore", Entry::File("ignored/\n")),
        (b"package/ignored/map.yaml", Entry::File(&decoy)),
    ];
    commit(project, entries);
}

/// Proposes from a URL alone and from a clone, each to a branch of its own, and looks at what came
/// of `package/map.yaml`, and of nothing else.
fn changes_one_blob(project: &Project, mode: &str, wanted: &str) {
    let url = project.url();
    let clone = project.clone_to("clone");
    let package = clone.join("package");
    let package = package.to_str().unwrap();
    let ways: [(&str, &[&str]); 2] = [
        ("from-a-url", &["package", "--repo", &url]),
        ("from-a-clone", &[package]),
    ];
    for (branch, way) in ways {
        let flags = ["--forge=none", "--branch", branch];
        let run = project.pr(&[way, &flags].concat()).json();
        assert_eq!(run["outcome"], "created", "{branch}");
        let line = |arguments: &[&str]| project.repository.line(arguments).unwrap();
        let blob = |revision: &str| line(&["rev-parse", &format!("{revision}:package/map.yaml")]);
        let (old, new) = (blob("main"), blob(branch));
        assert_eq!(
            line(&["diff-tree", "-r", "main", branch]),
            format!(":{mode} {mode} {old} {new} M\tpackage/map.yaml"),
            "{branch}"
        );
        // `-r` passes over trees that hold nothing.
        let trees = line(&["diff-tree", "-r", "-t", "--name-only", "main", branch]);
        assert_eq!(trees, "package\npackage/map.yaml", "{branch}");
        let text = project.repository.text(branch, "package/map.yaml");
        assert_eq!(text.as_deref(), Some(wanted), "{branch}");
        let again = project.pr(&[way, &flags].concat()).json();
        assert_eq!(again["outcome"], "unchanged", "{branch}");
    }
    assert_sound(project);
}

/// Nothing in the repository is broken, or would be refused by a server that looks.
pub(crate) fn assert_sound(project: &Project) {
    let checked = std::process::Command::new("git")
        .args(["fsck", "--strict", "--no-dangling", "--no-progress"])
        .current_dir(project.repository.path())
        .output()
        .unwrap();
    let said = [checked.stdout, checked.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(checked.status.success() && said.is_empty(), "{said}");
}

#[test]
fn odd_neighbours_stay() {
    let project = Project::new();
    odd_tree(&project, Entry::File(&config_map("m1")));
    changes_one_blob(&project, "100644", &config_map("m2"));
}

#[test]
fn an_executable_file_stays_executable() {
    let project = Project::new();
    odd_tree(&project, Entry::Executable(&config_map("m1")));
    changes_one_blob(&project, "100755", &config_map("m2"));
}

#[test]
fn line_ends_and_a_byte_order_mark_stay() {
    let project = Project::new();
    let windows = |model: &str| {
        let text = config_map(model).replace('\n', "\r\n");
        // Not even one kind of them, and none at the end.
        format!("\u{feff}{text}# the end\n# is here")
    };
    commit(
        &project,
        &[(b"package/map.yaml", Entry::File(&windows("m1")))],
    );
    changes_one_blob(&project, "100644", &windows("m2"));
}

/// Attributes, filters and settings that change files on their way to and from a work tree. Ours are
/// on no such way.
#[test]
fn nothing_is_converted() {
    let project = Project::new();
    let windows = |model: &str| {
        let text = config_map(model).replace('\n', "\r\n");
        format!("{text}# $Id$\r\n")
    };
    let attributes = "* text=auto eol=lf\n*.yaml ident filter=shout diff=shout merge=shout\n";
    let entries: &[(&[u8], Entry<'_>)] = &[
        (b".gitattributes", Entry::File(attributes)),
        (b"package/.gitattributes", Entry::File(attributes)),
        (b"package/map.yaml", Entry::File(&windows("m1"))),
    ];
    commit(&project, entries);
    // A filter that leaves a mark, and changes what it is given.
    let ran = project.scratch.path().join("ran");
    let filter = project.scratch.path().join("filter");
    let script = format!("#!/bin/sh\necho >> '{}'\nexec tr m M\n", ran.display());
    std::fs::write(&filter, script).unwrap();
    std::fs::set_permissions(&filter, std::fs::Permissions::from_mode(0o755)).unwrap();
    let home = project.scratch.path().join("home");
    for (key, value) in [
        ("filter.shout.clean", filter.to_str().unwrap()),
        ("filter.shout.smudge", filter.to_str().unwrap()),
        ("filter.shout.required", "true"),
        ("diff.shout.textconv", filter.to_str().unwrap()),
        ("merge.shout.driver", filter.to_str().unwrap()),
        ("core.autocrlf", "true"),
        ("core.eol", "crlf"),
        ("core.safecrlf", "true"),
        ("core.fileMode", "false"),
        ("core.symlinks", "false"),
        ("submodule.recurse", "true"),
        ("push.recurseSubmodules", "check"),
        ("fetch.recurseSubmodules", "true"),
    ] {
        project.git(&home, &["config", "--global", key, value]);
    }
    let checked_out = project.clone_to("checked-out");
    let text = std::fs::read_to_string(checked_out.join("package/map.yaml")).unwrap();
    assert!(text.contains("Model:"), "git runs no filter: {text}");
    std::fs::remove_file(&ran).unwrap();
    let package = checked_out.join("package");
    let flags = ["--forge=none", "--branch=filtered"];
    let run = project.pr(&[&[package.to_str().unwrap()], &flags[..]].concat());
    assert_eq!(run.json()["outcome"], "created");
    assert!(!ran.exists(), "a filter was run");
    let filtered = project.repository.text("filtered", "package/map.yaml");
    assert_eq!(filtered, Some(windows("m2")));
    changes_one_blob(&project, "100644", &windows("m2"));
}

/// Trees as no git of today writes them: an empty one, and a mode from git's first months.
#[test]
fn trees_of_other_programs_stay() {
    let project = Project::new();
    let line = |arguments: &[&str]| project.repository.line(arguments).unwrap();
    let store = |tree: &[u8]| {
        let arguments = ["hash-object", "-t", "tree", "-w", "--literally", "--stdin"];
        let id = project.repository.git(&arguments, tree).unwrap();
        String::from_utf8(id).unwrap().trim().to_owned()
    };
    let raw = |id: &str| -> Vec<u8> {
        let digits = id.as_bytes().chunks(2);
        digits
            .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
            .collect()
    };
    let entry = |head: &str, id: &str| [head.as_bytes(), b"\0", &raw(id)].concat();
    let blob = |path: &str| line(&["rev-parse", &format!("main:package/{path}")]);
    let empty = store(b"");
    let package_with = |map: &str| {
        let entries = [
            entry("40000 empty", &empty),
            entry("100644 map.yaml", map),
            entry("100664 models.yaml", &blob("models.yaml")),
            entry("100644 set-model.yaml", &blob("set-model.yaml")),
        ];
        entries.concat()
    };
    let root_with = |package: &str| {
        let entries = [
            entry("40000 empty", &empty),
            entry("40000 package", package),
        ];
        entries.concat()
    };
    let blob_of_map = blob("map.yaml");
    let root = store(&root_with(&store(&package_with(&blob_of_map))));
    let arguments = ["commit-tree", "-m", "As others do", "-p", "main", &root];
    project.repository.set_branch("main", &line(&arguments));
    let url = project.url();
    let run = project.pr(&["package", "--repo", &url, "--forge=none"]);
    assert_eq!(run.json()["outcome"], "created");
    let new = line(&["rev-parse", &format!("{BRANCH}:package/map.yaml")]);
    let tree = |path: &str| {
        let revision = format!("{BRANCH}:{path}");
        let bytes = project
            .repository
            .git(&["cat-file", "tree", &revision], b"");
        bytes.unwrap()
    };
    assert_eq!(tree("package"), package_with(&new));
    let package = line(&["rev-parse", &format!("{BRANCH}:package")]);
    assert_eq!(tree(""), root_with(&package));
    let text = project.repository.text(BRANCH, "package/map.yaml");
    assert_eq!(text, Some(config_map("m2")));
}

/// What is no directory in the tree is no package, even where the clone's work tree has one there.
#[test]
fn a_package_is_a_directory_of_the_tree() {
    let project = Project::new();
    odd_tree(&project, Entry::File(&config_map("m1")));
    let url = project.url();
    for directory in [
        "linked",
        "package/vendored",
        "package/map.yaml",
        "package/round",
        "package0",
    ] {
        let refused = project
            .pr(&[directory, "--repo", &url, "--forge=none"])
            .run();
        assert_eq!(refused.code, 1, "{directory}");
        assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
        let words = format!("cannot find the directory {directory} in {url}");
        assert!(refused.stderr.contains(&words), "{}", refused.stderr);
    }
    assert_eq!(project.repository.branches(), ["main"]);
}

/// A file that is a link is not followed, so that what it leads to is changed where it is, or nowhere.
#[test]
fn a_target_behind_a_link_is_not_found() {
    let project = Project::new();
    let map = config_map("m1");
    let entries: &[(&[u8], Entry<'_>)] = &[
        (b"package/map.yaml", Entry::Link("../other/map.yaml")),
        (b"other/map.yaml", Entry::File(&map)),
    ];
    commit(&project, entries);
    let url = project.url();
    let refused = project
        .pr(&["package", "--repo", &url, "--forge=none"])
        .run();
    assert_eq!(refused.code, 1);
    assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
    assert!(refused.stderr.contains("ConfigMap"), "{}", refused.stderr);
    assert_eq!(project.repository.branches(), ["main"]);
}
