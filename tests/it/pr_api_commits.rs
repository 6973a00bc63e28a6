//! `modelsync pr --commit-via api`: GitHub makes the commit on a staging branch and then moves the
//! branch to it. Whatever fails or is killed in between, the next run ends with one branch, one pull
//! request, the right tree, and nothing lost of what people did.

use crate::harness::forge::github::GitHub;
use crate::harness::forge::server::{Fault, Moment, Server};
use crate::harness::git_project::{Pr, Project, catalog, config_map};
use crate::pr_faults::kill_at;

const BRANCH: &str = "modelsync/bot";
const THEIRS: &str = "modelsync-staging-of-somebody";
const MOMENTS: [Moment; 2] = [Moment::Before, Moment::After];

/// A project, its GitHub, and what is to be proposed there.
struct World {
    project: Project,
    github: Server<GitHub>,
    model: &'static str,
    theirs: String,
}

impl World {
    /// With a branch of somebody's; `is_renewal` is for one whose proposal of an older model is there,
    /// with somebody's words in the pull request.
    fn new(is_renewal: bool) -> Self {
        let project = Project::new();
        let github = project.github();
        let main = project.repository.branch("main").unwrap();
        project.repository.set_branch(THEIRS, &main);
        let theirs = project.commit(THEIRS, "other/file.txt", "somebody's\n");
        let mut world = Self {
            project,
            github,
            model: "m2",
            theirs,
        };
        if is_renewal {
            world.run().json();
            let pull = &mut world.github.state().pulls[0];
            pull.body = format!("Mine.\n\n{}", pull.body);
            let models = catalog(3);
            world.project.commit("main", "package/models.yaml", &models);
            world.model = "m3";
        }
        world.github.no_faults();
        world
    }

    fn run(&self) -> Pr {
        self.project.pr_with(&self.github, &["--commit-via=api"])
    }

    /// How many calls a run makes that nothing disturbs.
    fn calls(is_renewal: bool) -> usize {
        let world = Self::new(is_renewal);
        world.run().json();
        let calls = world.github.calls();
        assert!(calls.len() >= 6, "{calls:?}");
        calls.len()
    }

    /// What must hold after a run that nothing disturbs.
    fn assert_whole(&self, context: &str) {
        let repository = &self.project.repository;
        assert_eq!(repository.branches(), ["main", THEIRS, BRANCH], "{context}");
        assert_eq!(repository.branch(THEIRS).as_ref(), Some(&self.theirs));
        let names = ["diff", "--name-only", "main", BRANCH];
        let changed = repository.line(&names).unwrap();
        assert_eq!(changed, "package/map.yaml", "{context}");
        assert_eq!(
            self.project.map(BRANCH),
            config_map(self.model),
            "{context}"
        );
        let log = ["log", "--format=%P %cn", &format!("main..{BRANCH}")];
        let parent = repository.branch("main").unwrap();
        let one = format!("{parent} GitHub");
        assert_eq!(repository.line(&log), Some(one), "{context}");
        let state = self.github.state();
        assert_eq!(state.pulls.len(), 1, "{context}");
        let pull = &state.pulls[0];
        assert!(pull.is_open, "{context}");
        let title = format!("bot: update the model to {}", self.model);
        assert_eq!(pull.title, title, "{context}");
        if self.model == "m3" {
            assert!(pull.body.starts_with("Mine.\n\n"), "{context}");
        }
    }

    /// Runs once more, to the end, and then finds nothing left to do.
    fn completes(&self, context: &str) {
        self.github.no_faults();
        self.run().json();
        self.assert_whole(context);
        self.github.no_faults();
        assert_eq!(self.run().json()["outcome"], "unchanged", "{context}");
        assert_eq!(self.github.writes(), 0, "{context}");
    }
}

#[test]
fn killed_at_any_call() {
    for is_renewal in [false, true] {
        for number in 0..World::calls(is_renewal) {
            for moment in MOMENTS {
                let world = World::new(is_renewal);
                kill_at(&world.github, number, moment, world.run());
                world.completes(&format!("call {number}, {moment:?}, again: {is_renewal}"));
            }
        }
    }
}

/// A run that loses one answer may look again by itself, or leave it to the next.
#[test]
fn any_connection_may_end() {
    for is_renewal in [false, true] {
        for number in 0..World::calls(is_renewal) {
            for moment in MOMENTS {
                let world = World::new(is_renewal);
                world.github.fail(number, moment, Fault::HangUp);
                let run = world.run().run();
                let context = format!("call {number}, {moment:?}, again: {is_renewal}");
                match run.code {
                    0 => {}
                    1 => {
                        assert!(run.stderr.contains("error: bot: cannot "), "{}", run.stderr);
                        world.github.no_faults();
                        world.run().json();
                    }
                    code => panic!("{code}: {context}: {}", run.stderr),
                }
                world.assert_whole(&context);
            }
        }
    }
}

/// Somebody pushes to the branch while a run is at work on it. Their commit stays, on top of ours or
/// instead of it, and from then on they are asked.
#[test]
fn what_somebody_pushes_meanwhile_is_not_lost() {
    for is_renewal in [false, true] {
        for number in 0..World::calls(is_renewal) {
            let world = World::new(is_renewal);
            let repository = world.project.repository.clone();
            let pushed = std::sync::Arc::new(std::sync::Mutex::new(None));
            let push = std::sync::Arc::clone(&pushed);
            world.github.hook(move |at, _, when| {
                if at == number && when == Moment::Before {
                    let main = repository.branch("main");
                    let tip = repository.branch(BRANCH).or(main);
                    let change = ("other/note.txt".to_owned(), Some(b"a fix\n".to_vec()));
                    let id = repository
                        .commit_on(tip.as_deref(), &[change], "A fix")
                        .unwrap();
                    repository.set_branch(BRANCH, &id);
                    *push.lock().unwrap() = Some(id);
                }
                Fault::None
            });
            let during = world.run().run();
            let context = format!("call {number}, again: {is_renewal}: {}", during.stderr);
            let theirs = pushed.lock().unwrap().clone().expect(&context);
            world.github.no_faults();
            let after = world.run().run();
            for run in [&during, &after] {
                let is_told = run.stderr.contains("is not ours and would be lost")
                    && run.stderr.contains(&theirs[..12]);
                assert!(run.code == 0 || is_told, "{context}{}", run.stderr);
            }
            let tip = world.project.repository.branch(BRANCH);
            assert_eq!(tip.as_ref(), Some(&theirs), "{context}");
            let note = world.project.repository.text(BRANCH, "other/note.txt");
            assert_eq!(note.as_deref(), Some("a fix\n"), "{context}");
            assert!(world.github.state().pulls.len() <= 1, "{context}");
        }
    }
}

#[test]
fn two_at_once_make_one() {
    for is_renewal in [false, true] {
        for round in 0..3 {
            let world = World::new(is_renewal);
            let children: Vec<_> = (0..2).map(|_| world.run().start()).collect();
            for child in children {
                let run = child.wait();
                // On its own, each may have lost a race.
                assert!(matches!(run.code, 0 | 1), "{}: {}", run.code, run.stderr);
            }
            world.completes(&format!("round {round}, again: {is_renewal}"));
        }
    }
}

#[test]
fn twenty_runs_with_nothing_new_write_nothing() {
    let world = World::new(true);
    world.run().json();
    let commit = world.project.repository.branch(BRANCH);
    world.github.no_faults();
    for _ in 0..20 {
        let run = world.run().json();
        assert_eq!(run["outcome"], "unchanged");
        assert_eq!(run["commit"].as_str(), commit.as_deref());
    }
    // Each reads the repository, base, our branches, two trees, the files, our commit and the list of
    // open pull requests, and makes not one call that could change anything.
    assert_eq!((world.github.reads(), world.github.writes()), (160, 0));
    world.assert_whole("in the end");
}
