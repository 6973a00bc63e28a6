use super::*;
use crate::core::proposal::{Head, body::marked};

fn text() -> WantedPullRequest {
    WantedPullRequest {
        base: "main".to_owned(),
        head: Head {
            fork: None,
            branch: "b".to_owned(),
        },
        title: "t".to_owned(),
        body: marked("text", "d"),
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
        digest: "d".to_owned(),
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
    }
}

fn foreign() -> Option<ForeignCommit> {
    Some(ForeignCommit {
        id: "f".to_owned(),
        author: "A <a@b>".to_owned(),
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
    };
    let steps = withdraw(&observed, "why");
    assert_eq!(names(&steps), ["comment", "close", "remove"]);
    assert_eq!(withdraw(&Observed::default(), "why"), []);
}
