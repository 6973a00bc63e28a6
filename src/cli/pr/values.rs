//! Values of flags of `modelsync pr` that are one of a few words.

use std::str::FromStr;

use crate::core::proposal::{ForgeKind, MergeMethod};
use crate::faces::propose::RebaseWhen;

/// A forge, or none.
#[derive(Clone, Debug)]
pub(super) enum ForgeName {
    /// The branch is pushed, and nothing else.
    None,
    /// A forge of this kind.
    Kind(ForgeKind),
}

impl FromStr for ForgeName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            kind => kind.parse().map(Self::Kind),
        }
    }
}

/// How to commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommitVia {
    /// With git.
    Push,
    /// Through the forge's API.
    Api,
}

impl FromStr for CommitVia {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "push" => Ok(Self::Push),
            "api" => Ok(Self::Api),
            _ => Err(format!("there is no way {text:?}; there are push and api")),
        }
    }
}

/// When our commit is made anew.
#[derive(Clone, Copy, Debug)]
pub(super) struct RebaseName(pub(super) RebaseWhen);

impl FromStr for RebaseName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "behind-base-branch" => Ok(Self(RebaseWhen::BehindBaseBranch)),
            "conflicted" => Ok(Self(RebaseWhen::Conflicted)),
            _ => Err(format!(
                "there is no time {text:?}; there are behind-base-branch and conflicted"
            )),
        }
    }
}

/// How it merges.
#[derive(Clone, Copy, Debug)]
pub(super) struct MethodName(pub(super) MergeMethod);

impl FromStr for MethodName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "merge" => Ok(Self(MergeMethod::Merge)),
            "squash" => Ok(Self(MergeMethod::Squash)),
            "rebase" => Ok(Self(MergeMethod::Rebase)),
            _ => Err(format!(
                "there is no method {text:?}; there are merge, squash and rebase"
            )),
        }
    }
}
