//! Who leads: what to do about a Lease, as a function of what is seen and of the time. The rules are
//! those of client-go's `leaderelection`, so that either can take over from the other.
//!
//! # Guarantees
//! A Lease that its holder renews is never taken. Whether it was renewed is judged by when this
//! process saw it change, on a clock that nobody sets; the times that are written in it are for people.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

/// How long a Lease holds without being renewed.
pub const LEASE_DURATION: Duration = Duration::from_secs(15);
/// A leader that could not renew for so long stops, before another may start.
pub const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// How often to renew, or to try to acquire.
pub const RETRY_PERIOD: Duration = Duration::from_secs(2);

/// What one process has seen of a Lease.
#[derive(Clone, Debug)]
pub struct Candidate {
    identity: String,
    seen: Option<(LeaseSpec, Duration)>,
}

/// What to do about a Lease.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// Another process leads.
    Wait {
        /// Which.
        holder: String,
    },
    /// Write this; whoever's write is accepted leads.
    Write(LeaseSpec),
}

impl Candidate {
    /// A process with a name that no other has.
    #[must_use]
    pub fn new(identity: &str) -> Self {
        Self {
            identity: identity.to_owned(),
            seen: None,
        }
    }

    /// Looks at the Lease, which is `None` when there is none yet. `elapsed` is the time since some
    /// fixed moment on a clock that only goes forward; `now` is what to write.
    #[must_use]
    pub fn look(&mut self, lease: Option<&LeaseSpec>, now: Timestamp, elapsed: Duration) -> Claim {
        let Some(lease) = lease else {
            return Claim::Write(self.held(now, now, 0));
        };
        let since = match &self.seen {
            Some((seen, since)) if seen == lease => *since,
            _ => elapsed,
        };
        self.seen = Some((lease.clone(), since));
        let holder = lease.holder_identity.as_deref().unwrap_or_default();
        let transitions = lease.lease_transitions.unwrap_or(0);
        if holder == self.identity {
            let acquired = lease.acquire_time.as_ref().map_or(now, |time| time.0);
            return Claim::Write(self.held(acquired, now, transitions));
        }
        let seconds = lease.lease_duration_seconds.unwrap_or(0);
        let duration = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        let is_held = !holder.is_empty() && elapsed < since.saturating_add(duration);
        if is_held {
            return Claim::Wait {
                holder: holder.to_owned(),
            };
        }
        Claim::Write(self.held(now, now, transitions.saturating_add(1)))
    }

    /// The Lease to leave behind, so that another need not wait.
    #[must_use]
    pub fn released(&self, now: Timestamp, lease: &LeaseSpec) -> Option<LeaseSpec> {
        (lease.holder_identity.as_deref() == Some(&self.identity)).then(|| LeaseSpec {
            holder_identity: Some(String::new()),
            lease_duration_seconds: Some(1),
            renew_time: Some(MicroTime(now)),
            ..lease.clone()
        })
    }

    fn held(&self, acquired: Timestamp, renewed: Timestamp, transitions: i32) -> LeaseSpec {
        LeaseSpec {
            acquire_time: Some(MicroTime(acquired)),
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(LEASE_DURATION.as_secs()).ok(),
            lease_transitions: Some(transitions),
            renew_time: Some(MicroTime(renewed)),
            ..LeaseSpec::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn written(claim: Claim) -> LeaseSpec {
        match claim {
            Claim::Write(lease) => lease,
            Claim::Wait { holder } => panic!("held by {holder}"),
        }
    }

    #[test]
    fn the_first_writes_and_renews() {
        let mut one = Candidate::new("one");
        let lease = written(one.look(None, at(0), seconds(0)));
        assert_eq!(lease.holder_identity.as_deref(), Some("one"));
        let renewed = written(one.look(Some(&lease), at(2), seconds(2)));
        assert_eq!(renewed.acquire_time, lease.acquire_time);
        assert_eq!(renewed.renew_time, Some(MicroTime(at(2))));
        assert_eq!(renewed.lease_transitions, Some(0));
    }

    #[test]
    fn another_waits_from_when_it_saw_the_last_renewal() {
        let (mut one, mut two) = (Candidate::new("one"), Candidate::new("two"));
        // The holder's clock is an hour behind.
        let lease = written(one.look(None, at(0), seconds(0)));
        let waits = Claim::Wait {
            holder: "one".to_owned(),
        };
        assert_eq!(two.look(Some(&lease), at(3600), seconds(3600)), waits);
        assert_eq!(two.look(Some(&lease), at(3614), seconds(3614)), waits);
        let renewed = written(one.look(Some(&lease), at(14), seconds(14)));
        assert_eq!(two.look(Some(&renewed), at(3615), seconds(3615)), waits);
        assert_eq!(two.look(Some(&renewed), at(3629), seconds(3629)), waits);
        let taken = written(two.look(Some(&renewed), at(3630), seconds(3630)));
        assert_eq!(taken.holder_identity.as_deref(), Some("two"));
        assert_eq!(taken.lease_transitions, Some(1));
    }

    #[test]
    fn a_released_lease_is_free_at_once() {
        let (mut one, mut two) = (Candidate::new("one"), Candidate::new("two"));
        let lease = written(one.look(None, at(0), seconds(0)));
        assert_eq!(two.released(at(1), &lease), None);
        let released = one.released(at(1), &lease).unwrap();
        let taken = written(two.look(Some(&released), at(1), seconds(1)));
        assert_eq!(taken.holder_identity.as_deref(), Some("two"));
    }

    #[test]
    fn a_clock_that_is_set_ahead_ends_no_lease() {
        let (mut one, mut two) = (Candidate::new("one"), Candidate::new("two"));
        let lease = written(one.look(None, at(0), seconds(0)));
        let waits = Claim::Wait {
            holder: "one".to_owned(),
        };
        assert_eq!(two.look(Some(&lease), at(1), seconds(1)), waits);
        assert_eq!(two.look(Some(&lease), at(3600), seconds(2)), waits);
        // Nor does one that is set back hold it.
        let taken = written(two.look(Some(&lease), at(0), seconds(16)));
        assert_eq!(taken.holder_identity.as_deref(), Some("two"));
    }
}
