//! The conditions of a ModelSync, their reasons, and the names of its events.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// The reasons of events; the first three are those of the first version.
pub mod event {
    /// The lambda cannot be asked or answers with errors.
    pub const NEEDS_SYNC_ERROR: &str = "NeedsSyncError";
    /// A PipelineRun was started.
    pub const CREATE_RUN: &str = "CreateRun";
    /// A PipelineRun could not be started.
    pub const CREATE_RUN_ERROR: &str = "CreateRunError";
    /// The template uses what Tekton no longer has.
    pub const TEMPLATE_OUTDATED: &str = "TemplateOutdated";
}

/// Why a ModelSync is or is not ready.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Reason {
    /// The answer is that nothing is to be done.
    InSync,
    /// A PipelineRun is active.
    RunActive,
    /// A PipelineRun has done what the answer asked for, and the answer has not changed yet.
    AwaitingChange,
    /// The last PipelineRun failed, and the next is not due.
    RunFailed,
    /// `spec.suspend` is set.
    Suspended,
    /// The lambda cannot be asked or answers with errors.
    NeedsSyncError,
    /// The API server does not list the PipelineRuns, so that it is not known whether one is active.
    ListRunsError,
    /// The API server refuses the PipelineRun, or does not say whether it has created it.
    CreateRunError,
    /// The template cannot become a PipelineRun.
    InvalidTemplate,
    /// The cluster has no PipelineRuns of this version.
    TektonMissing,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::InSync,
        Self::RunActive,
        Self::AwaitingChange,
        Self::RunFailed,
        Self::Suspended,
        Self::NeedsSyncError,
        Self::ListRunsError,
        Self::CreateRunError,
        Self::InvalidTemplate,
        Self::TektonMissing,
    ];

    /// The reason's name in conditions, logs and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InSync => "InSync",
            Self::RunActive => "RunActive",
            Self::AwaitingChange => "AwaitingChange",
            Self::RunFailed => "RunFailed",
            Self::Suspended => "Suspended",
            Self::NeedsSyncError => "NeedsSyncError",
            Self::ListRunsError => "ListRunsError",
            Self::CreateRunError => "CreateRunError",
            Self::InvalidTemplate => "InvalidTemplate",
            Self::TektonMissing => "TektonMissing",
        }
    }

    fn ready(self) -> &'static str {
        match self {
            Self::InSync => "True",
            Self::Suspended => "Unknown",
            _ => "False",
        }
    }

    /// Whether a person has to do something before anything can go on.
    fn is_stalled(self, is_refused_for_good: bool) -> bool {
        match self {
            Self::InvalidTemplate | Self::TektonMissing => true,
            Self::CreateRunError => is_refused_for_good,
            _ => false,
        }
    }
}

/// What is to be said of a ModelSync.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Said {
    pub(super) reason: Reason,
    pub(super) message: String,
    /// Whether the API server will refuse the same PipelineRun again.
    pub(super) is_refused_for_good: bool,
}

/// The conditions after the ones before: a time of transition changes only with the status.
pub(super) fn conditions(
    before: &[Condition],
    said: &Said,
    outdated: &[String],
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    let Said {
        reason, message, ..
    } = said;
    let is_stalled = reason.is_stalled(said.is_refused_for_good);
    let mut all = vec![
        ("Ready", reason.ready(), reason.name(), message.clone()),
        match reason {
            Reason::RunActive => ("Syncing", "True", reason.name(), message.clone()),
            Reason::ListRunsError => ("Syncing", "Unknown", reason.name(), message.clone()),
            _ => (
                "Syncing",
                "False",
                "NoRunActive",
                "no PipelineRun is active".to_owned(),
            ),
        },
        match is_stalled {
            true => ("Stalled", "True", reason.name(), message.clone()),
            false => (
                "Stalled",
                "False",
                "Working",
                "nothing stands in the way".to_owned(),
            ),
        },
    ];
    if !outdated.is_empty() {
        let message = outdated.join("; ");
        all.push(("TemplateOutdated", "True", "RemovedFields", message));
    }
    all.into_iter()
        .map(|(kind, status, reason, message)| {
            let since = before
                .iter()
                .find(|condition| condition.type_ == kind && condition.status == status)
                .map_or(Time(now), |condition| {
                    condition.last_transition_time.clone()
                });
            Condition {
                last_transition_time: since,
                message: shortened(&message),
                observed_generation: generation,
                reason: reason.to_owned(),
                status: status.to_owned(),
                type_: kind.to_owned(),
            }
        })
        .collect()
}

/// The API allows 32,768 bytes; nobody reads that many.
fn shortened(message: &str) -> String {
    const LONGEST: usize = 1000;
    match message.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(reason: Reason) -> Said {
        Said {
            reason,
            message: "m".repeat(2000),
            is_refused_for_good: false,
        }
    }

    #[test]
    fn transition_times_change_only_with_the_status() {
        let [early, late] = [1, 2].map(|second| Timestamp::from_second(second).unwrap());
        let before = conditions(&[], &said(Reason::RunFailed), &[], Some(1), early);
        let after = conditions(&before, &said(Reason::RunActive), &[], Some(2), late);
        let times: Vec<_> = after
            .iter()
            .map(|condition| (condition.type_.as_str(), condition.last_transition_time.0))
            .collect();
        assert_eq!(
            times,
            [("Ready", early), ("Syncing", late), ("Stalled", early)]
        );
        assert!(
            after
                .iter()
                .all(|condition| condition.message.chars().count() <= 1001)
        );
    }

    #[test]
    fn only_what_needs_a_person_is_stalled() {
        let now = Timestamp::UNIX_EPOCH;
        let stalled: Vec<_> = Reason::ALL
            .into_iter()
            .filter(|reason| conditions(&[], &said(*reason), &[], None, now)[2].status == "True")
            .collect();
        assert_eq!(stalled, [Reason::InvalidTemplate, Reason::TektonMissing]);
        let refused = Said {
            is_refused_for_good: true,
            ..said(Reason::CreateRunError)
        };
        assert_eq!(conditions(&[], &refused, &[], None, now)[2].status, "True");
    }
}
