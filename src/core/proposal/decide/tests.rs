use super::*;
use crate::core::proposal::mark;
use crate::core::proposal::{Head, body::marked};

const MARK: &str = "d model=m2 previous=m1";

fn text() -> WantedPullRequest {
    WantedPullRequest {
        base: "main".to_owned(),
        head: Head {
            fork: None,
            branch: "b".to_owned(),
        },
        title: "t".to_owned(),
        body: marked("text", MARK),
        is_draft: false,
        labels: vec!["l".to_owned()],
        reviewers: vec!["r".to_owned()],
        assignees: vec!["a".to_owned()],
        auto_merge: Some(MergeMethod::Squash),
    }
}

fn wanted() -> Wanted {
    Wanted {
        base_id: "base".to_owned(),
        tree_id: "tree".to_owned(),
        pull_request: Some(text()),
        mark: MARK.to_owned(),
        model: "m2".to_owned(),
    }
}

fn opened() -> PullRequest {
    let text = text();
    PullRequest {
        number: 7,
        url: "u".to_owned(),
        title: text.title,
        body: text.body,
        is_draft: false,
        labels: Vec::new(),
        assignees: Vec::new(),
        reviewers: Vec::new(),
        has_auto_merge: false,
    }
}

fn branch() -> Branch {
    Branch {
        id: "tip".to_owned(),
        tree_id: "tree".to_owned(),
        parent_ids: vec!["base".to_owned()],
        foreign: None,
        is_current: true,
        merges_as_wanted: false,
    }
}

fn foreign() -> Option<ForeignCommit> {
    Some(ForeignCommit {
        id: "f".to_owned(),
        author: "A <a@b>".to_owned(),
        kind: ForeignKind::Above,
    })
}

fn names(steps: &[Step]) -> Vec<&'static str> {
    let name = |step: &Step| match step {
        Step::Push { .. } => "push",
        Step::Open(_) => "open",
        Step::Edit { .. } => "edit",
        Step::AddLabels { .. } => "labels",
        Step::AddAssignees { .. } => "assignees",
        Step::RequestReviewers { .. } => "reviewers",
        Step::EnableAutoMerge { .. } => "auto-merge",
        Step::Comment { .. } => "comment",
        Step::Close { .. } => "close",
        Step::RemoveBranch { .. } => "remove",
    };
    steps.iter().map(name).collect()
}

/// Wherever the steps begin, following them one by one ends with nothing missing.
#[test]
fn every_state_converges() {
    let pull_requests = [
        vec![],
        vec![opened()],
        vec![PullRequest {
            title: "old".to_owned(),
            body: marked("old", "d0"),
            labels: vec!["L".to_owned()],
            ..opened()
        }],
    ];
    let branches = [
        None,
        Some(branch()),
        Some(Branch {
            tree_id: "old".to_owned(),
            is_current: false,
            ..branch()
        }),
        Some(Branch {
            parent_ids: vec!["old".to_owned()],
            ..branch()
        }),
        Some(Branch {
            parent_ids: vec!["base".to_owned(), "other".to_owned()],
            ..branch()
        }),
        Some(Branch {
            foreign: foreign(),
            ..branch()
        }),
    ];
    let wanted = wanted();
    for branch in branches {
        for pull_requests in pull_requests.clone() {
            let mut observed = Observed {
                branch: branch.clone(),
                pull_requests,
                last: None,
            };
            let mut done = Vec::new();
            while let Some(step) = decide(&wanted, &observed).unwrap().into_iter().next() {
                assert!(!done.contains(&step), "{step:?} twice");
                let made = matches!(step, Step::Open(_)).then(opened);
                observed = observed.after(&step, &wanted, made);
                done.push(step);
            }
            assert_eq!(observed.pull_requests.len(), 1);
        }
    }
}

#[test]
fn from_nothing() {
    let steps = decide(&wanted(), &Observed::default()).unwrap();
    assert_eq!(names(&steps), ["push", "open"]);
    let opened = Observed {
        branch: Some(branch()),
        pull_requests: vec![opened()],
        last: None,
    };
    let steps = decide(&wanted(), &opened).unwrap();
    assert_eq!(
        names(&steps),
        ["labels", "assignees", "reviewers", "auto-merge"]
    );
    let only_branch = Wanted {
        pull_request: None,
        ..wanted()
    };
    assert_eq!(decide(&only_branch, &opened), Ok(vec![]));
}

#[test]
fn never_replaces_what_others_made() {
    let theirs = Branch {
        foreign: foreign(),
        is_current: false,
        ..branch()
    };
    let observed = Observed {
        branch: Some(theirs),
        pull_requests: vec![opened()],
        last: None,
    };
    let obstacle = Obstacle::Foreign(foreign().unwrap());
    assert_eq!(decide(&wanted(), &observed), Err(obstacle));
    assert_eq!(withdraw(&observed, "why"), []);
}

#[test]
fn withdraws_what_nobody_needs() {
    let observed = Observed {
        branch: Some(branch()),
        pull_requests: vec![opened()],
        last: None,
    };
    let steps = withdraw(&observed, "why");
    assert_eq!(names(&steps), ["comment", "edit", "close", "remove"]);
    assert_eq!(withdraw(&Observed::default(), "why"), []);
    // Killed after the edit.
    let there = observed.after(&steps[1], &wanted(), None);
    let steps = withdraw(&there, "why");
    assert_eq!(names(&steps), ["comment", "close", "remove"]);
    // What was taken back is nobody's refusal, wherever the run was killed.
    let closed = LastPullRequest {
        pull_request: there.pull_requests[0].clone(),
        fate: Fate::Closed,
    };
    for branch in [None, Some(branch())] {
        let again = Observed {
            branch,
            pull_requests: Vec::new(),
            last: Some(closed.clone()),
        };
        assert_eq!(
            names(&decide(&wanted(), &again).unwrap()).last(),
            Some(&"open")
        );
    }
}

/// What became of the newest pull request, what it proposed, and whether that keeps us from proposing.
#[test]
fn takes_no_for_an_answer() {
    let by = |model: &str, previous: &[&str]| {
        let previous: Vec<String> = previous.iter().map(|&it| it.to_owned()).collect();
        marked("text", &mark("old", model, &previous))
    };
    let rows = [
        ("closed", Fate::Closed, by("m2", &["m1"]), true),
        ("another model", Fate::Closed, by("m3", &["m1"]), false),
        ("another base value", Fate::Closed, by("m2", &["m0"]), false),
        (
            "merged, and the base went back",
            Fate::Merged,
            by("m2", &["m1"]),
            false,
        ),
        ("opened meanwhile", Fate::Open, by("m2", &["m1"]), false),
        // The title names no model.
        ("marks taken away", Fate::Closed, "words".to_owned(), false),
    ];
    let stale = Branch {
        tree_id: "old".to_owned(),
        ..branch()
    };
    let others = Branch {
        foreign: foreign(),
        is_current: false,
        ..branch()
    };
    for (name, fate, body, is_declined) in rows {
        let pull_request = PullRequest { body, ..opened() };
        let last = Some(LastPullRequest { pull_request, fate });
        for branch in [None, Some(branch()), Some(stale.clone())] {
            let observed = Observed {
                branch,
                pull_requests: Vec::new(),
                last: last.clone(),
            };
            let decided = decide(&wanted(), &observed);
            if is_declined {
                let url = "u".to_owned();
                assert_eq!(decided, Err(Obstacle::Declined { url }), "{name}");
            } else {
                assert_eq!(names(&decided.unwrap()).last(), Some(&"open"), "{name}");
            }
            // Reopened, it counts as it is.
            let open = Observed {
                pull_requests: vec![opened()],
                ..observed
            };
            assert!(decide(&wanted(), &open).is_ok(), "{name}");
        }
        // Nothing is to be done, so that nothing stands in the way.
        let observed = Observed {
            branch: Some(others.clone()),
            pull_requests: Vec::new(),
            last,
        };
        let is_foreign = matches!(decide(&wanted(), &observed), Err(Obstacle::Foreign(_)));
        assert_eq!(is_foreign, !is_declined, "{name}");
    }
}
